import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { NearScan } from '../../core/storage/records.ts';
import { addImage, AT, withStore } from './support.ts';

const SCAN: NearScan = {
  descriptor: 'pixels',
  floor: 0.7,
  threshold: 0.8,
  unreadable: 0,
  seconds: 2,
  createdAt: AT,
};

test('a look replaces the one before; links and members are those of the threshold, with what is usable now', () => {
  withStore((store) => {
    assert.equal(store.near.scan(), undefined);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => sha256(name));
    store.near.replace(SCAN, [b], []);
    const links = [
      { a: b, b: a, cosine: 0.9 },
      { a, b: c, cosine: 0.75 },
    ];
    store.near.replace({ ...SCAN, descriptor: 'resnet18' }, [a, b, c], links);
    assert.equal(store.near.scan()?.descriptor, 'resnet18');
    store.near.setThreshold(0.7);
    assert.equal(store.near.scan()?.threshold, 0.7);
    assert.deepEqual(store.near.links(0.7), [{ a, b, cosine: 0.9 }, links[1]]);
    assert.deepEqual(store.near.links(0.8), [{ a, b, cosine: 0.9 }]);

    const ids = [a, b, b, c, sha256('new')].map((hash, i) => addImage(store, `${i}.png`, { hash }).id);
    store.images.setState([ids[1]], 'missing');
    const { id: into } = store.classes.ensure('both');
    const { classId } = store.images.get(ids[0])!;
    store.edits.merge({ params: {}, author: 'ann', at: AT }, [classId], into);
    assert.deepEqual(store.near.members(0.8), [
      { hash: a, id: ids[0], classId: into, split: 'train' },
      { hash: b, id: ids[2], classId: into, split: 'train' },
    ]);
    assert.deepEqual(
      store.near.members(0.7).map(({ id }) => id),
      [ids[0], ids[2], ids[3]],
    );
    assert.deepEqual(store.near.counts(), { seen: 3, unseen: 1 });
  });
});
