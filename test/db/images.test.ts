import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import { AT, addImage, addSource, newImage, newMask, withStore } from './support.ts';

const paths = (images: Iterable<{ path: string }>) => Array.from(images, ({ path }) => path);

test('an image comes back as it was found, unedited and usable', () => {
  withStore((store) => {
    const found = newImage(store, 'bird/1.jpg', { mtimeMs: 0.125, orientation: 6, foundSplit: 'test', size: 2 ** 40 });
    store.images.upsert([found]);
    const image = store.images.get(1);
    assert.deepEqual(image, {
      id: 1,
      ...found,
      classId: found.foundClassId,
      split: 'test',
      excluded: false,
      state: 'ok',
    });
    assert.deepEqual(store.images.byPath(found.sourceId, 'bird/1.jpg'), image);
    assert.equal(store.images.get(2), undefined);
    assert.equal(store.images.byPath(found.sourceId, 'BIRD/1.jpg'), undefined);
  });
});

test('the same path is the same image; another source or other bytes of a name make another', () => {
  withStore((store) => {
    const other = addSource(store, '/elsewhere').id;
    const source = addSource(store).id;
    const lossy = 'bird/\ufffd.png';
    store.images.upsert([
      newImage(store, lossy, { sourceId: source }),
      newImage(store, lossy, { sourceId: source, pathBytes: Uint8Array.of(0x62, 0xe9) }),
      newImage(store, lossy, { sourceId: source, pathBytes: Uint8Array.of(0x62, 0xea) }),
      newImage(store, lossy, { sourceId: other }),
    ]);
    store.images.upsert([newImage(store, lossy, { sourceId: source, pathBytes: Uint8Array.of(0x62, 0xea), size: 99 })]);
    const all = [...store.images.iterate()];
    assert.deepEqual(
      all.map(({ size }) => size),
      [10, 10, 99, 10],
    );
    assert.equal(store.images.byPath(source, lossy, Uint8Array.of(0x62, 0xea))?.id, 3);
    assert.equal(store.images.byPath(source, lossy, null)?.id, 1);
    assert.deepEqual(Uint8Array.from(all[1].pathBytes!), Uint8Array.of(0x62, 0xe9));
  });
});

test('names are kept to the code point, composed or not, in one case or the other', () => {
  withStore((store) => {
    const names = ['é.png', 'e\u0301.png', 'É.png', '𝒳.png', "it's.png", 'a\nb.png'];
    store.images.upsert(names.map((name) => newImage(store, name)));
    assert.deepEqual(paths(store.images.iterate()), names);
  });
});

test('an image that is found again follows the file and keeps its id', () => {
  withStore((store) => {
    const image = addImage(store, 'bird/1.png');
    store.images.setState([image.id], 'missing');
    const wren = store.classes.ensure('wren').id;
    const again = addImage(store, 'bird/1.png', {
      size: 11,
      hash: sha256('new'),
      foundClassId: wren,
      foundSplit: 'val',
    });
    assert.deepEqual(again, {
      ...image,
      size: 11,
      hash: sha256('new'),
      foundClassId: wren,
      foundSplit: 'val',
      classId: wren,
      split: 'val',
      state: 'ok',
    });
  });
});

test('an image that is found again just as it was is usable again', () => {
  withStore((store) => {
    const image = addImage(store, 'bird/1.png');
    store.images.setState([image.id], 'changed');
    assert.deepEqual(addImage(store, 'bird/1.png'), image);
  });
});

test('a decided context is open again when its image has another content, and only then', () => {
  withStore((store) => {
    const images = ['1', '2', '3'].map((name) => addImage(store, name));
    const [first, second] = images.map(({ id: imageId }) => {
      const mask = store.masks.add(newMask(imageId));
      return store.contexts.add({ imageId, maskId: mask.id, probability: 0.5, createdAt: AT }, 'ann');
    });
    store.contexts.setState(first.id, 'accepted', 'ann', AT);
    store.contexts.setState(second.id, 'accepted', 'ann', AT);
    addImage(store, '1', { hash: sha256('another picture') });
    addImage(store, '2', { size: 99 });
    addImage(store, '3', { hash: sha256('undecided contexts have no event') });
    assert.equal(store.contexts.get(first.id)?.state, 'undecided');
    assert.equal(store.contexts.get(second.id)?.state, 'accepted');
    const { action, author, maskId } = store.contexts.history(first.id).at(-1)!;
    assert.deepEqual([action, author, maskId], ['undecided', 'import', first.maskId]);
    assert.equal(store.contexts.history(3).length, 1);
  });
});

