import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { BlobStore, sha256 } from '../../core/storage/blob-store.ts';
import { countingFs, failAt } from '../fixtures/faulty-fs.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const blob = (i: number): Buffer => Buffer.from(`blob ${i} `.repeat(1 + (i % 5)));
const many = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => blob(i));

function packsOf({ folder }: BlobStore): string[] {
  return readdirSync(join(folder, 'packs'));
}

test('many blobs are one file, and every store of the folder gives them back', () => {
  const folder = temporaryFolder();
  const other = new BlobStore(folder);
  assert.equal(other.has(sha256(blob(3))), false);
  const store = new BlobStore(folder);
  const ids = store.putAll(many(300));
  assert.deepEqual(ids, many(300).map(sha256));
  assert.equal(packsOf(store).length, 1);
  assert.deepEqual(readdirSync(folder), ['packs'], 'nothing is left over');
  for (const reader of [store, other, new BlobStore(folder)]) {
    for (const [i, id] of ids.entries()) {
      assert.ok(reader.has(id));
      assert.deepEqual(reader.get(id), blob(i));
    }
  }
});

test('what is there already is not written again, in whichever form', () => {
  const store = new BlobStore(temporaryFolder());
  const alone = store.put(blob(0));
  const ids = store.putAll(many(3));
  assert.equal(ids[0], alone);
  store.putAll(many(3));
  new BlobStore(store.folder).putAll([...many(3), blob(1)]);
  assert.equal(packsOf(store).length, 1);
  const [text] = packsOf(store).map((name) => readFileSync(join(store.folder, 'packs', name), 'latin1'));
  assert.ok(!text.includes(alone) && text.includes(ids[1]));
  assert.deepEqual(store.putAll([]), []);
  // One alone has a file of its own.
  const [fourth] = store.putAll([...many(3), blob(4)]).slice(3);
  assert.deepEqual(readFileSync(store.path(fourth)), blob(4));
});

test('a pack whose bytes have changed is told, not given', () => {
  const store = new BlobStore(temporaryFolder());
  const ids = store.putAll(many(3));
  const pack = join(store.folder, 'packs', packsOf(store)[0]);
  const bytes = readFileSync(pack);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(pack, bytes);
  assert.deepEqual(store.get(ids[0]), blob(0));
  assert.throws(() => store.get(ids[2]), { code: 'damaged' });
  assert.throws(() => store.get(sha256('never put')), { code: 'not-found' });
});

test('whatever call fails, there is the whole pack or none, and the next try makes it', () => {
  const { fs, calls } = countingFs();
  new BlobStore(temporaryFolder(), fs).putAll(many(4));
  assert.ok(calls.length > 5);
  for (let n = 1; n <= calls.length; n++) {
    const folder = temporaryFolder();
    const broken = new BlobStore(folder, failAt(n).fs);
    try {
      broken.putAll(many(4));
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
    const store = new BlobStore(folder);
    const there = many(4).filter((bytes) => store.has(sha256(bytes))).length;
    assert.ok(there === 0 || there === 4);
    for (const id of store.putAll(many(4))) assert.equal(sha256(store.get(id)), id);
  }
});
