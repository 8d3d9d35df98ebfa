import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import type { Progress } from '../../core/base/progress.ts';
import { decodeRgb } from '../../core/data/decode.ts';
import { openPacked, type PackPort } from '../../core/data/packed.ts';
import { prunePacks } from '../../core/data/prune-packs.ts';
import type { DatasetSnapshot } from '../../core/data/snapshot.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { patternPixels, rgbPng } from '../fixtures/images.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

interface Picture {
  width: number;
  height: number;
}

/** A folder of pictures, each of its own content, and the snapshot of it. */
function pictures(sizes: readonly Picture[]): { root: string; snapshot: DatasetSnapshot; files: Buffer[] } {
  const root = temporaryFolder();
  mkdirSync(join(root, 'cat'));
  const files = sizes.map(({ width, height }, i) => rgbPng(patternPixels(width, height, i)));
  const images = files.map((bytes, i) => {
    const path = `cat/${i}.png`;
    writeFileSync(join(root, path), bytes);
    return {
      ...sizes[i],
      id: i + 1,
      root: 0,
      path,
      hash: sha256(bytes),
      size: bytes.length,
      orientation: 1,
      label: 0,
      split: 'train' as const,
    };
  });
  const roots = [{ kind: 'folder' as const, path: root }];
  return { root, files, snapshot: { version: 1, classes: ['cat'], classIds: [1], roots, images, evaluation: null } };
}

const all = (snapshot: DatasetSnapshot): number[] => snapshot.images.map((_, i) => i);
const squares = (count: number, side = 16): Picture[] =>
  Array.from({ length: count }, () => ({ width: side, height: side }));

/** A port that notes progress and cancels at the first sign of it, if asked to. */
function port(cancelAtOnce = false): PackPort & { events: Progress[] } {
  const abort = new AbortController();
  const events: Progress[] = [];
  const emit = (event: Progress): void => {
    events.push(event);
    if (cancelAtOnce) abort.abort();
  };
  return { emit, events, signal: abort.signal };
}

const packFile = (cache: string): string => {
  const [name, ...others] = readdirSync(join(cache, 'packed'));
  assert.deepEqual(others, []);
  return join(cache, 'packed', name);
};

const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && message.test(error.message);

test('pictures of the asked size are packed exactly as they are, in the order of the indices', async () => {
  const { snapshot } = pictures(squares(9));
  const packed = await openPacked(snapshot, Int32Array.of(7, 0, 3), { size: 16 }, temporaryFolder(), port());
  assert.deepEqual([packed.count, packed.size], [3, 16]);
  for (const [at, seed] of [7, 0, 3].entries()) {
    assert.deepEqual(packed.read(at), patternPixels(16, 16, seed).data);
    const out = new Uint8Array(16 * 16 * 3);
    assert.equal(packed.read(at, out), out);
    assert.deepEqual(out, patternPixels(16, 16, seed).data);
  }
  packed.close();
});

test('other pictures are brought to size as decodeRgb does', async () => {
  const { snapshot, files } = pictures([
    { width: 50, height: 20 },
    { width: 9, height: 31 },
    { width: 24, height: 24 },
  ]);
  const packed = await openPacked(snapshot, all(snapshot), { size: 24 }, temporaryFolder(), port());
  for (const [i, file] of files.entries()) {
    const expected = await decodeRgb(file, { width: 24, height: 24, fit: 'cover' });
    assert.deepEqual(Buffer.from(packed.read(i)), Buffer.from(expected));
  }
});

test('from disk and from memory give the same', async () => {
  const { snapshot } = pictures(squares(5));
  const cache = temporaryFolder();
  const memory = await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port());
  const disk = await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port(), { inMemory: 0 });
  for (let i = 0; i < 5; i++) assert.deepEqual(Buffer.from(disk.read(i)), Buffer.from(memory.read(i)));
  disk.close();
});

test('a pack is kept: the files are not needed a second time, other content is not mixed up', async () => {
  const { snapshot, root } = pictures(squares(4));
  const cache = temporaryFolder();
  await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port());
  rmSync(root, { recursive: true });
  const again = port();
  const packed = await openPacked(snapshot, all(snapshot), { size: 16 }, cache, again);
  assert.deepEqual(packed.read(3), patternPixels(16, 16, 3).data);
  assert.deepEqual(again.events, []);
  await assert.rejects(openPacked(snapshot, all(snapshot), { size: 8 }, cache, port()), refused('not-found', /0\.png/));
  await assert.rejects(openPacked(snapshot, [0, 1], { size: 16 }, cache, port()), refused('not-found', /0\.png/));
});

test('a damaged pack is made anew, or refused while it is read from disk', async () => {
  const { snapshot } = pictures(squares(3));
  const cache = temporaryFolder();
  await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port());
  const file = packFile(cache);
  const bytes = readFileSync(file);
  bytes[bytes.length - 5] ^= 1;
  writeFileSync(file, bytes);
  const disk = await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port(), { inMemory: 0 });
  assert.deepEqual(Buffer.from(disk.read(0)), Buffer.from(patternPixels(16, 16, 0).data));
  assert.throws(() => disk.read(2), refused('damaged', /Delete it/));
  disk.close();
  const packed = await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port());
  assert.deepEqual(packed.read(2), patternPixels(16, 16, 2).data);
  for (const broken of [bytes.subarray(0, 30), bytes.subarray(0, 500), Buffer.alloc(bytes.length)]) {
    writeFileSync(file, broken);
    assert.deepEqual(
      (await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port())).read(1),
      patternPixels(16, 16, 1).data,
    );
  }
});

