import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuplicates, findNear } from '../../core/services/duplicates.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { addImage, AT, withStore } from './support.ts';

test('groups of duplicates are kept until something is written, or taken back', () => {
  withStore((store) => {
    const [a, b] = [sha256('a'), sha256('b')];
    const ids = [a, a, b, b].map((hash, i) => addImage(store, `${i}.png`, { hash }).id);
    const both = findDuplicates(store);
    assert.equal(both.surplus, 2);
    assert.equal(findDuplicates(store), both, 'nothing is made again');

    store.images.setState([ids[0]], 'missing');
    assert.equal(findDuplicates(store).surplus, 1);
    const undone = new Error('taken back');
    assert.throws(
      () =>
        store.transaction(() => {
          store.images.setState([ids[2]], 'missing');
          assert.equal(findDuplicates(store).surplus, 0);
          throw undone;
        }),
      undone,
    );
    assert.equal(findDuplicates(store).surplus, 1);

    assert.equal(findNear(store), null);
    const scan = { descriptor: 'pixels', floor: 0.7, threshold: 0.8, unreadable: 0, seconds: 2, createdAt: AT };
    store.near.replace(scan, [a, b], [{ a, b, cosine: 0.75 }]);
    assert.equal(findNear(store)?.groups.length, 0);
    store.near.setThreshold(0.7);
    const near = findNear(store);
    assert.equal(near?.groups.length, 1);
    assert.equal(findNear(store), near);
  });
});