test('adding images is all or nothing', () => {
  withStore((store) => {
    const wrong = newImage(store, '2', { foundClassId: 99 });
    assert.throws(() => store.images.upsert([newImage(store, '1'), wrong]), /FOREIGN KEY/);
    assert.deepEqual([...store.images.iterate()], []);
  });
});

test('setting the state of an image that is not there is a defect, and nothing is set', () => {
  withStore((store) => {
    const { id } = addImage(store, '1');
    assert.throws(() => store.images.setState([id, 99], 'missing'), /no such row/);
    assert.equal(store.images.get(id)?.state, 'ok');
  });
});

/** Images of three classes in two sources, with every split and state. */
function variedImages(store: ProjectStore): void {
  const sources = [addSource(store, '/a').id, addSource(store, '/b').id];
  const classes = ['bird', 'wren', 'owl'].map((name) => store.classes.ensure(name).id);
  const splits = ['train', 'val', 'test', null] as const;
  store.images.upsert(
    Array.from({ length: 48 }, (_, i) =>
      newImage(store, `${i}`, {
        sourceId: sources[i % 2],
        foundClassId: classes[i % 3],
        foundSplit: splits[Math.floor(i / 6) % 4],
      }),
    ),
  );
  store.images.setState([1, 8, 15], 'missing');
  store.images.setState([2, 30], 'changed');
  const excluded = [1, 3, 17, 40].map((imageId) => ({ imageId, excluded: true }));
  store.edits.apply({ kind: 'exclude', params: {}, author: 'ann', at: AT }, excluded);
}

test('every filter gives what a look at all images gives', () => {
  withStore((store) => {
    variedImages(store);
    const all = [...store.images.iterate()];
    assert.equal(all.length, 48);
    const fields = {
      sourceId: [undefined, 1, 2, 99],
      classId: [undefined, 1, 2, 99],
      split: [undefined, 'train', null] as const,
      state: [undefined, 'ok', 'missing'] as const,
      excluded: [undefined, true, false],
    };
    for (const sourceId of fields.sourceId) {
      for (const classId of fields.classId) {
        for (const split of fields.split) {
          for (const state of fields.state) {
            for (const excluded of fields.excluded) {
              const filter = { sourceId, classId, split, state, excluded };
              const expected = all.filter((image) =>
                Object.entries(filter).every(
                  ([field, value]) =>
                    value === undefined || Object.entries(image).some(([k, v]) => k === field && v === value),
                ),
              );
              // exactOptionalPropertyTypes is off: a field may be given as undefined.
              assert.deepEqual([...store.images.iterate(filter)], expected, JSON.stringify(filter));
            }
          }
        }
      }
    }
  });
});

test('a class stands for all that was merged into it, and a merged one for none', () => {
  withStore((store) => {
    variedImages(store);
    const edit = { params: {}, author: 'ann', at: AT };
    store.edits.merge(edit, [2], 1);
    store.edits.merge(edit, [1], 3);
    assert.equal([...store.images.iterate({ classId: 3 })].length, 48);
    assert.equal([...store.images.iterate({ classId: 3, split: null })].length, 12);
    assert.deepEqual([...store.images.iterate({ classId: 1 })], []);
    assert.deepEqual([...store.images.iterate({ classId: 2 })], []);
    assert.deepEqual(new Set(Array.from(store.images.iterate(), ({ classId }) => classId)), new Set([1, 2, 3]));
  });
});

test('paging by the last id and a limit gives all images once', () => {
  withStore((store) => {
    variedImages(store);
    const ids: number[] = [];
    for (;;) {
      const page = [...store.images.iterate({ excluded: false, afterId: ids.at(-1), limit: 7 })];
      ids.push(...page.map(({ id }) => id));
      if (page.length < 7) break;
    }
    assert.deepEqual(
      ids,
      [...store.images.iterate({ excluded: false })].map(({ id }) => id),
    );
    assert.deepEqual([...store.images.iterate({ limit: 0 })], []);
  });
});

