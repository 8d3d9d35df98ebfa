import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../core/base/errors.ts';
import { decodeGrey, decodeRgb, decodeUpright, encodeGrey, resizeGrey } from '../../core/data/decode.ts';
import {
  animation,
  bmpFile,
  encoded,
  EXIF_ORIENTATIONS,
  patternPixels,
  pngFile,
  quarterPixels,
  rgbBmp,
  rgbPng,
  tiffPages,
  turnedFile,
  type Pixels,
} from '../fixtures/images.ts';

const sameAs = ({ width, height, data }: Pixels) => ({ width, height, data: Buffer.from(data) });
const decoded = async (bytes: Buffer) => sameAs(await decodeUpright(bytes));
/** Largest difference of any byte. */
const distance = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const pattern = patternPixels(13, 7);

test('lossless formats come out exactly as they are in the file', async () => {
  assert.deepEqual(await decoded(rgbPng(pattern)), sameAs(pattern));
  assert.deepEqual(await decoded(rgbBmp(pattern)), sameAs(pattern));
  assert.deepEqual(await decoded(rgbBmp(pattern, true)), sameAs(pattern));
  assert.deepEqual(await decoded(tiffPages([pattern])), sameAs(pattern));
  for (const format of ['png', 'webp', 'tiff'] as const) {
    assert.deepEqual(await decoded(await encoded(pattern, format)), sameAs(pattern), format);
  }
});

test('a picture of the asked size is not resampled, with its size known or not', async () => {
  const square = patternPixels(32, 32, 5);
  const file = rgbPng(square);
  const target = { width: 32, height: 32, fit: 'cover' } as const;
  assert.deepEqual(Buffer.from(await decodeRgb(file, target)), Buffer.from(square.data));
  assert.deepEqual(Buffer.from(await decodeRgb(file, target, square)), Buffer.from(square.data));
});

test('a file that is not of the size it was imported with is refused', async () => {
  const size = { width: 13, height: 13 };
  await assert.rejects(decodeRgb(rgbPng(pattern), { ...size, fit: 'cover' }, size), /13 x 7, not as it was imported/);
});

test('every EXIF orientation gives the same upright picture', async () => {
  for (const orientation of EXIF_ORIENTATIONS) {
    for (const format of ['png', 'tiff'] as const) {
      const file = await turnedFile(pattern, orientation, format);
      assert.deepEqual(await decoded(file), sameAs(pattern), `${format} ${orientation}`);
    }
    const quarters = quarterPixels(24, 16);
    const { width, height, data } = await decodeUpright(await turnedFile(quarters, orientation, 'jpeg'));
    assert.deepEqual([width, height], [24, 16]);
    assert.ok(distance(data, quarters.data) < 24, `jpeg ${orientation}: ${distance(data, quarters.data)}`);
  }
});

test('orientation and crop agree: cut from the upright picture', async () => {
  const wide = patternPixels(40, 20, 3);
  const target = { width: 20, height: 20, fit: 'cover', anchor: { x: 0, y: 0 } } as const;
  const left = await decodeRgb(rgbPng(wide), target);
  for (const orientation of EXIF_ORIENTATIONS) {
    const turned = await decodeRgb(await turnedFile(wide, orientation, 'png'), target);
    assert.deepEqual(Buffer.from(turned), Buffer.from(left), String(orientation));
  }
  const expected = Array.from({ length: 20 }, (_, y) => wide.data.subarray(y * 120, y * 120 + 60));
  assert.deepEqual(Buffer.from(left), Buffer.concat(expected));
});

test('grey is repeated', async () => {
  const data = Uint8Array.of(0, 100, 200, 255);
  const { data: rgb } = await decodeUpright(pngFile({ width: 2, height: 2, colourType: 0, data }));
  assert.deepEqual([...rgb], [0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255]);
});

test('one, two and four bits of grey span black to white', async () => {
  const one = pngFile({ width: 4, height: 1, colourType: 0, bitDepth: 1, data: Uint8Array.of(0b01010000) });
  assert.deepEqual(
    [...(await decodeUpright(one)).data],
    [0, 255, 0, 255].flatMap((v) => [v, v, v]),
  );
  const two = pngFile({ width: 4, height: 1, colourType: 0, bitDepth: 2, data: Uint8Array.of(0b00011011) });
  assert.deepEqual(
    [...(await decodeUpright(two)).data],
    [0, 85, 170, 255].flatMap((v) => [v, v, v]),
  );
});

