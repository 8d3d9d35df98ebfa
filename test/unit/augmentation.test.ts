/** Random parts and colour jitter against torchvision (test/fixtures/golden/make_augmentation.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { decodePart, decodeUpright } from '../../core/data/decode.ts';
import { resampleBox, type Box } from '../../core/data/resample.ts';
import { applyJitter, drawJitter, type Jitter } from '../../core/training/color-jitter.ts';
import { CuratedBank } from '../../core/training/curated-bank.ts';
import { augmentFor } from '../../core/training/presets.ts';
import { drawResizedCrop } from '../../core/training/resized-crop.ts';
import { drawView, plainView, showView } from '../../core/training/views.ts';

interface Golden {
  width: number;
  height: number;
  size: number;
  crops: { box: [number, number, number, number]; pixels: number[] }[];
  start: number[];
  jitters: { order: [Jitter[number]['kind'], number][]; pixels: number[] }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/golden/augmentation.json', import.meta.url), 'utf8'),
) as Golden;

/** The picture of the script. */
function picture(): { width: number; height: number; channels: 3; data: Uint8Array } {
  const { width, height } = golden;
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    return [(x * 7 + y * 3) % 256, (x * y * 2) % 256, 255 - ((Math.floor((x * x) / 6) + y * 5) % 256)][i % 3];
  });
  return { width, height, channels: 3, data };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((x, y) => Math.max(x, y), 0);
}

const mirrored = (pixels: Uint8Array, size: number): Uint8Array =>
  pixels.map((_, i) => pixels[i + (size - 1 - 2 * (Math.floor(i / 3) % size)) * 3]);

const boxOf = ([left, top, width, height]: Golden['crops'][number]['box']): Box => ({ left, top, width, height });

test('a resized part is what torchvision makes of it, but for rounding', () => {
  const { size } = golden;
  for (const { box, pixels } of golden.crops) {
    const out = new Uint8Array(size * size * 3);
    resampleBox(picture(), boxOf(box), size, out, false);
    assert.ok(largestDifference(out, pixels) <= 1, `box ${box.join()}`);
    const flipped = new Uint8Array(out.length);
    resampleBox(picture(), boxOf(box), size, flipped, true);
    assert.deepEqual(flipped, mirrored(out, size));
  }
});

test('brightness, contrast and saturation are what torchvision makes of them, in any order', () => {
  for (const { order, pixels } of golden.jitters) {
    const out = Uint8Array.from(golden.start);
    applyJitter(
      out,
      order.map(([kind, factor]) => ({ kind, factor })),
    );
    // Where a product is a whole number but for rounding, dropping what is behind the point may cut one more.
    assert.ok(largestDifference(out, pixels) <= 1, JSON.stringify(order));
    assert.ok(largestDifference(out, golden.start) > 10);
  }
});

test('parts are drawn as torchvision draws them: inside, of all areas and shapes', () => {
  const random = Random.stream(1, 'parts');
  const size = { width: 260, height: 200 };
  const shares: number[] = [];
  const corners = new Set<string>();
  for (let i = 0; i < 4000; i++) {
    const { left, top, width, height } = drawResizedCrop(random, size, 0.08);
    assert.ok(left >= 0 && top >= 0 && left + width <= 260 && top + height <= 200);
    assert.ok(width / height > 0.7 && width / height < 1.4, `${width} x ${height}`);
    shares.push((width * height) / (260 * 200));
    if (left === 0 && top > 0) corners.add('left');
    if (left + width === 260 && top > 0) corners.add('right');
    if (top === 0 && left > 0) corners.add('top');
    if (top + height === 200 && left > 0) corners.add('bottom');
  }
  assert.equal(corners.size, 4, 'parts reach every edge');
  assert.ok(Math.min(...shares) > 0.075 && Math.min(...shares) < 0.1 && Math.max(...shares) > 0.9);
  // Uniform in area, but that the widest of the large ones do not fit and are drawn again.
  assert.ok(shares.filter((share) => share < 0.54).length / shares.length > 0.5);
  // So narrow that nothing fits: the middle, as wide as it may be.
  assert.deepEqual(drawResizedCrop(random, { width: 4, height: 900 }, 1), { left: 0, top: 447, width: 4, height: 5 });
  assert.deepEqual(drawResizedCrop(random, { width: 1, height: 1 }, 0.08), { left: 0, top: 0, width: 1, height: 1 });
});

