import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import type { ImageChange } from '../../core/storage/records.ts';
import { AT, addImage, newImage, open, projectFile, refused, withStore } from './support.ts';

const LATER = '2026-02-03T04:05:06.789Z';
const HEAD = { params: { why: 'test' }, author: 'ann', at: AT };

/** Class, split and exclusion in force, by path. */
function view(store: ProjectStore): Record<string, unknown[]> {
  const names = new Map(store.classes.list().map(({ id, name }) => [id, name]));
  const images = [...store.images.iterate()];
  return Object.fromEntries(
    images.map((image) => [image.path, [names.get(image.classId), image.split, image.excluded]]),
  );
}

/** Images a, b, c of the class bird, b in the test split. */
function threeImages(store: ProjectStore): void {
  store.images.upsert([newImage(store, 'a'), newImage(store, 'b', { foundSplit: 'test' }), newImage(store, 'c')]);
  store.classes.ensure('wren');
  store.classes.ensure('owl');
}

test('an edit is recorded, applied at once, and counts the images that it changed', () => {
  withStore((store) => {
    threeImages(store);
    const edit = store.edits.apply({ ...HEAD, kind: 'relabel' }, [
      { imageId: 1, classId: 2 },
      { imageId: 2, classId: 2, split: null, excluded: false },
      { imageId: 3 },
    ]);
    assert.deepEqual(edit, { id: 1, kind: 'relabel', ...HEAD, undoneAt: null, redoable: false, changes: 2 });
    assert.deepEqual(store.edits.list(), [edit]);
    assert.deepEqual(view(store), {
      a: ['wren', null, false],
      b: ['wren', null, false],
      c: ['bird', null, false],
    });
    assert.equal(store.images.get(2)?.foundSplit, 'test');
  });
});

test('a chain of edits is undone newest first, each to the very state before it', () => {
  withStore((store) => {
    threeImages(store);
    const chain: ImageChange[][] = [
      [{ imageId: 1, classId: 2, split: 'train' }],
      [
        { imageId: 1, excluded: true },
        { imageId: 2, excluded: true, split: null },
      ],
      [
        { imageId: 1, classId: 3, split: null },
        { imageId: 2, classId: 1 },
      ],
      [
        { imageId: 1, excluded: false, classId: 1 },
        { imageId: 3, split: 'val' },
      ],
    ];
    const states = [view(store)];
    for (const changes of chain) {
      store.edits.apply({ ...HEAD, kind: 'relabel' }, changes);
      states.push(view(store));
    }
    for (let i = chain.length; i > 0; i--) {
      const undone = store.edits.undo(LATER);
      assert.equal(undone?.id, i);
      assert.equal(undone.undoneAt, LATER);
      assert.deepEqual(view(store), states[i - 1]);
    }
    assert.equal(store.edits.undo(LATER), undefined);
    for (let i = 1; i <= chain.length; i++) {
      const redone = store.edits.redo();
      assert.deepEqual([redone?.id, redone?.undoneAt, redone?.redoable], [i, null, false]);
      assert.deepEqual(view(store), states[i]);
    }
    assert.equal(store.edits.redo(), undefined);
    for (const _ of chain) store.edits.undo(LATER);
    assert.deepEqual(view(store), states[0]);
    assert.equal(store.edits.list().length, chain.length, 'undone edits stay in the history');
    const again = store.edits.apply({ ...HEAD, kind: 'exclude' }, [{ imageId: 1, excluded: true }]);
    assert.equal(store.edits.undo(LATER)?.id, again.id);
    assert.deepEqual(view(store), states[0]);
  });
});

test('an image that is found again under an edit keeps the edit; undone, it follows the file', () => {
  withStore((store) => {
    threeImages(store);
    store.edits.apply({ ...HEAD, kind: 'relabel' }, [{ imageId: 1, classId: 2 }]);
    store.edits.apply({ ...HEAD, kind: 'split' }, [{ imageId: 2, split: null }]);
    store.edits.apply({ ...HEAD, kind: 'exclude' }, [{ imageId: 1, excluded: true }]);
    const owl = store.classes.byName('owl')!.id;
    for (const path of ['a', 'b']) addImage(store, path, { foundClassId: owl, foundSplit: 'train' });
    assert.deepEqual(view(store), { a: ['wren', 'train', true], b: ['owl', null, false], c: ['bird', null, false] });
    assert.equal(store.images.get(1)?.foundClassId, owl);
    for (let i = 0; i < 3; i++) store.edits.undo(LATER);
    assert.deepEqual(view(store), { a: ['owl', 'train', false], b: ['owl', 'train', false], c: ['bird', null, false] });
  });
});

