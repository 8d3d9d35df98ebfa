import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContextQuery, ProjectStore } from '../../core/storage/project-store.ts';
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
    const fields = newSaliency(image.id, { runId: run.id, probability: 0.1 + 0.2 });
    assert.deepEqual(first, { id: 1, ...fields, doubt: null });
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
    assert.deepEqual(context, {
      id: 1,
      imageId: 1,
      maskId: 1,
      state: 'undecided',
      probability: 0.75,
      createdAt: AT,
      revision: 0,
      retiredAt: null,
      note: '',
    });
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

test('contexts are found by state, class, probability, area and path, in the order asked for', () => {
  withStore((store) => {
    const make = (path: string, className: string, probability: number, area: number): number => {
      const image = addImage(store, path, { foundClassId: store.classes.ensure(className).id });
      const mask = store.masks.add(newMask(image.id, { area }));
      return store.contexts.add({ imageId: image.id, maskId: mask.id, probability, createdAt: AT }, 'ann').id;
    };
    make('wren/a.png', 'wren', 0.5, 0.9);
    make('bird/b_1.png', 'bird', 0.9, 0.1);
    make('bird/B%2.png', 'bird', 0.5, 0.5);
    make('owl/c.png', 'owl', 0.1, 0.3);
    const ids = (query: ContextQuery) => store.contexts.find(query).map(({ id }) => id);
    assert.deepEqual(ids({}), [1, 2, 3, 4]);
    assert.deepEqual(ids({ sort: 'probability' }), [4, 1, 3, 2]);
    assert.deepEqual(ids({ sort: 'probability', descending: true }), [2, 1, 3, 4]);
    assert.deepEqual(ids({ sort: 'area' }), [2, 4, 3, 1]);
    assert.deepEqual(ids({ sort: 'class' }), [2, 3, 4, 1]);
    assert.deepEqual(ids({ minProbability: 0.5, maxProbability: 0.5 }), [1, 3]);
    assert.deepEqual(ids({ minArea: 0.3, maxArea: 0.5 }), [3, 4]);
    assert.deepEqual(ids({ text: 'b' }), [2, 3]);
    assert.deepEqual(ids({ text: 'b%' }), [3]);
    assert.deepEqual(ids({ text: 'B_' }), [2]);
    assert.deepEqual(ids({ classIds: [] }), []);
    assert.deepEqual(ids({ classIds: [1, 3] }), [1, 4]);
    store.contexts.setState(2, 'accepted', 'ann', AT);
    store.contexts.setState(1, 'rejected', 'ann', AT);
    assert.deepEqual(ids({ states: ['accepted', 'undecided'] }), [2, 3, 4]);
    assert.deepEqual(ids({ sort: 'changed', descending: true }), [1, 2, 4, 3]);
    store.edits.merge({ params: {}, author: 'ann', at: AT }, [2], 3);
    assert.deepEqual(ids({ classIds: [3] }), [2, 3, 4]);
    assert.deepEqual(ids({ classIds: [2] }), []);
    assert.deepEqual(
      store.contexts.countByClass().toSorted((a, b) => a.classId - b.classId || (a.state < b.state ? -1 : 1)),
      [
        { classId: 1, state: 'rejected', count: 1 },
        { classId: 3, state: 'accepted', count: 1 },
        { classId: 3, state: 'undecided', count: 2 },
      ],
    );
    const rows = store.contexts.rows([4, 99, 2]);
    assert.deepEqual(
      rows.map(({ id, path, classId, state, area }) => ({ id, path, classId, state, area })),
      [
        { id: 4, path: 'owl/c.png', classId: 3, state: 'undecided', area: 0.3 },
        { id: 2, path: 'bird/b_1.png', classId: 3, state: 'accepted', area: 0.1 },
      ],
    );
    assert.deepEqual(rows[0], {
      id: 4,
      imageId: 4,
      maskId: 4,
      state: 'undecided',
      probability: 0.1,
      createdAt: AT,
      revision: 0,
      retiredAt: null,
      reviewer: null,
      note: '',
      path: 'owl/c.png',
      classId: 3,
      width: 32,
      height: 24,
      imageState: 'ok',
      sourceRemoved: false,
      excluded: false,
      split: null,
      origin: 'soft',
      area: 0.3,
      draft: false,
    });
  });
});

