import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { evaluationSplit } from '../../core/data/evaluation-split.ts';
import { takeSnapshot, trainCounts } from '../../core/data/snapshot.ts';
import {
  assignSplit,
  editHistory,
  excludeImages,
  includeImages,
  makeLongTailed,
  mergeClasses,
  relabelImages,
  undoEdit,
} from '../../core/services/edits.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import { projectOf, type ImageSet } from '../fixtures/image-store.ts';

const BY = { author: 'Ada', at: '2026-02-03T04:05:06.000Z' };
const LATER = '2026-02-03T05:00:00.000Z';

const hasCode =
  (code: string, text = /./) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code && text.test(error.message);

/** Run with a project that is closed at the end. */
function withProject(sets: readonly ImageSet[], work: (store: ProjectStore) => void): void {
  const store = projectOf(sets);
  try {
    work(store);
  } finally {
    store.close();
  }
}

/** Everything an edit can change, as data. */
const view = (store: ProjectStore): unknown => [takeSnapshot(store), store.classes.list()];

const ids = (store: ProjectStore, className: string): number[] => {
  const { id } = store.classes.byName(className)!;
  return [...store.images.iterate({ classId: id })].map((image) => image.id);
};

const FLAT: ImageSet[] = [
  { name: 'ant', split: null, count: 100 },
  { name: 'bee', split: null, count: 30 },
  { name: 'cat', split: null, count: 2 },
];
const SPLIT: ImageSet[] = [
  { name: 'ant', split: 'train', count: 60 },
  { name: 'bee', split: 'train', count: 60 },
  { name: 'cat', split: 'train', count: 60 },
  { name: 'ant', split: 'test', count: 10 },
  { name: 'bee', split: 'test', count: 10 },
  { name: 'cat', split: 'test', count: 10 },
];

test('every edit changes the view, is undone exactly, and stays in the history', () => {
  withProject(SPLIT, (store) => {
    const [first, second] = ids(store, 'ant');
    const states = [view(store)];
    const step = (work: () => unknown): void => {
      work();
      states.push(view(store));
      assert.notDeepEqual(states.at(-1), states.at(-2));
    };
    store.classes.ensure('insect');
    states[0] = view(store);
    step(() => excludeImages(store, [first, second, first], BY, 'blurred'));
    step(() => includeImages(store, [second], BY));
    step(() => relabelImages(store, [second], 'bee', BY));
    step(() => mergeClasses(store, ['ant', 'bee'], 'insect', BY));
    step(() => makeLongTailed(store, { ratio: 10, order: 'name', seed: 1 }, BY));
    step(() => assignSplit(store, { val: 0.1, test: 0, seed: 4 }, BY));
    step(() => mergeClasses(store, ['bee'], null, BY));
    assert.deepEqual(
      editHistory(store).map(({ kind, text, author, at }) => [kind, text, author, at]),
      [
        ['exclude', 'Excluded 2 images: blurred.'],
        ['include', 'Included 1 image.'],
        ['relabel', 'Moved 1 image to class bee.'],
        ['merge', 'Merged ant, bee into insect.'],
        ['long-tail', 'Made long-tailed: ratio 10 from 60 images down, classes by name, seed 1 (113 images excluded).'],
        ['split', 'Assigned val 10 % by seed 4 (7 images assigned).'],
        ['merge', 'Took bee out of their merge.'],
      ].map((entry) => [...entry, BY.author, BY.at]),
    );
    for (let left = states.length - 2; left >= 0; left--) {
      assert.equal(undoEdit(store, LATER).undoneAt, LATER);
      assert.deepEqual(view(store), states[left]);
    }
    assert.throws(() => undoEdit(store, LATER), hasCode('empty'));
    assert.equal(editHistory(store).length, 7);
    assert.ok(editHistory(store).every(({ undoneAt }) => undoneAt === LATER));
  });
});

test('an edit that changes nothing or names what is not there is refused and leaves no trace', () => {
  withProject(SPLIT, (store) => {
    const before = view(store);
    const [first] = ids(store, 'ant');
    assert.throws(() => includeImages(store, [first], BY), hasCode('empty'));
    assert.throws(() => excludeImages(store, [], BY), hasCode('empty'));
    assert.throws(() => excludeImages(store, [first, 99_999], BY), hasCode('not-found', /99999/));
    assert.throws(() => relabelImages(store, [first], 'ant', BY), hasCode('empty'));
    assert.throws(() => relabelImages(store, [first], 'wasp', BY), hasCode('not-found', /wasp/));
    assert.throws(() => relabelImages(store, [99_999], 'wasp', BY, { create: true }), hasCode('not-found'));
    assert.throws(() => mergeClasses(store, ['ant', 'wasp'], 'bee', BY), hasCode('not-found', /wasp/));
    assert.throws(() => mergeClasses(store, ['ant'], 'ant', BY), hasCode('empty'));
    assert.throws(() => mergeClasses(store, ['ant'], null, BY), hasCode('empty'));
    assert.throws(() => makeLongTailed(store, { ratio: 1, order: 'name', seed: 1 }, BY), hasCode('empty'));
    assert.throws(() => makeLongTailed(store, { ratio: 61, order: 'name', seed: 1 }, BY), hasCode('usage'));
    assert.deepEqual(view(store), before);
    assert.deepEqual(editHistory(store), []);
  });
});