test('setting what was found holds against a later import', () => {
  withStore((store) => {
    threeImages(store);
    const edit = store.edits.apply({ ...HEAD, kind: 'relabel' }, [{ imageId: 1, classId: 1 }]);
    assert.equal(edit.changes, 1);
    addImage(store, 'a', { foundClassId: 2 });
    assert.deepEqual(view(store).a, ['bird', null, false]);
  });
});

test('changes that change nothing are not counted', () => {
  withStore((store) => {
    threeImages(store);
    const excluded = [1, 2, 3].map((imageId) => ({ imageId, excluded: true }));
    assert.equal(store.edits.apply({ ...HEAD, kind: 'exclude' }, excluded.slice(0, 1)).changes, 1);
    assert.equal(store.edits.apply({ ...HEAD, kind: 'exclude' }, excluded).changes, 2);
    assert.equal(store.edits.apply({ ...HEAD, kind: 'exclude' }, excluded).changes, 0);
    store.edits.undo(LATER);
    store.edits.undo(LATER);
    assert.deepEqual(view(store).a, ['bird', null, true]);
    assert.deepEqual(view(store).b, ['bird', 'test', false]);
  });
});

test('an image that is changed twice in one edit ends as the last change says and is undone to before', () => {
  withStore((store) => {
    threeImages(store);
    const before = view(store);
    const twice = [2, 3].map((classId) => ({ imageId: 1, classId }));
    assert.equal(store.edits.apply({ ...HEAD, kind: 'relabel' }, twice).changes, 1);
    assert.deepEqual(view(store).a, ['owl', null, false]);
    store.edits.undo(LATER);
    assert.deepEqual(view(store), before);
  });
});

test('an edit is all or nothing', () => {
  withStore((store) => {
    threeImages(store);
    const before = view(store);
    const wrong: ImageChange[] = [
      { imageId: 99, excluded: true },
      { imageId: 2, classId: 99 },
    ];
    for (const change of wrong) {
      assert.throws(() => store.edits.apply({ ...HEAD, kind: 'exclude' }, [{ imageId: 1, excluded: true }, change]));
    }
    assert.deepEqual(view(store), before);
    assert.deepEqual(store.edits.list(), []);
  });
});

test('changes may come from a walk through the images that they change', () => {
  withStore((store) => {
    store.images.upsert(Array.from({ length: 2500 }, (_, i) => newImage(store, `${i}`)));
    const edit = store.edits.apply({ ...HEAD, kind: 'exclude' }, excludeAll(store));
    assert.equal(edit.changes, 2500);
    assert.deepEqual([...store.images.iterate({ excluded: false })], []);
    store.edits.undo(LATER);
    assert.deepEqual([...store.images.iterate({ excluded: true })], []);
  });
});

function* excludeAll(store: ProjectStore): Generator<ImageChange> {
  for (const { id } of store.images.iterate({ excluded: false })) yield { imageId: id, excluded: true };
}

test('edits outlive closing, and are undone after it', () => {
  const file = projectFile();
  let store = open(file);
  threeImages(store);
  const before = view(store);
  store.edits.apply({ ...HEAD, kind: 'relabel' }, [{ imageId: 1, classId: 2, split: null, excluded: true }]);
  store.edits.merge(HEAD, [2], 1);
  store.close();
  store = open(file);
  assert.deepEqual(store.edits.undo(LATER)?.kind, 'merge');
  assert.deepEqual(store.edits.undo(LATER)?.kind, 'relabel');
  assert.deepEqual(view(store), before);
  store.close();
});

const mergedInto = (store: ProjectStore) => store.classes.list().map((record) => record.mergedInto);