test('a step is taken back as one, newest first, and what something else has changed since stays', () => {
  withStore((store) => {
    const { contexts, masks } = store;
    for (const path of ['a', 'b', 'c']) addContext(store, path);
    const states = () => contexts.list().map(({ state }) => state);
    assert.equal(contexts.lastStep(), undefined);
    assert.equal(contexts.undoStep('ann', LATER), undefined);
    contexts.addStep({ kind: 'reject', author: 'ann', at: AT });
    assert.equal(contexts.lastStep(), undefined, 'a step that changed nothing is none');
    const accept = contexts.addStep({ kind: 'accept', author: 'ann', at: AT });
    for (const id of [1, 2, 3]) contexts.setState(id, 'accepted', 'ann', AT, accept);
    const edited = masks.add(newMask(contexts.get(1)!.imageId, { parentId: 1, origin: 'edit' }));
    const mask = contexts.addStep({ kind: 'mask', author: 'bob', at: LATER });
    contexts.setMask(1, edited.id, 'bob', LATER, undefined, mask);
    assert.deepEqual(contexts.lastStep(), {
      id: mask,
      kind: 'mask',
      author: 'bob',
      at: LATER,
      undoneAt: null,
      contexts: 1,
    });

    assert.deepEqual(contexts.undoStep('ann', LATER), {
      step: { id: mask, kind: 'mask', author: 'bob', at: LATER, undoneAt: LATER },
      changed: 1,
      kept: 0,
    });
    assert.equal(contexts.get(1)!.maskId, 1);
    assert.equal(masks.get(edited.id)?.id, edited.id, 'the version stays');

    contexts.setState(2, 'undecided', 'import', LATER);
    assert.deepEqual(contexts.undoStep('ann', LATER)?.changed, 2);
    assert.deepEqual(states(), ['undecided', 'undecided', 'undecided']);
    assert.equal(contexts.lastStep(), undefined);
    assert.deepEqual(
      contexts.history(1).map(({ action, maskId }) => [action, maskId]),
      [
        ['created', 1],
        ['accepted', 1],
        ['mask', edited.id],
        ['mask', 1],
        ['undecided', 1],
      ],
    );
  });
});

test('a retired context keeps what was decided and is out of the bank, until the step is taken back', () => {
  withStore((store) => {
    const { contexts } = store;
    for (const path of ['a', 'b', 'c']) addContext(store, path);
    for (const id of [1, 2]) contexts.setState(id, 'accepted', 'ann', AT);
    assert.equal(contexts.bankSize(), 2);
    const retire = contexts.addStep({ kind: 'retire', author: 'bob', at: LATER });
    for (const id of [1, 3]) contexts.setRetired(id, true, 'bob', LATER, retire);
    assert.deepEqual(
      contexts.list().map(({ state, retiredAt }) => [state, retiredAt]),
      [
        ['accepted', LATER],
        ['accepted', null],
        ['undecided', LATER],
      ],
    );
    assert.equal(contexts.bankSize(), 1);
    assert.deepEqual(contexts.count(), { undecided: 1, accepted: 2, rejected: 0 });
    const ids = (filter: ContextQuery) => contexts.find(filter).map(({ id }) => id);
    assert.deepEqual(ids({ retired: true }), [1, 3]);
    assert.deepEqual(ids({ retired: false }), [2]);
    assert.deepEqual(ids({ retired: true, states: ['accepted'] }), [1]);
    const listed = (retired: boolean) => contexts.list({ state: 'accepted', retired }).map(({ id }) => id);
    assert.deepEqual([listed(true), listed(false)], [[1], [2]]);

    contexts.setRetired(3, false, 'ann', LATER);
    assert.deepEqual(contexts.undoStep('ann', LATER), {
      step: { id: retire, kind: 'retire', author: 'bob', at: LATER, undoneAt: LATER },
      changed: 1,
      kept: 1,
    });
    assert.equal(contexts.bankSize(), 2);
    assert.deepEqual(
      contexts.history(1).map(({ action, author }) => [action, author]),
      [
        ['created', 'contexture'],
        ['accepted', 'ann'],
        ['retired', 'bob'],
        ['reinstated', 'ann'],
      ],
    );
    contexts.setRetired(1, true, 'ann', AT);
    const back = contexts.addStep({ kind: 'reinstate', author: 'ann', at: AT });
    contexts.setRetired(1, false, 'ann', AT, back);
    assert.deepEqual(contexts.undoStep('ann', LATER)?.changed, 1);
    assert.equal(contexts.get(1)!.retiredAt, LATER);
  });
});

test('a note is kept as it is, and belongs to a context', () => {
  withStore((store) => {
    addContext(store, 'a');
    store.contexts.setNote(1, 'night, wet road');
    assert.equal(store.contexts.get(1)!.note, 'night, wet road');
    assert.throws(() => store.contexts.setNote(99, 'no'), /no such row/);
    assert.equal(store.contexts.history(1).length, 1);
  });
});
