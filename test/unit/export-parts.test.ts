import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { Deck } from '../../core/export/deck.ts';
import { folderNames } from '../../core/export/folder-names.ts';
import { binarize, mixPixels } from '../../core/export/mix.ts';
import { encodePng } from '../../core/export/png.ts';
import { drawnRegion } from '../../core/export/region.ts';

test('mixing follows x~ = lambda M c + (1 - lambda M) x, rounded half up', () => {
  // Two pixels. First: M = 1, lambda = 0.5 -> plain mean; 10 and 21 give 15.5 -> 16; 0 and 255 give 127.5 -> 128.
  // Second: M = 51/255 = 0.2, lambda M = 0.1: 0.1 * 200 + 0.9 * 100 = 110; 0.1 * 0 + 0.9 * 255 = 229.5 -> 230; 9 and 0.
  const target = Uint8Array.of(10, 0, 7, 100, 255, 10);
  const context = Uint8Array.of(21, 255, 7, 200, 0, 0);
  const mask = Uint8Array.of(255, 51);
  assert.deepEqual([...mixPixels(target, context, mask, 0.5)], [16, 128, 7, 110, 230, 9]);
});

test('lambda or mask of zero leaves the picture, lambda and mask of one replace it', () => {
  const target = Uint8Array.from({ length: 768 }, (_, i) => i % 256);
  const context = target.map((value) => 255 - value);
  const all = new Uint8Array(256).fill(255);
  assert.deepEqual(mixPixels(target, context, all, 0), target);
  assert.deepEqual(mixPixels(target, context, new Uint8Array(256), 1), target);
  assert.deepEqual(mixPixels(target, context, all, 1), context);
  assert.throws(() => mixPixels(target, context, new Uint8Array(3), 1), /sizes differ/);
});

test('a binary mask is all context from the threshold on', () => {
  assert.deepEqual([...binarize(Uint8Array.of(0, 127, 128, 255), 0.5)], [0, 0, 255, 255]);
  assert.deepEqual([...binarize(Uint8Array.of(0, 254, 255), 1)], [0, 0, 255]);
});

test('a PNG file holds exactly the pixels it is made of, for any decoder', async () => {
  const random = Random.stream(5, 'png');
  for (const [width, height] of [
    [1, 1],
    [1, 9],
    [9, 1],
    [64, 48],
    [301, 203],
  ]) {
    // Slopes with noise, edges and full contrast: each outcome of the predictor, and differences that wrap around.
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
      random.uniform() < 0.1 ? 255 * random.below(2) : (i / width + random.below(6)) % 256,
    );
    const file = encodePng(rgb, { width, height });
    const { data, info } = await sharp(file, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [width, height, 3]);
    assert.deepEqual(new Uint8Array(data), rgb);
    const { format, depth, space } = await sharp(file).metadata();
    assert.deepEqual([format, depth, space], ['png', 'uchar', 'srgb']);
    assert.deepEqual(encodePng(rgb, { width, height }), file);
  }
});

test('a random region lies inside the picture and has the area asked for', () => {
  const random = Random.stream(2, 'region');
  const size = { width: 300, height: 200 };
  for (const area of [0, 0.05, 0.3, 0.5, 0.9, 1]) {
    for (let i = 0; i < 200; i++) {
      const { x, y, width, height } = drawnRegion(size, area, () => random.uniform());
      assert.ok(x >= 0 && y >= 0 && width >= 1 && height >= 1 && x + width <= 300 && y + height <= 200);
      assert.ok(Math.abs((width * height) / 60_000 - area) < 0.01, `${width} x ${height} for ${area}`);
    }
  }
});

test('a deck uses everything about equally and nothing beyond the limit', () => {
  const items = ['a', 'b', 'c', 'd', 'e'];
  const deck = new Deck(items, Random.stream(3, 'deck'), 4);
  const counts = new Map<string, number>();
  for (let draw = 1; draw <= 20; draw++) {
    const item = deck.draw()!;
    counts.set(item, (counts.get(item) ?? 0) + 1);
    if (draw % 5 === 0) assert.deepEqual([...counts.values()], [draw / 5, draw / 5, draw / 5, draw / 5, draw / 5]);
  }
  assert.equal(deck.draw(), undefined);
});

test('what may not be drawn now is kept for later, once', () => {
  const deck = new Deck(['own', 'other'], Random.stream(4, 'deck'), 3);
  const others = [1, 2, 3].map(() => deck.draw((item) => item !== 'own'));
  assert.deepEqual(others, ['other', 'other', 'other']);
  assert.equal(
    deck.draw((item) => item !== 'own'),
    undefined,
  );
  assert.deepEqual([deck.draw(), deck.draw(), deck.draw(), deck.draw()], ['own', 'own', 'own', undefined]);
  assert.equal(new Deck([], Random.stream(4, 'deck')).draw(), undefined);
});

test('class names become folder names that every file system keeps apart', () => {
  assert.deepEqual(folderNames(['cat', 'dog 2', 'Ä', '鳥']), ['cat', 'dog 2', 'Ä', '鳥']);
  assert.deepEqual(folderNames(['Cat', 'cat', 'cat-2']), ['Cat', 'cat-3', 'cat-2']);
  assert.deepEqual(folderNames(['a/b', 'a:b', 'a\\b', '..', '.x', 'x.', 'y ']), [
    'a_b',
    'a_b-2',
    'a_b-3',
    '__',
    '_x',
    'x_',
    'y_',
  ]);
  assert.deepEqual(folderNames(['NUL', 'com1.txt', 'con .x', 'console', 'CON2']), [
    '_NUL',
    '_com1.txt',
    '_con .x',
    'console',
    'CON2',
  ]);
  assert.deepEqual(folderNames(['', '\u0000', 'a\ud800b']), ['_', '_-2', 'a_b']);
  // Two Unicode forms of one name.
  assert.deepEqual(folderNames(['\u00e9', 'e\u0301']), ['\u00e9', '\u00e9-2']);
  const long = folderNames(['ü'.repeat(300), `${'ü'.repeat(300)}x`]);
  assert.equal(new Set(long).size, 2);
  for (const name of long) assert.ok(Buffer.byteLength(name) <= 124);
});