test('merges: a new name, no circles, relabel to a new class', () => {
  withProject(SPLIT, (store) => {
    mergeClasses(store, ['ant', 'bee'], 'insect', BY);
    assert.deepEqual(takeSnapshot(store).classes, ['cat', 'insect']);
    assert.deepEqual(trainCounts(takeSnapshot(store)), [60, 120]);
    assert.throws(() => mergeClasses(store, ['insect'], 'ant', BY), hasCode('usage', /insect.*ant.*undo/));
    // Merging again into what it is merged into already changes nothing.
    assert.throws(() => mergeClasses(store, ['ant'], 'insect', BY), hasCode('empty'));
    relabelImages(store, ids(store, 'cat').slice(0, 5), 'kitten', BY, { create: true });
    assert.deepEqual(takeSnapshot(store).classes, ['cat', 'insect', 'kitten']);
  });
});

test('a flat data set gets a test and a val split, and says so', () => {
  withProject(FLAT, (store) => {
    assert.equal(evaluationSplit(store), null);
    const { plan, edit } = assignSplit(store, { val: 0.1, test: 0.2, seed: 1 }, BY);
    assert.deepEqual(plan.classes, [
      { name: 'ant', train: 70, val: 10, test: 20 },
      { name: 'bee', train: 21, val: 3, test: 6 },
      { name: 'cat', train: 1, val: 0, test: 1 },
    ]);
    assert.deepEqual(edit.params, { val: 0.1, test: 0.2, seed: 1 });
    assert.deepEqual(evaluationSplit(store), { split: 'test', name: 'test assigned by seed 1', images: 27 });
    assert.deepEqual(evaluationSplit(store, 'val'), { split: 'val', name: 'val assigned by seed 1', images: 13 });
    assert.throws(() => assignSplit(store, { val: 0.1, test: 0.2, seed: 1 }, BY), hasCode('empty'));
    // A later deal replaces it; taking it back brings the first one back.
    assignSplit(store, { val: 0, test: 0.5, seed: 9 }, BY);
    assert.deepEqual(evaluationSplit(store), { split: 'test', name: 'test assigned by seed 9', images: 66 });
    assert.equal(evaluationSplit(store, 'val'), null);
    undoEdit(store, LATER);
    assert.equal(evaluationSplit(store)!.name, 'test assigned by seed 1');
    undoEdit(store, LATER);
    assert.equal(evaluationSplit(store), null);
  });
});

test('a test level that was found stays; val is dealt from train', () => {
  withProject(SPLIT, (store) => {
    assert.deepEqual(evaluationSplit(store), { split: 'test', name: 'test as found', images: 30 });
    assert.throws(
      () => assignSplit(store, { val: 0, test: 0.2, seed: 1 }, BY),
      hasCode('usage', /test split of its own/),
    );
    const { plan } = assignSplit(store, { val: 0.2, test: 0, seed: 3 }, BY);
    assert.deepEqual(
      plan.classes.map(({ train, val, test: tested }) => [train, val, tested]),
      [
        [48, 12, 0],
        [48, 12, 0],
        [48, 12, 0],
      ],
    );
    assert.equal(evaluationSplit(store)!.images, 30);
    assert.equal(evaluationSplit(store, 'val')!.name, 'val assigned by seed 3');
    excludeImages(store, [ids(store, 'cat').at(-1)!], BY);
    assert.deepEqual(evaluationSplit(store), { split: 'test', name: 'test as found, 1 image excluded', images: 29 });
  });
});

test('made long-tailed: only training images go, on top of what is excluded already', () => {
  withProject(SPLIT, (store) => {
    const [excluded] = ids(store, 'ant');
    excludeImages(store, [excluded], BY);
    const { plan } = makeLongTailed(store, { ratio: 9, order: 'name', seed: 1 }, BY);
    assert.equal(plan.largest, 59);
    assert.deepEqual(trainCounts(takeSnapshot(store)), [59, 19, 6]);
    assert.equal(takeSnapshot(store).images.filter(({ split }) => split === 'test').length, 30);
    undoEdit(store, LATER);
    assert.deepEqual(trainCounts(takeSnapshot(store)), [59, 60, 60]);
    // By size the largest class comes first: bee and cat before ant.
    makeLongTailed(store, { ratio: 9, order: 'size', seed: 1 }, BY);
    assert.deepEqual(trainCounts(takeSnapshot(store)), [6, 60, 20]);
  });
});
