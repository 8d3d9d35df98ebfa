import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageSelection, ProjectStore } from '../../core/storage/project-store.ts';
import { AT, addImage, addSource, withStore } from './support.ts';

const ASKED: ImageSelection = { order: 'path', descending: false };

const hash = (digit: string) => ({ hash: digit.repeat(64) });

const note = (path: string, kind: string, severity: 'error' | 'note') => ({ path, kind, severity, reason: `${kind}.` });

/** Paths of a selection, in its order. */
function selected(store: ProjectStore, selection: Partial<ImageSelection>): string[] {
  return store.images.many([...store.images.select({ ...ASKED, ...selection })]).map(({ path }) => path);
}

test('each field narrows, and all of them together', () => {
  withStore((store) => {
    const cat = store.classes.ensure('cat').id;
    const owl = store.classes.ensure('owl').id;
    const other = addSource(store, '/other').id;
    const first = addSource(store, '/first').id;
    const a = addImage(store, 'train/owl/b.png', { sourceId: first, foundClassId: owl, foundSplit: 'train' });
    const b = addImage(store, 'test/owl/100%_a.png', { sourceId: first, foundClassId: owl, foundSplit: 'test' });
    addImage(store, 'cat/Ünder.png'.normalize('NFD'), { sourceId: other, foundClassId: cat });
    addImage(store, 'cat/1000.png', { sourceId: other, foundClassId: cat });
    store.images.setState([a.id], 'missing');
    store.edits.apply({ kind: 'exclude', params: { reason: '' }, author: 'ada', at: AT }, [
      { imageId: b.id, excluded: true },
    ]);
    const all = ['cat/1000.png', 'cat/Ünder.png'.normalize('NFD'), 'test/owl/100%_a.png', 'train/owl/b.png'];
    assert.deepEqual(selected(store, {}), all);
    assert.deepEqual(selected(store, { descending: true }), all.toReversed());
    assert.deepEqual(selected(store, { classIds: [owl] }), all.slice(2));
    assert.deepEqual(selected(store, { classIds: [] }), []);
    assert.deepEqual(selected(store, { splits: ['test'] }), ['test/owl/100%_a.png']);
    assert.deepEqual(selected(store, { splits: [null, 'train'] }), [...all.slice(0, 2), 'train/owl/b.png']);
    assert.deepEqual(selected(store, { states: ['missing'] }), ['train/owl/b.png']);
    assert.deepEqual(selected(store, { excluded: true }), ['test/owl/100%_a.png']);
    assert.deepEqual(selected(store, { sourceIds: [other] }), all.slice(0, 2));
    assert.deepEqual(selected(store, { text: 'OWL/' }), all.slice(2), 'upper and lower case');
    assert.deepEqual(selected(store, { text: 'Ünder'.normalize('NFC') }), [all[1]], 'either Unicode form');
    assert.deepEqual(selected(store, { text: '0%_' }), ['test/owl/100%_a.png'], 'no wildcards');
    assert.deepEqual(selected(store, { text: '\\' }), []);
    assert.deepEqual(selected(store, { classIds: [owl], states: ['ok'], excluded: false }), []);
    assert.deepEqual(selected(store, { classIds: [owl], states: ['ok'], splits: ['test'] }), ['test/owl/100%_a.png']);
  });
});