test('16 bits keep the upper 8', async () => {
  const data = Uint8Array.of(0x80, 0x80, 0xff, 0xff, 0x01, 0x20, 0x7f, 0x00);
  const { data: rgb } = await decodeUpright(pngFile({ width: 4, height: 1, colourType: 0, bitDepth: 16, data }));
  assert.deepEqual(
    [...rgb],
    [0x80, 0xff, 0x01, 0x7f].flatMap((v) => [v, v, v]),
  );
});

test('palette colours are looked up', async () => {
  const palette = Uint8Array.of(10, 20, 30, 200, 100, 50);
  const file = pngFile({ width: 3, height: 1, colourType: 3, data: Uint8Array.of(1, 0, 1), palette });
  assert.deepEqual([...(await decodeUpright(file)).data], [200, 100, 50, 10, 20, 30, 200, 100, 50]);
});

test('alpha is dropped, not blended: the colours of the file come out', async () => {
  const data = Uint8Array.of(10, 20, 30, 0, 200, 100, 50, 128);
  const rgba = pngFile({ width: 2, height: 1, colourType: 6, data });
  assert.deepEqual([...(await decodeUpright(rgba)).data], [10, 20, 30, 200, 100, 50]);
  const greyAlpha = pngFile({ width: 2, height: 1, colourType: 4, data: Uint8Array.of(70, 0, 90, 255) });
  assert.deepEqual([...(await decodeUpright(greyAlpha)).data], [70, 70, 70, 90, 90, 90]);
  const palette = Uint8Array.of(10, 20, 30, 200, 100, 50);
  const indexed = { width: 2, height: 1, colourType: 3, data: Uint8Array.of(0, 1), palette } as const;
  const see = pngFile({ ...indexed, transparency: Uint8Array.of(0) });
  assert.deepEqual([...(await decodeUpright(see)).data], [10, 20, 30, 200, 100, 50]);
});

test('alpha has no part in resampling', async () => {
  const { width, height, data } = patternPixels(16, 16, 9);
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? (i * 7) & 255 : data[Math.floor(i / 4) * 3 + (i % 4)],
  );
  const target = { width: 6, height: 6, fit: 'cover' } as const;
  const withAlpha = await decodeRgb(pngFile({ width, height, colourType: 6, data: rgba }), target);
  const without = await decodeRgb(rgbPng({ width, height, data }), target);
  assert.deepEqual(Buffer.from(withAlpha), Buffer.from(without));
});

/** Palette index of a pixel. */
const at = (x: number, y: number, count: number): number => (x + y) % count;

/** Rows of 5 x 3 pixels, packed. */
const rows = (count: number, pack: (indices: number[]) => number[]): Uint8Array[] =>
  Array.from({ length: 3 }, (_, y) => Uint8Array.from(pack(Array.from({ length: 5 }, (_x, x) => at(x, y, count)))));

test('BMP of every depth', async () => {
  const palette = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [10, 20, 30],
  ];
  const size = { width: 5, height: 3 };
  const files = {
    8: bmpFile({ ...size, bits: 8, palette, rows: rows(4, (row) => row) }),
    4: bmpFile({ ...size, bits: 4, palette, rows: rows(4, ([a, b, c, d, e]) => [a * 16 + b, c * 16 + d, e * 16]) }),
    1: bmpFile({
      ...size,
      bits: 1,
      palette: palette.slice(0, 2),
      rows: rows(2, (row) => [row.reduce((sum, bit, i) => sum + (bit << (7 - i)), 0)]),
    }),
    32: bmpFile({ ...size, bits: 32, rows: rows(4, (row) => row.flatMap((i) => [...palette[i].toReversed(), 0])) }),
  };
  for (const [bits, file] of Object.entries(files)) {
    const count = bits === '1' ? 2 : 4;
    const expected = Array.from({ length: 15 }, (_, i) => palette[at(i % 5, Math.floor(i / 5), count)]).flat();
    assert.deepEqual([...(await decodeUpright(file)).data], expected, `${bits} bits`);
  }
});

test('the first frame or page is used', async () => {
  const frames = [0, 80, 160].map((seed) => ({ width: 12, height: 9, data: new Uint8Array(12 * 9 * 3).fill(seed) }));
  for (const format of ['gif', 'webp'] as const) {
    const file = await animation(format, frames);
    assert.equal((await sharp(file).metadata()).pages, 3);
    assert.deepEqual(await decoded(file), sameAs(frames[0]), format);
  }
  assert.deepEqual(await decoded(tiffPages([pattern, patternPixels(5, 5)])), sameAs(pattern));
});

