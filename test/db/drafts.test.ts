import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import { AT, addImage, newMask, withStore } from './support.ts';

/** A context with a mask that nobody has painted on. @returns its id */
function addContext(store: ProjectStore, path: string): number {
  const image = addImage(store, path);
  const mask = store.masks.add(newMask(image.id));
  return store.contexts.add({ imageId: image.id, maskId: mask.id, probability: 0.5, createdAt: AT }, 'contexture').id;
}

const stroke = (contextId: number, bytes = 4) => ({
  contextId,
  tool: 'brush',
  params: { size: 3 },
  x: 1,
  y: 2,
  width: 3,
  height: 4,
  pixelsBefore: Buffer.alloc(bytes / 2, 1),
  pixelsAfter: Buffer.alloc(bytes / 2, 2),
  author: 'ann',
  at: AT,
});

const BOUNDS = { depth: 100, most: 1000 };
const tile = (value: number) => new Map([[0, Buffer.of(value)]]);

test('a stroke counts, keeps its tiles, and comes back as it was', () => {
  withStore((store) => {
    const { drafts, contexts } = store;
    const id = addContext(store, 'a');
    assert.equal(drafts.isPending(id), false);
    assert.equal(drafts.paint(stroke(id), tile(1), BOUNDS), 1);
    assert.equal(drafts.paint(stroke(id), new Map([...tile(2), [7, Buffer.of(9)]]), BOUNDS), 2);
    assert.deepEqual(drafts.stroke(1), { id: 1, ...stroke(id), undone: false, maskId: null });
    assert.deepEqual(drafts.tiles(id), new Map([...tile(2), [7, Buffer.of(9)]]));
    assert.deepEqual([drafts.pending(), contexts.get(id)!.revision, contexts.rows([id])[0].draft], [[id], 2, true]);
    assert.equal(drafts.setUndone(2, true, tile(1)), 3);
    assert.deepEqual(
      drafts.strokes(id).map(({ undone }) => undone),
      [false, true],
    );
    drafts.paint(stroke(id), tile(3), BOUNDS);
    assert.deepEqual(
      drafts.strokes(id).map(({ undone }) => undone),
      [false, false],
      'what was taken back is gone',
    );
    assert.throws(() => drafts.stroke(99), /does not exist/);
    assert.throws(() => drafts.paint(stroke(99), tile(1), BOUNDS), /FOREIGN KEY/);
  });
});

test('beyond a depth or a size the oldest cannot be taken back, and still count until a version shows them', () => {
  withStore((store) => {
    const { drafts } = store;
    const [id, other] = [addContext(store, 'a'), addContext(store, 'b')];
    const left = (): number[] => drafts.strokes(id).map((one) => one.id);
    for (let i = 0; i < 5; i++) drafts.paint(stroke(id), tile(i), { depth: 3, most: 1000 });
    assert.deepEqual(left(), [3, 4, 5]);
    assert.throws(() => drafts.stroke(2), /cannot be taken back/);
    drafts.paint(stroke(id, 600), tile(6), BOUNDS);
    drafts.paint(stroke(id, 390), tile(7), BOUNDS);
    assert.deepEqual(left(), [4, 5, 6, 7]);
    drafts.paint(stroke(id, 2000), tile(8), BOUNDS);
    assert.deepEqual(left(), [8], 'the newest always stays');
    drafts.paint(stroke(other, 900), tile(1), BOUNDS);
    assert.deepEqual(left(), [8], 'each context by itself');
    assert.equal(drafts.unsettled(id).length, 8);
    const version = store.masks.add(newMask(1, { parentId: 1, origin: 'edit' }));
    store.contexts.settle(id, version.id, 'ann', AT, store.contexts.addStep({ kind: 'mask', author: 'ann', at: AT }));
    drafts.settled(id, version.id);
    assert.deepEqual([left(), drafts.unsettled(id), drafts.isPending(id)], [[8], [], false]);
    assert.equal(drafts.stroke(8).maskId, version.id);
  });
});

test('another mask ends what was painted, and who saw the one before sees that', () => {
  withStore((store) => {
    const { drafts, contexts } = store;
    const id = addContext(store, 'a');
    drafts.paint(stroke(id), tile(1), BOUNDS);
    const version = store.masks.add(newMask(1, { parentId: 1 }));
    contexts.setMask(id, version.id, 'ann', AT);
    assert.deepEqual([drafts.strokes(id), drafts.tiles(id).size, contexts.get(id)!.revision], [[], 0, 2]);
  });
});