test('by class name after merges, by size, by date', () => {
  withStore((store) => {
    const ids = Object.fromEntries(['ant', 'bee', 'cow'].map((name) => [name, store.classes.ensure(name).id]));
    addImage(store, '1.png', { foundClassId: ids.cow, size: 3, mtimeMs: 10 });
    addImage(store, '2.png', { foundClassId: ids.ant, size: 1, mtimeMs: 30 });
    addImage(store, '3.png', { foundClassId: ids.bee, size: 2, mtimeMs: 20.5 });
    assert.deepEqual(selected(store, { order: 'class' }), ['2.png', '3.png', '1.png']);
    assert.deepEqual(selected(store, { order: 'size' }), ['2.png', '3.png', '1.png']);
    assert.deepEqual(selected(store, { order: 'date', descending: true }), ['2.png', '3.png', '1.png']);
    store.edits.merge({ params: {}, author: 'ada', at: AT }, [ids.cow], ids.ant);
    assert.deepEqual(selected(store, { order: 'class' }), ['1.png', '2.png', '3.png']);
    assert.deepEqual(selected(store, { classIds: [ids.ant] }), ['1.png', '2.png'], 'a class and what counts as it');
    assert.deepEqual(selected(store, { classIds: [ids.cow] }), [], 'a class that is merged away has none');
  });
});

test('copies, leaks and conflicts are of usable images only', () => {
  withStore((store) => {
    const bee = store.classes.ensure('bee').id;
    addImage(store, 'copy/1.png', hash('a'));
    addImage(store, 'copy/2.png', { ...hash('a'), foundSplit: 'train' });
    addImage(store, 'leak/1.png', { ...hash('b'), foundSplit: 'train' });
    addImage(store, 'leak/2.png', { ...hash('b'), foundSplit: 'test' });
    const conflict = addImage(store, 'conflict/1.png', hash('c'));
    addImage(store, 'conflict/2.png', { ...hash('c'), foundClassId: bee });
    addImage(store, 'single.png');
    const of = (duplicates: 'any' | 'leak' | 'conflict') => selected(store, { duplicates });
    assert.deepEqual(of('leak'), ['leak/1.png', 'leak/2.png']);
    assert.deepEqual(of('conflict'), ['conflict/1.png', 'conflict/2.png']);
    assert.equal(of('any').length, 6, 'no split counts as train');
    store.images.setState([conflict.id], 'changed');
    assert.deepEqual(of('conflict'), []);
    assert.equal(of('any').length, 4);
  });
});

test('problems: of a kind on images, a page at a time, counted by kind', () => {
  withStore((store) => {
    const source = addSource(store).id;
    const other = addSource(store, '/other').id;
    addImage(store, 'a.gif', { sourceId: source });
    addImage(store, 'a.gif', { sourceId: other });
    store.problems.add(source, [
      note('a.gif', 'first-frame', 'note'),
      note('b.gif', 'first-frame', 'note'),
      note('c.gif', 'damaged', 'error'),
    ]);
    store.problems.add(other, [note('100%.gif', 'damaged', 'error')]);
    assert.deepEqual(selected(store, { problem: 'first-frame' }), ['a.gif']);
    assert.deepEqual(selected(store, { problem: 'damaged' }), []);
    const kinds = store.problems.summary().map(({ count, first }) => [first.kind, count, first.path]);
    assert.deepEqual(kinds, [
      ['damaged', 2, 'c.gif'],
      ['first-frame', 2, 'a.gif'],
    ]);
    assert.deepEqual(
      store.problems.summary(other).map(({ count }) => count),
      [1],
    );
    const page = store.problems.page({ kind: 'damaged' }, 1, 10);
    assert.deepEqual([page.total, page.problems.map(({ path }) => path)], [2, ['100%.gif']]);
    assert.equal(store.problems.page({ text: '0%.G' }, 0, 10).total, 1);
    assert.equal(store.problems.page({ sourceId: source, severity: 'error' }, 0, 10).total, 1);
    assert.deepEqual(
      store.problems.ofPath(source, 'a.gif').map(({ kind }) => kind),
      ['first-frame'],
    );
  });
});

test('images by id come in the order asked for; unknown ones are left out', () => {
  withStore((store) => {
    const [a, b] = ['a.png', 'b.png'].map((path) => addImage(store, path));
    assert.deepEqual(store.images.many([b.id, 99, a.id]), [b, a]);
    assert.deepEqual(store.images.many([]), []);
    assert.deepEqual([...store.images.countBySource()], [[a.sourceId, 2]]);
  });
});
