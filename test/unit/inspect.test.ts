import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { looksComplete } from '../../core/data/completeness.ts';
import { otherFormat, sniffFormat, type ImageFormat } from '../../core/data/formats.ts';
import { endingMisleads, inspectImage } from '../../core/data/inspect.ts';
import {
  animation,
  encoded,
  EXIF_ORIENTATIONS,
  patternPixels,
  rgbBmp,
  rgbPng,
  tiffPages,
  turnedFile,
} from '../fixtures/images.ts';
import sharp from 'sharp';

const pixels = patternPixels(60, 40);

async function everyFormat(): Promise<Record<ImageFormat, Buffer>> {
  return {
    jpeg: await encoded(pixels, 'jpeg'),
    png: rgbPng(pixels),
    webp: await encoded(pixels, 'webp'),
    gif: await encoded(pixels, 'gif'),
    tiff: tiffPages([pixels]),
    bmp: rgbBmp(pixels),
  };
}

const isDamaged = (error: unknown): boolean => error instanceof UserError && error.code === 'damaged';

test('format, size and frames come from the header', async () => {
  for (const [format, bytes] of Object.entries(await everyFormat())) {
    const sniffed = sniffFormat(bytes);
    assert.equal(sniffed, format);
    const facts = await inspectImage(bytes, sniffed);
    assert.deepEqual(facts, { format, width: 60, height: 40, orientation: 1, frames: 1, plainDepth: true });
  }
  const frames = [1, 2, 3, 4].map((seed) => patternPixels(12, 9, seed));
  for (const format of ['gif', 'webp'] as const) {
    const facts = await inspectImage(await animation(format, frames), format);
    assert.deepEqual(facts, { format, width: 12, height: 9, orientation: 1, frames: 4, plainDepth: true });
  }
  const pages = await inspectImage(tiffPages([pixels, patternPixels(5, 6)]), 'tiff');
  assert.deepEqual(pages, { format: 'tiff', width: 60, height: 40, orientation: 1, frames: 2, plainDepth: true });
});

test('the size is the upright one', async () => {
  for (const orientation of EXIF_ORIENTATIONS) {
    for (const format of ['jpeg', 'png', 'tiff'] as const) {
      const facts = await inspectImage(await turnedFile(pixels, orientation, format), format);
      assert.deepEqual(facts, { format, width: 60, height: 40, orientation, frames: 1, plainDepth: true });
    }
  }
});

test('a picture of 32 bits a value is told apart', async () => {
  assert.ok((await inspectImage(tiffPages([pixels]), 'tiff')).plainDepth);
  const deep = tiffPages([{ width: 4, height: 3, data: new Uint8Array(4 * 3 * 3 * 4) }]);
  // The bits of each value stand behind the first directory.
  const bits = 8 + 2 + 12 * 9 + 4;
  for (let channel = 0; channel < 3; channel++) deep.writeUInt16LE(32, bits + 2 * channel);
  assert.ok(!(await inspectImage(deep, 'tiff')).plainDepth);
});

test('a complete file looks complete', async () => {
  for (const [format, bytes] of Object.entries(await everyFormat())) {
    assert.ok(looksComplete(sniffFormat(bytes)!, bytes), format);
  }
  const { width, height, data } = pixels;
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const progressive = await image.clone().jpeg({ progressive: true }).withMetadata({ orientation: 3 }).toBuffer();
  assert.ok(looksComplete('jpeg', progressive));
  for (const options of [
    { compression: 'lzw' },
    { compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 },
    { compression: 'none', bigtiff: true },
  ] as const) {
    const file = await image.clone().tiff(options).toBuffer();
    // Big TIFF is left to the decoder, which inspectImage asks.
    if (!('bigtiff' in options)) assert.ok(looksComplete('tiff', file), JSON.stringify(options));
    await inspectImage(file, 'tiff');
  }
});

test('what follows the end of a picture does not matter', async () => {
  const { jpeg, png } = await everyFormat();
  const film = Buffer.alloc(5000, 0xff);
  assert.ok(looksComplete('jpeg', Buffer.concat([jpeg, film])));
  assert.ok(looksComplete('png', Buffer.concat([png, film])));
});

test('a file that is cut anywhere is found out without fail', async () => {
  for (const [name, bytes] of Object.entries(await everyFormat())) {
    const format = sniffFormat(bytes)!;
    for (const share of [0.02, 0.1, 0.5, 0.9, 0.99]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * share));
      await assert.rejects(inspectImage(cut, format), isDamaged, `${name} cut at ${share}`);
    }
  }
});

test('a flipped bit in a PNG is found out', async () => {
  const png = Buffer.from(rgbPng(pixels));
  png[png.length >> 1] ^= 4;
  assert.ok(!looksComplete('png', png));
  await assert.rejects(inspectImage(png, 'png'), isDamaged);
});

test('a header that lies about the size is found out', async () => {
  const bmp = rgbBmp(pixels);
  bmp.writeInt32LE(4000, 22);
  await assert.rejects(inspectImage(bmp, 'bmp'), isDamaged);
  bmp.writeInt32LE(0, 22);
  await assert.rejects(inspectImage(bmp, 'bmp'), /size is zero/);
});

test('pictures of too many pixels are refused before any is decoded', async () => {
  const bmp = rgbBmp(pixels);
  bmp.writeInt32LE(100_000, 18);
  bmp.writeInt32LE(100_000, 22);
  await assert.rejects(inspectImage(bmp, 'bmp'), /100000 x 100000 pixels are too many/);
});

test('a photo of 20 megapixels is looked at without decoding it', async () => {
  const background = { r: 90, g: 120, b: 60 };
  const photo = await sharp({ create: { width: 5472, height: 3648, channels: 3, background } })
    .jpeg()
    .toBuffer();
  const facts = await inspectImage(photo, 'jpeg');
  assert.deepEqual(facts, { format: 'jpeg', width: 5472, height: 3648, orientation: 1, frames: 1, plainDepth: true });
});

test('first bytes of other things', () => {
  for (const text of ['', 'B', 'BM', 'hello world, this is text', '%PDF-1.7', 'GIF', '\xff\xd8']) {
    assert.equal(sniffFormat(Buffer.from(text, 'latin1')), undefined, text);
  }
  assert.equal(otherFormat(Buffer.from('\0\0\0\x18ftypheic', 'latin1')), 'HEIC');
  assert.equal(otherFormat(Buffer.from('\0\0\0\x18ftypavif', 'latin1')), 'AVIF');
  assert.equal(otherFormat(Buffer.from('<svg xmlns=')), 'SVG');
  assert.equal(otherFormat(Buffer.from('hello')), undefined);
});

test('an ending that misleads', () => {
  assert.ok(!endingMisleads('a/b.JPG', 'jpeg'));
  assert.ok(!endingMisleads('a/b', 'png'));
  assert.ok(endingMisleads('a/b.jpg', 'png'));
  assert.ok(endingMisleads('a/b.txt', 'png'));
});
