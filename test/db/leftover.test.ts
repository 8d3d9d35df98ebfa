import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeftoverQuery, ProjectStore } from '../../core/storage/project-store.ts';
import type { Leftover } from '../../core/storage/records.ts';
import { addImage, AT, newMask, newRun, withStore } from './support.ts';

/** Accepted contexts 1 to `count`, by turns of the classes cat and owl, and a run. */
function filled(store: ProjectStore, count: number): { runId: number; classes: number[] } {
  const classes = ['cat', 'owl'].map((name) => store.classes.ensure(name).id);
  for (let i = 0; i < count; i++) {
    const { id: imageId } = addImage(store, `${i}.png`, { foundClassId: classes[i % 2] });
    const { id: maskId } = store.masks.add(newMask(imageId));
    const { id } = store.contexts.add({ imageId, maskId, probability: 0.9, createdAt: AT }, 'ann');
    store.contexts.setState(id, 'accepted', 'ann', AT);
  }
  return { runId: store.runs.add(newRun()).id, classes };
}

const looked = (runId: number, contextId: number, probability: number, fields: Partial<Leftover> = {}): Leftover => ({
  runId,
  contextId,
  maskId: contextId,
  whole: 0.95,
  probability,
  base: 0.25,
  answer: 'cat',
  named: true,
  verdict: null,
  filled: null,
  grown: null,
  usual: null,
  createdAt: AT,
  ...fields,
});

test('what is open comes first, by score; found fine or with a new mask it is open no more', () => {
  withStore((store) => {
    const { runId, classes } = filled(store, 6);
    const list = (fields: Partial<LeftoverQuery> = {}): (readonly [number, string])[] => {
      const query = { runId, from: 0.5, part: 'all', limit: 10, offset: 0, ...fields } as const;
      return store.leftover.list(query).rows.map(({ contextId, stale, fine, flagged }) => {
        return [contextId, [stale && 'stale', fine && 'fine', flagged && 'flagged'].filter(Boolean).join(' ')] as const;
      });
    };
    assert.deepEqual(store.leftover.unchecked(runId), [1, 2, 3, 4, 5, 6]);
    assert.equal(store.leftover.newestRun(), undefined);
    store.leftover.put([
      looked(runId, 1, 0.75, { verdict: 'leftover', filled: 0.7, grown: 0.1, usual: null }),
      looked(runId, 2, 0.9),
      looked(runId, 3, 0.99, { named: false, answer: 'owl' }),
      looked(runId, 4, 0.74),
      looked(runId, 5, 0.8),
    ]);
    const { runId: _run, contextId: _id, ...first } = store.leftover.get(runId, 1)!;
    assert.deepEqual([first.verdict, first.filled, first.grown, first.usual], ['leftover', 0.7, 0.1, null]);
    assert.deepEqual(store.leftover.unchecked(runId), [6]);
    assert.equal(store.leftover.newestRun(), runId);
    assert.deepEqual(list(), [
      [2, 'flagged'],
      [5, 'flagged'],
      [1, 'flagged'],
      [3, ''],
      [4, ''],
    ]);
    store.leftover.setFine([{ contextId: 2, maskId: 2 }], 'ann', AT);
    const { id: newer } = store.masks.add(newMask(store.contexts.get(5)!.imageId));
    store.contexts.setMask(5, newer, 'ann', AT);
    assert.deepEqual(list({ part: 'open' }), [[1, 'flagged']]);
    assert.deepEqual(list({ part: 'stale' }), [[5, 'stale flagged']]);
    assert.deepEqual(list({ part: 'fine' }), [[2, 'fine flagged']]);
    assert.deepEqual(list({ classId: classes[1] }), [
      [2, 'fine flagged'],
      [4, ''],
    ]);
    assert.deepEqual(
      list({ limit: 2, offset: 1 }).map(([id]) => id),
      [3, 2],
    );
    assert.deepEqual(store.leftover.unchecked(runId), [5, 6]);
    assert.deepEqual(
      store.leftover.counts(runId, 0.5).map(({ score, ...rest }) => ({ ...rest, score: Number(score.toFixed(3)) })),
      [
        {
          classId: classes[0],
          checked: 3,
          flagged: 1,
          open: 1,
          leftovers: 1,
          backgrounds: 0,
          outlines: 0,
          stale: 1,
          fine: 0,
          newest: AT,
          score: 0.597,
        },
        {
          classId: classes[1],
          checked: 2,
          flagged: 1,
          open: 0,
          leftovers: 0,
          backgrounds: 0,
          outlines: 0,
          stale: 0,
          fine: 1,
          newest: AT,
          score: 0.57,
        },
      ],
    );
    // A fine mask that is replaced has to be looked at again; one that is looked at anew replaces what was said.
    const { id: another } = store.masks.add(newMask(store.contexts.get(2)!.imageId));
    store.contexts.setMask(2, another, 'ann', AT);
    assert.deepEqual(list({ part: 'fine' }), []);
    store.leftover.put([looked(runId, 2, 0.95, { maskId: another })]);
    assert.deepEqual(list({ part: 'open' }), [
      [2, 'flagged'],
      [1, 'flagged'],
    ]);
    // What is no leftover comes after what may be one, whatever its score.
    store.leftover.put([looked(runId, 2, 0.95, { maskId: another, verdict: 'outline' })]);
    assert.deepEqual(
      list({ part: 'open' }).map(([id]) => id),
      [1, 2],
    );
    store.leftover.setFine([{ contextId: 1, maskId: 1 }], 'ann', AT);
    store.leftover.dropFine([1, 4]);
    assert.equal(list({ part: 'fine' }).length, 0);
  });
});

test('a retired context and one that is not accepted any more leave the list, and a run takes its checks along', () => {
  withStore((store) => {
    const { runId } = filled(store, 3);
    store.leftover.put([1, 2, 3].map((id) => looked(runId, id, 0.9)));
    store.contexts.setRetired(1, true, 'ann', AT);
    store.contexts.setState(2, 'undecided', 'ann', AT);
    const { total, rows } = store.leftover.list({ runId, from: 0.5, part: 'all', limit: 1, offset: 0 });
    assert.deepEqual([total, rows.map(({ contextId }) => contextId)], [1, [3]]);
    assert.equal(store.leftover.get(runId, 1)?.probability, 0.9);
    store.runs.remove([runId]);
    assert.equal(store.leftover.get(runId, 3), undefined);
  });
});
