import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excludeImages, mergeClasses } from '../../core/services/edits.ts';
import { findDuplicates } from '../../core/services/duplicates.ts';
import { GROUPS_SETTING, tailReport } from '../../core/services/stats.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import { projectOf, type ImageSet } from '../fixtures/image-store.ts';

const BY = { author: 'Ada', at: '2026-02-03T04:05:06.000Z' };

const SETS: ImageSet[] = [
  { name: 'ant', split: 'train', count: 150 },
  { name: 'bee', split: 'train', count: 40, contents: ['one', 'one', 'two'] },
  { name: 'cat', split: 'train', count: 4 },
  { name: 'ant', split: 'test', count: 30, contents: ['two'] },
  { name: 'bee', split: 'test', count: 30, contents: ['three'] },
  { name: 'cat', split: 'test', count: 10, contents: ['three'] },
  { name: 'dog', split: 'test', count: 25 },
  { name: 'elk', split: null, count: 30 },
];

function withProject(sets: readonly ImageSet[], work: (store: ProjectStore) => void): void {
  const store = projectOf(sets);
  try {
    work(store);
  } finally {
    store.close();
  }
}

test('the report counts classes, splits, exclusions, duplicates and problems', () => {
  withProject(SETS, (store) => {
    const images = [...store.images.iterate()];
    excludeImages(store, [images[0].id, images[1].id], BY);
    store.images.setState([images[2].id], 'missing');
    store.images.setState([images[3].id, images[4].id], 'changed');
    const [{ id: sourceId }] = store.sources.list();
    store.problems.add(sourceId, [
      { path: 'x', kind: 'note-kind', severity: 'note', reason: 'a note' },
      { path: 'b.png', kind: 'unreadable', severity: 'error', reason: 'cannot read b' },
      { path: 'c.png', kind: 'unreadable', severity: 'error', reason: 'cannot read c' },
    ]);
    const report = tailReport(store);
    assert.deepEqual(report.images, { usable: 314, excluded: 2, missing: 1, changed: 2 });
    assert.deepEqual(report.splits, { train: 219, val: 0, test: 95, unassigned: 30 });
    assert.deepEqual(
      report.classes.map(({ name, train, val, test: tested, excluded, group }) => [
        name,
        train,
        val,
        tested,
        excluded,
        group,
      ]),
      [
        ['ant', 145, 0, 30, 2, 'many'],
        ['bee', 40, 0, 30, 0, 'medium'],
        ['cat', 4, 0, 10, 0, 'few'],
        ['dog', 0, 0, 25, 0, 'few'],
        ['elk', 30, 0, 0, 0, 'medium'],
      ],
    );
    assert.equal(report.tail.ratio, 145 / 4);
    assert.equal(report.tail.images, 219);
    assert.deepEqual(report.evaluation, { split: 'test', name: 'test as found', images: 95 });
    assert.deepEqual(report.duplicates, { surplus: 3, copies: 1, leaks: 1, conflicts: 2 });
    assert.deepEqual(report.problems, [
      { kind: 'unreadable', severity: 'error', count: 2, example: { path: 'b.png', reason: 'cannot read b' } },
      { kind: 'note-kind', severity: 'note', count: 1, example: { path: 'x', reason: 'a note' } },
    ]);
    assert.deepEqual(report.warnings, [
      'Without training images, so never learned: dog.',
      'Under 5 training images, hardly enough to learn from: cat.',
      'Class cat has 10 test images: its recall moves in steps of 10 points, so do not read much into it.',
      '1 picture is in more than one split: figures will look better than they are.',
      '2 pictures have more than one class: look at the labels.',
      '3 images are gone or changed since the import and not used.',
    ]);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});

test('merged classes count as one, also for duplicates; thresholds come from the setting or the call', () => {
  withProject(SETS, (store) => {
    mergeClasses(store, ['bee', 'cat'], 'animal', BY);
    const row = (name: string): unknown[] => {
      const found = tailReport(store).classes.filter((record) => record.name === name);
      return found.map(({ train, test: tested, group }) => [train, tested, group]);
    };
    assert.deepEqual([row('animal'), row('bee')], [[[44, 40, 'medium']], []]);
    // "three" was bee and cat: one class now. "two" is still ant and animal.
    assert.equal(findDuplicates(store).conflicts, 1);
    store.settings.set(GROUPS_SETTING, { many: 40, few: 10 });
    assert.deepEqual(row('animal'), [[44, 40, 'many']]);
    const told = tailReport(store, { thresholds: { many: 1000, few: 100 } });
    assert.equal(told.classes.find(({ name }) => name === 'animal')!.group, 'few');
    assert.deepEqual(told.tail.thresholds, { many: 1000, few: 100 });
  });
});

test('duplicates are listed with paths; excluding one settles it', () => {
  withProject(SETS, (store) => {
    const { groups } = findDuplicates(store);
    assert.deepEqual(
      groups.map(({ images }) => images.map(({ path }) => path)),
      [
        ['train/bee/0.png', 'train/bee/1.png'],
        ['train/bee/2.png', 'test/ant/0.png'],
        ['test/bee/0.png', 'test/cat/0.png'],
      ],
    );
    excludeImages(store, [groups[1].images[0].id], BY, 'leak');
    assert.equal(findDuplicates(store).leaks, 0);
  });
});

test('an empty project and one without a test split say so', () => {
  withProject([], (store) => {
    const report = tailReport(store);
    assert.deepEqual(report.classes, []);
    assert.equal(report.evaluation, null);
    assert.deepEqual(report.warnings, []);
  });
  withProject([{ name: 'ant', split: null, count: 30 }], (store) => {
    assert.match(tailReport(store).warnings[0], /no test split/);
  });
});