test('CMYK becomes RGB', async () => {
  const { width, height, data } = quarterPixels(16, 16);
  const file = await sharp(data, { raw: { width, height, channels: 3 } })
    .toColourspace('cmyk')
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer();
  assert.equal((await sharp(file).metadata()).space, 'cmyk');
  const { data: rgb } = await decodeUpright(file);
  // Print colours are duller than a screen's, but red stays red.
  const [red, green, blue] = rgb;
  assert.ok(red > 150 && green < 100 && blue < 100, `${red} ${green} ${blue}`);
});

test('an embedded colour profile changes no pixel', async () => {
  const { width, height, data } = pattern;
  const file = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .withIccProfile('p3')
    .toBuffer();
  const { hasProfile, icc } = await sharp(file).metadata();
  assert.ok(hasProfile ?? icc);
  const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
  assert.deepEqual(Buffer.from((await decodeUpright(file)).data), stored);
});

test('resampling is repeatable, keeps plain colours, and cuts the centre', async () => {
  const quarters = rgbPng(quarterPixels(300, 200));
  const target = { width: 32, height: 32, fit: 'cover' } as const;
  const once = await decodeRgb(quarters, target);
  assert.deepEqual(await decodeRgb(quarters, target, { width: 300, height: 200 }), once);
  const pixel = (x: number, y: number): number[] => [...once.subarray(3 * (32 * y + x), 3 * (32 * y + x) + 3)];
  assert.deepEqual(pixel(2, 2), [230, 20, 20]);
  assert.deepEqual(pixel(29, 2), [20, 200, 20]);
  assert.deepEqual(pixel(2, 29), [20, 20, 230]);
  assert.deepEqual(pixel(29, 29), [240, 240, 240]);
});

test('fill stretches', async () => {
  const wide = rgbPng(quarterPixels(64, 16));
  const data = await decodeRgb(wide, { width: 16, height: 16, fit: 'fill' });
  assert.equal(data.length, 16 * 16 * 3);
  assert.deepEqual([...data.subarray(0, 3)], [230, 20, 20]);
  assert.deepEqual([...data.subarray(-3)], [240, 240, 240]);
});

test('a mask takes the same crop as its picture', async () => {
  // The red channel of the picture is the mask: after both were resized they must still be the same.
  for (const [width, height] of [
    [101, 67],
    [33, 90],
    [20, 20],
    [9, 14],
  ]) {
    const mask = Uint8Array.from(
      { length: width * height },
      (_, i) => ((i % width) * 5 + Math.floor(i / width) * 3) & 255,
    );
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => mask[Math.floor(i / 3)]);
    for (const target of [
      { width: 32, height: 32, fit: 'cover' },
      { width: 24, height: 40, fit: 'cover', anchor: { x: 0.2, y: 0.9 } },
      { width: 18, height: 10, fit: 'fill' },
    ] as const) {
      const picture = await decodeRgb(rgbPng({ width, height, data }), target);
      const grey = await resizeGrey({ width, height, data: mask }, target);
      assert.equal(grey.length, target.width * target.height);
      const red = grey.map((_, i) => picture[3 * i]);
      assert.ok(distance(grey, red) <= 1, `${width} x ${height}: ${distance(grey, red)}`);
    }
  }
});

test('a grey PNG comes back as it went in', async () => {
  const mask = { width: 9, height: 4, data: Uint8Array.from({ length: 36 }, (_, i) => i * 7) };
  const file = await encodeGrey(mask);
  assert.deepEqual(await encodeGrey(mask), file);
  const { channels, depth, format } = await sharp(file).metadata();
  assert.deepEqual({ channels, depth, format }, { channels: 1, depth: 'uchar', format: 'png' });
  const back = await decodeGrey(file);
  assert.deepEqual({ ...back, data: [...back.data] }, { ...mask, data: [...mask.data] });
  assert.deepEqual(await resizeGrey(mask, { width: 9, height: 4, fit: 'cover' }), mask.data);
});

test('what cannot be decoded is a damaged picture, never a defect', async () => {
  const photo = await encoded(patternPixels(200, 200), 'jpeg');
  const bad = {
    cut: photo.subarray(0, photo.length >> 1),
    text: Buffer.from('hello'),
    empty: Buffer.alloc(0),
    png: rgbPng(pattern).subarray(0, 60),
    bmp: rgbBmp(pattern).subarray(0, 100),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    await assert.rejects(decodeUpright(bytes), (error) => error instanceof UserError && error.code === 'damaged', name);
  }
  await assert.rejects(decodeGrey(Buffer.from('no')), UserError);
});
