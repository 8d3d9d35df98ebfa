import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { UserError } from '../../core/base/errors.ts';
import { BlobStore, sha256 } from '../../core/storage/blob-store.ts';
import { countingFs, failures } from '../fixtures/faulty-fs.ts';
import { powerLosses, writeDisk } from '../fixtures/power-loss.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const BYTES = Buffer.from('some bytes of a project');
const ID = '4c4c1c9ba4d4d3dbfe8d5d0d5a1d6d7a6f6e8e7d5a5b5c5d5e5f5a5b5c5d5e5f';

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof UserError ? error.code : String(error);
  }
  return undefined;
}

/** All files under a folder, as paths inside it. */
function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

test('the name of bytes is their SHA-256', () => {
  // FIPS 180-2, appendix B.1.
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(sha256(Buffer.from('abc')), sha256('abc'));
});

test('keeps bytes under their name and gives them back', () => {
  const folder = temporaryFolder();
  const id = new BlobStore(folder).put(BYTES);
  assert.equal(id, sha256(BYTES));
  const store = new BlobStore(folder);
  assert.ok(store.has(id));
  assert.deepEqual(store.get(id), BYTES);
  assert.deepEqual(filesUnder(folder), [join(id.slice(0, 2), id.slice(2))]);
});

test('keeps no bytes, too', () => {
  const store = new BlobStore(temporaryFolder());
  assert.equal(store.get(store.put(new Uint8Array(0))).length, 0);
});

test('bytes that are there already are not written again', () => {
  const { fs, calls } = countingFs();
  const store = new BlobStore(temporaryFolder(), fs);
  store.put(BYTES);
  const before = calls.length;
  store.put(BYTES);
  assert.equal(calls.length, before);
});

test('a name is 64 hex digits, so that it cannot lead out of the folder', () => {
  const store = new BlobStore(temporaryFolder());
  for (const id of ['', '../../etc/passwd', sha256('x').toUpperCase(), `${sha256('x')}/..`]) {
    assert.throws(() => store.path(id), /not a blob id/);
  }
});

test('bytes that are not there, or are not what their name says, are refused', () => {
  const store = new BlobStore(temporaryFolder());
  assert.ok(!store.has(ID));
  assert.equal(
    codeOf(() => store.get(ID)),
    'not-found',
  );
  const id = store.put(BYTES);
  writeFileSync(store.path(id), BYTES.toReversed());
  assert.equal(
    codeOf(() => store.get(id)),
    'damaged',
  );
});

test('a file that was cut short is made whole by the next put', () => {
  const store = new BlobStore(temporaryFolder());
  const id = store.put(BYTES);
  truncateSync(store.path(id), 3);
  store.put(BYTES);
  assert.deepEqual(store.get(id), BYTES);
});

test('a folder in the place of a blob is no blob', () => {
  const store = new BlobStore(temporaryFolder());
  mkdirSync(store.path(ID), { recursive: true });
  assert.ok(!store.has(ID));
});

test(
  'a file that may not be read is named with its reason',
  { skip: process.getuid?.() === 0 && 'root reads all' },
  () => {
    const store = new BlobStore(temporaryFolder());
    const id = store.put(BYTES);
    chmodSync(store.path(id), 0);
    assert.equal(
      codeOf(() => store.get(id)),
      'no-permission',
    );
  },
);

test('a failure of any call leaves the whole blob or none, and no temporary file', () => {
  let failed = 0;
  for (const { at, call, error, folder } of failures(temporaryFolder, (fs, inside) => {
    new BlobStore(inside, fs).put(BYTES);
  })) {
    failed++;
    const where = `call ${at}, ${call.name}`;
    assert.ok(error, where);
    const store = new BlobStore(folder);
    if (store.has(sha256(BYTES))) assert.deepEqual(store.get(sha256(BYTES)), BYTES, where);
    else assert.deepEqual(filesUnder(folder), [], where);
    assert.ok(filesUnder(folder).length <= 1, where);
  }
  assert.ok(failed > 10, `only ${failed} calls`);
});

test('a power loss before any call leaves the whole blob or none; after the last, the blob', () => {
  let kept = 0;
  for (const { at, finished, disk } of powerLosses(temporaryFolder, (fs, inside) => {
    new BlobStore(join(inside, 'blobs'), fs).put(BYTES);
  })) {
    const folder = temporaryFolder();
    writeDisk(disk, folder);
    const store = new BlobStore(join(folder, 'blobs'));
    if (finished || store.has(sha256(BYTES))) {
      assert.deepEqual(store.get(sha256(BYTES)), BYTES, `call ${at}`);
      kept++;
    }
    store.removeLeftovers();
    assert.ok(filesUnder(folder).length <= 1, `call ${at}`);
  }
  assert.ok(kept > 0);
});

test('processes that put the same bytes at the same time all succeed', async () => {
  const folder = temporaryFolder();
  const module = new URL('../../core/storage/blob-store.ts', import.meta.url).href;
  const program = `
    const { BlobStore } = await import(${JSON.stringify(module)});
    const store = new BlobStore(${JSON.stringify(folder)});
    for (let i = 0; i < 40; i++) store.get(store.put(Buffer.alloc(20_000, i)));`;
  const run = promisify(execFile);
  await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, ['--input-type=module', '--eval', program])));
  const files = filesUnder(folder);
  assert.equal(files.length, 40);
  assert.ok(files.every((file) => statSync(join(folder, file)).size === 20_000));
  assert.ok(files.every((file) => dirname(file).length === 2));
});