test('jitter is drawn within its strength, in every order; none is none', () => {
  const random = Random.stream(1, 'jitter');
  const draws = Array.from({ length: 600 }, () => drawJitter(random, 0.4));
  assert.equal(new Set(draws.map((jitter) => jitter.map(({ kind }) => kind).join())).size, 6);
  const factors = draws.flatMap((jitter) => jitter.map(({ factor }) => factor));
  assert.ok(factors.every((factor) => factor >= 0.6 && factor <= 1.4));
  assert.ok(Math.min(...factors) < 0.61 && Math.max(...factors) > 1.39);
  const pixels = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) & 255);
  const same = pixels.slice();
  applyJitter(same, drawJitter(random, 0));
  assert.deepEqual(same, pixels);
});

/** A JPEG of gentle colours that tell where a pixel lies. */
function gentleJpeg(width: number, height: number): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    return [(x * 255) / width, (y * 255) / height, ((x + y) * 255) / (width + height)][i % 3];
  });
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

test('a part of a file is the same as the part of the whole; a large JPEG is shrunk while it is decoded', async () => {
  const size = 32;
  for (const [width, height, box] of [
    [90, 70, { left: 11, top: 7, width: 50, height: 41 }],
    [517, 391, { left: 101, top: 33, width: 301, height: 290 }],
  ] as const) {
    const bytes = await gentleJpeg(width, height);
    const expected = new Uint8Array(size * size * 3);
    resampleBox({ ...(await decodeUpright(bytes)), channels: 3 }, box, size, expected, false);
    const { part, box: inside } = await decodePart(bytes, { width, height }, box, size);
    const shrunk = width > 500;
    assert.equal(part.width * part.height < box.width * box.height, shrunk);
    assert.ok(part.width >= size && part.height >= size, 'never fewer pixels than are needed');
    const found = new Uint8Array(expected.length);
    resampleBox({ ...part, channels: 3 }, inside, size, found, false);
    if (shrunk) assert.ok(largestDifference(found, expected) <= 4);
    else assert.deepEqual(found, expected);
  }
});

test('a picture on its side is cut upright', async () => {
  const upright = await gentleJpeg(60, 40);
  const lying = await sharp(upright).rotate(270).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
  const box = { left: 20, top: 10, width: 30, height: 24 };
  const [expected, found] = [new Uint8Array(16 * 16 * 3), new Uint8Array(16 * 16 * 3)];
  const view = { kind: 'part', box, flip: false, jitter: [] } as const;
  await showView(upright, { width: 60, height: 40 }, view, 16, expected);
  await showView(lying, { width: 60, height: 40 }, view, 16, found);
  assert.ok(largestDifference(found, expected) <= 12);
});

test('evaluation resizes to 256 / 224 of the size and cuts out the centre', async () => {
  const bytes = await gentleJpeg(300, 200);
  const out = new Uint8Array(28 * 28 * 3);
  await showView(bytes, { width: 300, height: 200 }, plainView(256 / 224), 28, out);
  // 28 px wanted: the shorter side becomes 32, the longer 48; the centre leaves out 2 and 10 on each side.
  const at = (x: number, y: number): number[] => [...out.subarray((y * 28 + x) * 3, (y * 28 + x) * 3 + 2)];
  for (const [x, y] of [
    [0, 0],
    [27, 0],
    [13, 14],
    [27, 27],
  ]) {
    const place = [((x + 10.5) / 48) * 255, ((y + 2.5) / 32) * 255];
    assert.ok(largestDifference(at(x, y), place) < 5, `${x},${y}: ${at(x, y).join()}`);
  }
});

test('a context and its mask take the same part', () => {
  const size = 24;
  const values = Uint8Array.from({ length: size * size }, (_, i) => (i * 5) % 250);
  const augment = { ...augmentFor(96), jitter: 0 };
  const bank = new CuratedBank(
    Random.stream(1, 'parts'),
    {
      pixels: Uint8Array.from({ length: size * size * 3 }, (_, i) => values[Math.floor(i / 3)]),
      masks: Float32Array.from(values),
      labels: Int32Array.of(3),
    },
    size,
    augment,
  );
  const { pixels, masks } = bank.draw(20);
  for (const [i, value] of masks.entries()) assert.ok(Math.abs(pixels[3 * i] - value) <= 0.5001, `value ${i}`);
  assert.ok(new Set(Array.from({ length: 20 }, (_, i) => masks[i * size * size])).size > 10, 'parts differ');
});

test('up to 64 px pictures are padded and cropped, beyond that parts are resized', () => {
  const random = Random.stream(1, 'views');
  const image = { width: 200, height: 100 };
  assert.equal(drawView(random, augmentFor(64), image, 64).kind, 'cover');
  assert.equal(drawView(random, augmentFor(96), image, 96).kind, 'part');
});
