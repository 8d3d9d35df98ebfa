import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import type { ExportRecord } from '../../core/storage/records.ts';
import { AT, addImage, newMask, newRun, withStore } from './support.ts';

/** So many contexts, each of an image of its own. */
function addContexts(store: ProjectStore, count: number): void {
  for (let i = 0; i < count; i++) {
    const { id: imageId } = addImage(store, `${i}.png`);
    const { id: maskId } = store.masks.add(newMask(imageId));
    store.contexts.add({ imageId, maskId, probability: 0.5, createdAt: AT }, 'ann');
  }
}

function addExport(store: ProjectStore, path: string, manifestHash: string | null): ExportRecord {
  const datasetHash = sha256('data');
  const ended = { manifestHash, images: 1, createdAt: AT, endedAt: AT };
  return store.exports.add({ path, recipe: {}, state: manifestHash ? 'verified' : 'stopped', datasetHash, ...ended });
}

test('a bank is counted once, for all runs that have it, now and later', () => {
  withStore((store) => {
    addContexts(store, 3);
    const [one, two] = [sha256('one'), sha256('two')];
    store.runs.add(newRun({ name: 'first', bankBlob: two }));
    store.runs.add(newRun({ name: 'without' }));
    store.runs.add(newRun({ name: 'second', bankBlob: one, modelBlob: sha256('model') }));
    assert.ok([one, two].includes(store.uses.newBank()!));
    assert.deepEqual(store.uses.ofContext(1), { runs: [], exports: [] }, 'nothing is counted before');
    store.uses.addBank(one, [{ contextId: 1, maskId: 1 }]);
    assert.equal(store.uses.newBank(), two);
    store.uses.addBank(two, [
      { contextId: 1, maskId: 1 },
      { contextId: 2, maskId: 2 },
    ]);
    assert.equal(store.uses.newBank(), undefined);
    assert.throws(() => store.uses.addBank(one, []), /UNIQUE/);
    store.runs.add(newRun({ name: 'third', bankBlob: one, state: 'failed' }));
    assert.equal(store.uses.newBank(), undefined);
    assert.deepEqual(store.uses.ofContext(1).runs, [
      { id: 4, name: 'third', state: 'failed', model: false, maskId: 1 },
      { id: 3, name: 'second', state: 'queued', model: true, maskId: 1 },
      { id: 1, name: 'first', state: 'queued', model: false, maskId: 1 },
    ]);
    assert.deepEqual(
      store.uses.counts([3, 1, 99, 2]).map(({ contextId, runs }) => [contextId, runs]),
      [
        [3, 0],
        [1, 3],
        [99, 0],
        [2, 1],
      ],
    );
    assert.deepEqual(store.uses.ofContexts([1, 2]), { runs: 3, exports: 0 });
    assert.deepEqual(store.uses.ofContexts([2]), { runs: 1, exports: 0 });
    assert.deepEqual(store.uses.ofContexts([3]), { runs: 0, exports: 0 });
  });
});

test('pictures of finished exports are counted by context and mask; of others not', () => {
  withStore((store) => {
    addContexts(store, 3);
    const [finished, stopped] = [addExport(store, '/a', sha256('manifest')), addExport(store, '/b', null)];
    const edited = store.masks.add(newMask(1, { parentId: 1, origin: 'edit' })).id;
    const item = (file: string, contextId: number | null, maskId: number | null, exportId = finished.id) =>
      store.exports.addItems([{ exportId, file, imageId: 1, contextId, maskId, backgroundId: null, lambda: 0.5 }]);
    item('1.png', 1, 1);
    item('2.png', 1, 1);
    item('3.png', 1, edited);
    item('4.png', 2, 2);
    item('5.png', null, null);
    item('1.png', 3, 3, stopped.id);
    store.uses.addExports();
    store.uses.addExports();
    assert.deepEqual(store.uses.ofContext(1).exports, [
      { id: finished.id, path: '/a', maskId: 1, pictures: 2 },
      { id: finished.id, path: '/a', maskId: edited, pictures: 1 },
    ]);
    assert.deepEqual(store.uses.counts([1, 2, 3]), [
      { contextId: 1, runs: 0, exports: 1, pictures: 3 },
      { contextId: 2, runs: 0, exports: 1, pictures: 1 },
      { contextId: 3, runs: 0, exports: 0, pictures: 0 },
    ]);
    assert.deepEqual(store.uses.ofContexts([1, 2, 3]), { runs: 0, exports: 1 });
    store.exports.update(stopped.id, { state: 'finished', manifestHash: sha256('other') });
    store.uses.addExports();
    assert.deepEqual(store.uses.ofContexts([1, 3]), { runs: 0, exports: 2 });
    assert.deepEqual(store.uses.ofContext(3).exports, [{ id: stopped.id, path: '/b', maskId: 3, pictures: 1 }]);
  });
});

const bankOf = (...contexts: number[]) => contexts.map((contextId) => ({ contextId, maskId: contextId }));

test('contexts are sorted by the runs and finished exports that had them, as runs and exports come and go', () => {
  withStore((store) => {
    addContexts(store, 4);
    const [one, two] = [sha256('one'), sha256('two')];
    const order = (): number[] => store.contexts.find({ sort: 'uses', descending: true }).map(({ id }) => id);
    const used = (): number[] => store.contexts.find({ used: true }).map(({ id }) => id);
    store.runs.add(newRun({ name: 'first', bankBlob: one }));
    store.runs.add(newRun({ name: 'second', bankBlob: two }));
    store.uses.addBank(one, bankOf(3, 4));
    store.uses.addBank(two, bankOf(4));
    assert.deepEqual(
      [order(), used()],
      [
        [4, 3, 1, 2],
        [3, 4],
      ],
    );
    assert.equal(store.uses.staleBank(), undefined);
    // Two more runs have the first bank; a context that both exports lie on counts once for each, whatever its masks.
    store.runs.add(newRun({ name: 'third', bankBlob: one }));
    store.runs.add(newRun({ name: 'fourth', bankBlob: one }));
    assert.equal(store.uses.staleBank(), one);
    store.uses.recount(one, bankOf(3, 4));
    assert.equal(store.uses.staleBank(), undefined);
    const edited = store.masks.add(newMask(2, { parentId: 2, origin: 'edit' })).id;
    for (const path of ['/a', '/b', '/c', '/d']) {
      const { id: exportId } = addExport(store, path, sha256(path));
      const item = { exportId, imageId: 1, contextId: 2, backgroundId: null, lambda: 0.5 };
      store.exports.addItems([
        { ...item, file: '1.png', maskId: 2 },
        { ...item, file: '2.png', maskId: edited },
      ]);
    }
    store.uses.addExports();
    // By uses: 3 was had by three runs, 4 by four, 2 by four exports.
    assert.deepEqual(
      [order(), used()],
      [
        [2, 4, 3, 1],
        [2, 3, 4],
      ],
    );
    assert.deepEqual([2, 3, 4].map(timesOf), [4, 3, 4]);
    store.runs.remove([1, 3, 4]);
    assert.equal(store.uses.staleBank(), one);
    store.uses.recount(one, bankOf(3, 4));
    assert.deepEqual(
      [order(), used()],
      [
        [2, 4, 1, 3],
        [2, 4],
      ],
    );

    function timesOf(id: number): number {
      const [{ runs, exports }] = store.uses.counts([id]);
      return runs + exports;
    }
  });
});
