import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import { AT, addImage, newMask, newRun, newSaliency, withStore } from './support.ts';

const LATER = '2026-02-03T04:05:06.789Z';

/** An image with one mask and a context of it. */
function addContext(store: ProjectStore, path: string, options: { className?: string; probability?: number } = {}) {
  const { className = 'bird', probability = 0.5 } = options;
  const image = addImage(store, path, { foundClassId: store.classes.ensure(className).id });
  const mask = store.masks.add(newMask(image.id));
  return store.contexts.add({ imageId: image.id, maskId: mask.id, probability, createdAt: AT }, 'contexture');
}

test('saliencies are kept as they are and listed newest first', () => {
  withStore((store) => {
    const image = addImage(store, 'a');
    const other = addImage(store, 'b');
    const run = store.runs.add(newRun());
    const first = store.saliencies.add(newSaliency(image.id, { runId: run.id, probability: 0.1 + 0.2 }));
    assert.deepEqual(first, { id: 1, ...newSaliency(image.id, { runId: run.id, probability: 0.1 + 0.2 }) });
    const second = store.saliencies.add(newSaliency(image.id, { probabilityFrom: 'on-line', probability: 1 }));
    store.saliencies.add(newSaliency(other.id));
    assert.deepEqual(store.saliencies.ofImage(image.id), [second, first]);
    assert.deepEqual(store.saliencies.get(1), first);
    assert.equal(store.saliencies.get(99), undefined);
    assert.throws(() => store.saliencies.add(newSaliency(99)), /FOREIGN KEY/);
  });
});

test('a mask has a history: versions listed oldest first, each with its parent', () => {
  withStore((store) => {
    const image = addImage(store, 'a');
    const saliency = store.saliencies.add(newSaliency(image.id));
    const first = store.masks.add(newMask(image.id, { saliencyId: saliency.id }));
    const fields = newMask(image.id, {
      parentId: first.id,
      origin: 'edit',
      params: ['brush', { px: 3 }],
      author: 'ann',
    });
    const second = store.masks.add(fields);
    assert.deepEqual(second, { id: 2, ...fields });
    assert.deepEqual(store.masks.ofImage(image.id), [first, second]);
    assert.deepEqual(store.masks.get(2), second);
    assert.equal(store.masks.get(99), undefined);
    const other = addImage(store, 'b');
    assert.throws(() => store.masks.add(newMask(other.id, { parentId: first.id })), /FOREIGN KEY/);
  });
});

test('a context begins undecided, with an event', () => {
  withStore((store) => {
    const context = addContext(store, 'a', { probability: 0.75 });
    assert.deepEqual(context, { id: 1, imageId: 1, maskId: 1, state: 'undecided', probability: 0.75, createdAt: AT });
    assert.deepEqual(store.contexts.history(1), [
      { id: 1, contextId: 1, action: 'created', maskId: 1, author: 'contexture', at: AT },
    ]);
    assert.deepEqual(store.contexts.get(1), context);
    assert.deepEqual(store.contexts.ofImage(1), context);
    assert.equal(store.contexts.get(99), undefined);
    assert.equal(store.contexts.ofImage(99), undefined);
  });
});

test('an image has one context, with a mask of its own', () => {
  withStore((store) => {
    const { imageId, maskId } = addContext(store, 'a');
    assert.throws(() => store.contexts.add({ imageId, maskId, probability: 1, createdAt: AT }, 'ann'), /UNIQUE/);
    const other = addImage(store, 'b').id;
    assert.throws(
      () => store.contexts.add({ imageId: other, maskId, probability: 1, createdAt: AT }, 'ann'),
      /FOREIGN/,
    );
    assert.equal(store.contexts.list().length, 1);
    assert.equal(store.contexts.history(1).length, 1);
  });
});

test('each decision and each mask is an event; nothing is forgotten', () => {
  withStore((store) => {
    const { id, imageId, maskId } = addContext(store, 'a');
    const edited = store.masks.add(newMask(imageId, { parentId: maskId, origin: 'edit', author: 'ann' })).id;
    store.contexts.setState(id, 'accepted', 'ann', AT);
    store.contexts.setMask(id, edited, 'bob', LATER);
    store.contexts.setState(id, 'rejected', 'bob', LATER);
    store.contexts.setState(id, 'undecided', 'ann', LATER);
    assert.deepEqual(
      store.contexts.history(id).map((event) => [event.action, event.maskId, event.author, event.at]),
      [
        ['created', maskId, 'contexture', AT],
        ['accepted', maskId, 'ann', AT],
        ['mask', edited, 'bob', LATER],
        ['rejected', edited, 'bob', LATER],
        ['undecided', edited, 'ann', LATER],
      ],
    );
    const context = store.contexts.get(id)!;
    assert.deepEqual([context.state, context.maskId], ['undecided', edited]);
  });
});

test('a step that cannot be taken leaves no event', () => {
  withStore((store) => {
    const { id } = addContext(store, 'a');
    const other = addContext(store, 'b');
    assert.throws(() => store.contexts.setMask(id, other.maskId, 'ann', AT), /FOREIGN KEY/);
    assert.throws(() => store.contexts.setMask(id, 99, 'ann', AT), /FOREIGN KEY/);
    assert.throws(() => store.contexts.setState(99, 'accepted', 'ann', AT), /context 99 does not exist/);
    assert.throws(() => store.contexts.setMask(99, 1, 'ann', AT), /context 99 does not exist/);
    assert.equal(store.contexts.history(id).length, 1);
  });
});

test('contexts are listed by state, probability and the class that counts', () => {
  withStore((store) => {
    const birds = [0.2, 0.6, 0.9].map((probability, i) => addContext(store, `bird/${i}`, { probability }));
    const wrens = [0.6, 0.8].map((probability, i) =>
      addContext(store, `wren/${i}`, { className: 'wren', probability }),
    );
    for (const { id } of [birds[1], birds[2], wrens[0]]) store.contexts.setState(id, 'accepted', 'ann', AT);
    const ids = (filter?: Parameters<typeof store.contexts.list>[0]) => store.contexts.list(filter).map(({ id }) => id);
    assert.deepEqual(ids(), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids({}), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids({ state: 'accepted' }), [2, 3, 4]);
    assert.deepEqual(ids({ state: 'rejected' }), []);
    assert.deepEqual(ids({ minProbability: 0.6 }), [2, 3, 4, 5]);
    assert.deepEqual(ids({ minProbability: 0 }), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids({ classId: 2 }), [4, 5]);
    assert.deepEqual(ids({ classId: 1, state: 'accepted', minProbability: 0.7 }), [3]);
    store.edits.merge({ params: {}, author: 'ann', at: AT }, [1], 2);
    assert.deepEqual(ids({ classId: 2 }), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids({ classId: 1 }), []);
    const relabel = [{ imageId: wrens[1].imageId, classId: store.classes.ensure('owl').id }];
    store.edits.apply({ kind: 'relabel', params: {}, author: 'ann', at: AT }, relabel);
    assert.deepEqual(ids({ classId: 2 }), [1, 2, 3, 4]);
  });
});

test('contexts are counted by state', () => {
  withStore((store) => {
    assert.deepEqual(store.contexts.count(), { undecided: 0, accepted: 0, rejected: 0 });
    for (const path of ['a', 'b', 'c']) addContext(store, path);
    store.contexts.setState(2, 'accepted', 'ann', AT);
    assert.deepEqual(store.contexts.count(), { undecided: 2, accepted: 1, rejected: 0 });
  });
});
