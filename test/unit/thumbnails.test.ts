import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { UserError } from '../../core/base/errors.ts';
import { Thumbnails } from '../../core/data/thumbnails.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { patternPixels, quarterPixels, rgbBmp, rgbPng, turnedFile } from '../fixtures/images.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const imageOf = (bytes: Buffer) => ({ hash: sha256(bytes), path: 'cat/1.png' });
const refused = (code: string) => (error: unknown) => error instanceof UserError && error.code === code;
const never = (): Promise<Buffer> => Promise.reject(new Error('the file was read'));

test('upright, within the size, never enlarged', async () => {
  const cache = temporaryFolder();
  const make = async (bytes: Buffer, size: number) => {
    const file = await new Thumbnails(cache).get(imageOf(bytes), async () => bytes, { size });
    const { format, width, height } = await sharp(file).metadata();
    return { file, format, width, height };
  };
  const lying = await make(await turnedFile(quarterPixels(300, 200), 6, 'jpeg'), 90);
  assert.deepEqual({ ...lying, file: undefined }, { format: 'webp', width: 90, height: 60, file: undefined });
  const [red, green] = await sharp(lying.file).extract({ left: 5, top: 5, width: 1, height: 1 }).raw().toBuffer();
  assert.ok(red > 180 && green < 80, 'the red quarter is at the top left');
  const small = await make(rgbPng(patternPixels(28, 20)), 90);
  assert.deepEqual([small.width, small.height], [28, 20]);
  const bmp = await make(rgbBmp(patternPixels(60, 30)), 20);
  assert.deepEqual([bmp.width, bmp.height], [20, 10]);
});

test('made once for each content and size', async () => {
  const cache = temporaryFolder();
  const bytes = rgbPng(patternPixels(40, 40));
  const made = await new Thumbnails(cache).get(imageOf(bytes), async () => bytes, { size: 16 });
  assert.deepEqual(await new Thumbnails(cache).get(imageOf(bytes), never, { size: 16 }), made);
  await assert.rejects(new Thumbnails(cache).get(imageOf(bytes), never, { size: 24 }), /the file was read/);
  assert.deepEqual(readdirSync(join(cache, 'thumbnails')), ['16']);
});

test('a picture that is asked for many times at once is read once, and few pictures are read at once', async () => {
  const thumbnails = new Thumbnails(temporaryFolder());
  const pictures = Array.from({ length: 60 }, (_, seed) => rgbPng(patternPixels(20, 20, seed)));
  let reading = 0;
  let most = 0;
  let reads = 0;
  const read = async (bytes: Buffer): Promise<Buffer> => {
    reads += 1;
    most = Math.max(most, ++reading);
    await turn();
    reading -= 1;
    return bytes;
  };
  const ask = (bytes: Buffer) => thumbnails.get(imageOf(bytes), () => read(bytes), { size: 8 });
  const made = await Promise.all([...pictures, ...pictures].map(ask));
  assert.deepEqual(made.slice(0, 60), made.slice(60));
  assert.equal(reads, 60);
  assert.ok(most <= 4 * availableParallelism(), `${most} were read at once`);
});

test('after a failure the next one who asks tries again', async () => {
  const thumbnails = new Thumbnails(temporaryFolder());
  const bytes = rgbPng(patternPixels(20, 20));
  await assert.rejects(thumbnails.get(imageOf(bytes), never, { size: 8 }), /the file was read/);
  assert.ok((await thumbnails.get(imageOf(bytes), async () => bytes, { size: 8 })).length > 0);
});

test('a part of a thumbnail is made anew', async () => {
  const cache = temporaryFolder();
  const bytes = rgbPng(patternPixels(40, 40));
  const image = imageOf(bytes);
  const made = await new Thumbnails(cache).get(image, async () => bytes, { size: 16 });
  const path = join(cache, 'thumbnails', '16', image.hash.slice(0, 2), `${image.hash.slice(2)}.webp`);
  for (const length of [0, 10, made.length - 1]) {
    truncateSync(path, length);
    assert.deepEqual(await new Thumbnails(cache).get(image, async () => bytes, { size: 16 }), made);
    assert.deepEqual(readFileSync(path), made);
  }
});

test('other content than was imported, or none that can be decoded, is refused and not kept', async () => {
  const cache = temporaryFolder();
  const bytes = rgbPng(patternPixels(40, 40));
  const other = rgbPng(patternPixels(40, 40, 1));
  await assert.rejects(
    new Thumbnails(cache).get(imageOf(bytes), async () => other, { size: 16 }),
    refused('changed'),
  );
  const cut = bytes.subarray(0, 70);
  await assert.rejects(
    new Thumbnails(cache).get(imageOf(cut), async () => cut, { size: 16 }),
    refused('damaged'),
  );
  assert.throws(() => readdirSync(join(cache, 'thumbnails')), { code: 'ENOENT' });
});