test('limits around the size of a page are kept', () => {
  withStore((store) => {
    store.images.upsert(Array.from({ length: 2500 }, (_, i) => newImage(store, `${i}`)));
    for (const limit of [999, 1000, 1001, 2000, 2499, 2500, 2501]) {
      const ids = Array.from(store.images.iterate({ limit }), ({ id }) => id);
      assert.deepEqual(
        ids,
        Array.from({ length: Math.min(limit, 2500) }, (_, i) => i + 1),
      );
    }
  });
});

test('the store may be written to while images are iterated', () => {
  withStore((store) => {
    store.images.upsert(Array.from({ length: 2500 }, (_, i) => newImage(store, `${i}`)));
    let seen = 0;
    for (const image of store.images.iterate({ state: 'ok' })) {
      store.images.setState([image.id], 'missing');
      if (image.id === 1) store.images.upsert([newImage(store, 'late')]);
      if (++seen > 3000) break;
    }
    assert.equal(seen, 2501);
    assert.deepEqual([...store.images.iterate({ state: 'ok' })], []);
  });
});

test('counts are those of a look at all images, merges applied', () => {
  withStore((store) => {
    variedImages(store);
    store.edits.merge({ params: {}, author: 'ann', at: AT }, [2], 1);
    const expected = new Map<string, number>();
    for (const image of store.images.iterate()) {
      const classId = image.classId === 2 ? 1 : image.classId;
      const key = JSON.stringify([classId, image.split, image.excluded, image.state]);
      expected.set(key, (expected.get(key) ?? 0) + 1);
    }
    const counts = store.images.counts();
    assert.deepEqual(
      new Map(counts.map((row) => [JSON.stringify([row.classId, row.split, row.excluded, row.state]), row.count])),
      expected,
    );
    assert.equal(counts.length, expected.size);
  });
});

test('an empty project has no counts and no duplicates', () => {
  withStore((store) => {
    store.classes.ensure('bird');
    assert.deepEqual(store.images.counts(), []);
    assert.deepEqual(store.images.duplicateGroups(), []);
  });
});

test('duplicates are usable images of one content', () => {
  withStore((store) => {
    const contents = ['x', 'y', 'x', 'z', 'y', 'x', 'w', 'w', 'v', 'v'];
    store.images.upsert(contents.map((content, i) => newImage(store, `${i}`, { hash: sha256(content) })));
    store.images.setState([7], 'missing');
    store.edits.apply({ kind: 'exclude', params: {}, author: 'ann', at: AT }, [{ imageId: 9, excluded: true }]);
    const groups = [
      { hash: sha256('x'), imageIds: [1, 3, 6] },
      { hash: sha256('y'), imageIds: [2, 5] },
    ];
    assert.deepEqual(
      store.images.duplicateGroups(),
      groups.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)),
    );
  });
});

test('a split in force: what the import found there, what an edit put there, what edits took out', () => {
  withStore((store) => {
    const images = ['a', 'b', 'c', 'd', 'e'].map((name, i) =>
      addImage(store, `${name}.png`, { foundSplit: i < 3 ? 'test' : 'train' }),
    );
    const [a, b, , d] = images.map(({ id }) => id);
    const by = { author: 'Ada', at: AT };
    store.edits.apply({ kind: 'split', params: { val: 0, test: 1, seed: 1 }, ...by }, [{ imageId: d, split: 'test' }]);
    store.edits.apply({ kind: 'exclude', params: { reason: '' }, ...by }, [{ imageId: a, excluded: true }]);
    assert.deepEqual(store.images.splitOrigins('test'), { usable: 3, found: 2, excluded: 1 });
    store.images.setState([b], 'missing');
    assert.deepEqual(store.images.splitOrigins('test'), { usable: 2, found: 1, excluded: 1 });
    assert.deepEqual(store.images.splitOrigins('val'), { usable: 0, found: 0, excluded: 0 });
  });
});