test('a merge sets what classes count as, says how many it changed, and is undone', () => {
  withStore((store) => {
    threeImages(store);
    const edit = store.edits.merge(HEAD, [1, 2, 2], 3);
    assert.deepEqual(edit, { id: 1, kind: 'merge', ...HEAD, undoneAt: null, redoable: false, changes: 2 });
    assert.deepEqual(mergedInto(store), [3, 3, null]);
    assert.equal(store.edits.merge(HEAD, [1], 3).changes, 0);
    assert.equal(store.edits.merge(HEAD, [1, 3], null).changes, 1);
    assert.deepEqual(mergedInto(store), [null, 3, null]);
    store.edits.undo(LATER);
    store.edits.undo(LATER);
    assert.deepEqual(mergedInto(store), [3, 3, null]);
    assert.equal(store.edits.undo(LATER)?.undoneAt, LATER);
    assert.deepEqual(mergedInto(store), [null, null, null]);
  });
});

test('merges in a chain count as the last class, and images stay where they were', () => {
  withStore((store) => {
    threeImages(store);
    store.edits.merge(HEAD, [1], 2);
    store.edits.merge(HEAD, [2], 3);
    assert.deepEqual(
      store.images.counts().map(({ classId, count }) => [classId, count]),
      [
        [3, 2],
        [3, 1],
      ],
    );
    assert.equal(store.images.get(1)?.classId, 1);
    store.edits.undo(LATER);
    assert.deepEqual(new Set(store.images.counts().map(({ classId }) => classId)), new Set([2]));
  });
});

test('a class cannot come to count as itself', () => {
  withStore((store) => {
    threeImages(store);
    assert.match(
      refused(() => store.edits.merge(HEAD, [1], 1), 'usage'),
      /'bird' into itself/,
    );
    store.edits.merge(HEAD, [1], 2);
    store.edits.merge(HEAD, [2], 3);
    for (const moved of [[3], [2, 3]]) {
      const sentence = refused(() => store.edits.merge(HEAD, moved, 1), 'usage');
      assert.match(sentence, /into 'bird', which counts as '(owl|wren)' itself/);
    }
    assert.deepEqual(mergedInto(store), [2, 3, null]);
    assert.equal(store.edits.list().length, 2);
  });
});

test('a merge of or into a class that is not there is a defect', () => {
  withStore((store) => {
    threeImages(store);
    assert.throws(() => store.edits.merge(HEAD, [1], 99), /class 99 does not exist/);
    assert.throws(() => store.edits.merge(HEAD, [2, 99], 1), /class 99 does not exist/);
    assert.deepEqual(mergedInto(store), [null, null, null]);
  });
});

test('what was taken back can be made again until another edit is made; then that one can', () => {
  withStore((store) => {
    threeImages(store);
    const exclude = (imageId: number) =>
      store.edits.apply({ ...HEAD, kind: 'exclude' }, [{ imageId, excluded: true }]).id;
    const redoable = () => store.edits.list().flatMap(({ id, redoable: can }) => (can ? id : []));
    for (const id of [1, 2, 3]) exclude(id);
    store.edits.undo(LATER);
    store.edits.undo(LATER);
    assert.deepEqual(redoable(), [2, 3]);
    store.edits.redo();
    assert.deepEqual(redoable(), [3]);
    store.edits.undo(LATER);
    exclude(3);
    assert.deepEqual([redoable(), store.edits.redo()], [[], undefined]);
    store.edits.undo(LATER);
    assert.equal(store.edits.redo()?.id, 4);
    assert.deepEqual(view(store), { a: ['bird', null, true], b: ['bird', 'test', false], c: ['bird', null, true] });
    // An edit that fails leaves everything as it was.
    store.edits.undo(LATER);
    assert.throws(() => exclude(99));
    assert.deepEqual(redoable(), [4]);
  });
});

test('a merge is made again', () => {
  withStore((store) => {
    threeImages(store);
    store.edits.merge(HEAD, [1, 2], 3);
    const merged = store.classes.list();
    store.edits.undo(LATER);
    assert.notDeepEqual(store.classes.list(), merged);
    store.edits.redo();
    assert.deepEqual(store.classes.list(), merged);
  });
});