test('after a cancel it goes on where it was', async () => {
  const { snapshot, root } = pictures(squares(300, 24));
  const cache = temporaryFolder();
  await assert.rejects(
    openPacked(snapshot, all(snapshot), { size: 24 }, cache, port(true)),
    refused('cancelled', /cancelled/),
  );
  assert.match(packFile(cache), /\.part$/);
  // What is packed is not asked for again.
  rmSync(join(root, 'cat/0.png'));
  const packed = await openPacked(snapshot, all(snapshot), { size: 24 }, cache, port());
  for (const i of [0, 1, 150, 299]) assert.deepEqual(packed.read(i), patternPixels(24, 24, i).data);
  assert.match(packFile(cache), /\.rgb$/);
});

test('what a dead process left is taken over and checked, what a living one writes is left alone', async () => {
  const { snapshot } = pictures(squares(200, 24));
  const cache = temporaryFolder();
  await assert.rejects(openPacked(snapshot, all(snapshot), { size: 24 }, cache, port(true)), UserError);
  const mine = packFile(cache);
  const dead = mine.replace(/\d+\.part$/, `${2 ** 30}.part`);
  const living = mine.replace(/\d+\.part$/, `${process.ppid}.part`);
  const bytes = readFileSync(mine);
  // The first picture is marked as there, but its bytes never reached the disk.
  bytes.fill(0, 64 + 200 * 8, 64 + 200 * 8 + 24 * 24 * 3);
  writeFileSync(dead, bytes);
  renameSync(mine, living);
  const packed = await openPacked(snapshot, all(snapshot), { size: 24 }, cache, port());
  for (const i of [0, 1, 199]) assert.deepEqual(packed.read(i), patternPixels(24, 24, i).data);
  assert.deepEqual(
    readdirSync(join(cache, 'packed')).filter((name) => name.endsWith('.part')),
    [living.slice(living.lastIndexOf('/') + 1)],
  );
});

test('pictures that are not what was imported stop it, by name and number', async () => {
  const { snapshot, root } = pictures(squares(6));
  const pack = (): Promise<unknown> => openPacked(snapshot, all(snapshot), { size: 16 }, temporaryFolder(), port());
  const original = readFileSync(join(root, 'cat/2.png'));
  writeFileSync(join(root, 'cat/2.png'), rgbPng(patternPixels(16, 16, 77)));
  await assert.rejects(pack(), refused('changed', /1 picture is of no use among 6.*cat\/2\.png is not the file/));
  rmSync(join(root, 'cat/4.png'));
  writeFileSync(join(root, 'cat/2.png'), original);
  await assert.rejects(pack(), refused('not-found', /1 picture .*cat\/4\.png/));
  rmSync(root, { recursive: true });
  await assert.rejects(pack(), refused('not-found', /6 pictures are of no use among 6/));
});

test('a picture that cannot be decoded is named', async () => {
  const { snapshot, root } = pictures(squares(3));
  const broken = rgbPng(patternPixels(16, 16, 1)).subarray(0, 80);
  writeFileSync(join(root, 'cat/1.png'), broken);
  snapshot.images[1].hash = sha256(broken);
  await assert.rejects(
    openPacked(snapshot, all(snapshot), { size: 16 }, temporaryFolder(), port()),
    refused('damaged', /cat\/1\.png: .*Exclude/),
  );
});

test('no pictures at all are a pack of none', async () => {
  const { snapshot } = pictures(squares(1));
  const packed = await openPacked(snapshot, [], { size: 16 }, temporaryFolder(), port());
  assert.equal(packed.count, 0);
});

test('packs that nobody has opened for two weeks go, used and new ones stay', async () => {
  const { snapshot } = pictures(squares(3));
  const cache = temporaryFolder();
  assert.deepEqual(prunePacks(cache), []);
  await openPacked(snapshot, all(snapshot), { size: 16 }, cache, port());
  const old = packFile(cache);
  await openPacked(snapshot, all(snapshot), { size: 24 }, cache, port());
  const longAgo = new Date(Date.now() - 15 * 24 * 3600 * 1000);
  for (const name of readdirSync(join(cache, 'packed'))) utimesSync(join(cache, 'packed', name), longAgo, longAgo);
  const packed = await openPacked(snapshot, all(snapshot), { size: 24 }, cache, port());
  assert.deepEqual(prunePacks(cache), [basename(old)]);
  assert.deepEqual(packed.read(0).length, 24 * 24 * 3);
  assert.deepEqual(readdirSync(join(cache, 'packed')), [basename(packFile(cache))]);
});

test('pictures with a margin are a pack of their own', async () => {
  const { snapshot } = pictures([{ width: 64, height: 48 }]);
  const cache = temporaryFolder();
  await openPacked(snapshot, [0], { size: 24 }, cache, port());
  const packed = await openPacked(snapshot, [0], { size: 24, enlarge: 2 }, cache, port());
  // Twice 24 is its height: nothing is resized, the centre is cut out.
  const { data } = patternPixels(64, 48, 0);
  const expected = Array.from({ length: 24 }, (_, y) => [
    ...data.subarray(((y + 12) * 64 + 20) * 3, ((y + 12) * 64 + 44) * 3),
  ]);
  assert.deepEqual([...packed.read(0)], expected.flat());
});
