import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillHole } from '../../core/contexts/fill-hole.ts';

const picture = (width: number, height: number, colour: (x: number, y: number) => number[]): Uint8Array =>
  Uint8Array.from(Array.from({ length: width * height }, (_, at) => colour(at % width, Math.floor(at / width))).flat());
const maskWith = (width: number, height: number, kept: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, at) => kept(at % width, Math.floor(at / width)));

test('what is kept stays as it is; a hole in one colour gets that colour, without an outline', () => {
  const [width, height] = [21, 13];
  const pixels = picture(width, height, (x) => (x >= 6 && x < 14 ? [255, 0, 0] : [40, 90, 160]));
  const mask = maskWith(width, height, (x) => (x >= 6 && x < 14 ? 0 : 255));
  const filled = fillHole(pixels, mask, width, height);
  assert.deepEqual(
    filled,
    picture(width, height, () => [40, 90, 160]),
  );
  assert.deepEqual(fillHole(pixels, new Uint8Array(width * height).fill(255), width, height), pixels);
});

const side = (x: number): number => (x < 16 ? 20 : 220);

test('between two sides the colour goes over from one to the other', () => {
  const [width, height] = [32, 8];
  const pixels = picture(width, height, (x) => [side(x), side(x), side(x)]);
  const filled = fillHole(
    pixels,
    maskWith(width, height, (x) => (x >= 8 && x < 24 ? 0 : 255)),
    width,
    height,
  );
  const row = Array.from({ length: width }, (_, x) => filled[3 * (4 * width + x)]);
  assert.deepEqual([row[0], row[7], row[24], row[31]], [20, 20, 220, 220]);
  for (let x = 9; x < 24; x++) assert.ok(row[x] >= row[x - 1], `falls at ${x}: ${row.join(' ')}`);
  assert.ok(row[12] > 20 && row[12] < 120 && row[19] > 120 && row[19] < 220, row.join(' '));
});

test('half a mask gives half of the fill, and nothing kept is grey', () => {
  const [width, height] = [9, 9];
  const pixels = picture(width, height, (x, y) => (x === 4 && y === 4 ? [200, 200, 200] : [100, 100, 100]));
  const mask = maskWith(width, height, (x, y) => (x === 4 && y === 4 ? 128 : 255));
  const at = 3 * (4 * width + 4);
  const value = fillHole(pixels, mask, width, height)[at];
  assert.ok(value > 148 && value < 160, String(value));
  assert.ok(fillHole(pixels, new Uint8Array(width * height), width, height).every((channel) => channel === 128));
});
