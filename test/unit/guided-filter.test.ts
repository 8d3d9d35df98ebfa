import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { applyModel, boxMean, fitToGuide, momentsOf, stretched } from '../../core/contexts/guided-filter.ts';
import { guideSize, maskFromSaliency, refinedMask } from '../../core/contexts/mask.ts';
import type { GreyImage, RgbImage } from '../../core/data/decode.ts';

/** Colours at random. */
function noise(random: Random, width: number, height: number): RgbImage {
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, () => random.below(256)) };
}

/** Values from 0 to 1 at random. */
function mapOf(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => random.uniform());
}

function filtered(map: Float32Array, guide: RgbImage, radius: number, epsilon: number): Float32Array {
  const result = new Float32Array(map.length);
  applyModel(fitToGuide(map, guide, radius, epsilon), guide, (row, y) => result.set(row, y * guide.width));
  return result;
}

/** Pixels of the window round a pixel, clipped at the borders. */
function windowOf({ width, height }: { width: number; height: number }, pixel: number, radius: number): number[] {
  const [px, py] = [pixel % width, Math.floor(pixel / width)];
  const pixels: number[] = [];
  for (let y = Math.max(0, py - radius); y <= Math.min(height - 1, py + radius); y++) {
    for (let x = Math.max(0, px - radius); x <= Math.min(width - 1, px + radius); x++) pixels.push(y * width + x);
  }
  return pixels;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Solve A x = b by elimination with pivots. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, j) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + j : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = 0; j < rows.length; j++) {
      if (j === i) continue;
      const factor = rows[j][i] / rows[i][i];
      rows[j] = rows[j].map((value, k) => value - factor * rows[i][k]);
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i]);
}

/** The filter as the paper writes it (equations 19 to 21), window by window: a ridge regression of the map on the colours. */
function direct(map: Float32Array, guide: RgbImage, radius: number, epsilon: number): number[] {
  const colour = (pixel: number, c: number): number => guide.data[3 * pixel + c] / 255;
  const channels = [0, 1, 2];
  const models = Array.from(map, (_, pixel) => {
    const pixels = windowOf(guide, pixel, radius);
    const centre = channels.map((c) => mean(pixels.map((p) => colour(p, c))));
    const level = mean(pixels.map((p) => map[p]));
    const covariance = (c: number, of: (p: number) => number, about: number): number =>
      mean(pixels.map((p) => (colour(p, c) - centre[c]) * (of(p) - about)));
    const sigma = channels.map((c) =>
      channels.map((d) => covariance(c, (p) => colour(p, d), centre[d]) + (c === d ? epsilon : 0)),
    );
    const a = solve(
      sigma,
      channels.map((c) => covariance(c, (p) => map[p], level)),
    );
    return [...a, level - a[0] * centre[0] - a[1] * centre[1] - a[2] * centre[2]];
  });
  return Array.from(map, (_, pixel) => {
    const pixels = windowOf(guide, pixel, radius);
    const [r, g, b, offset] = [0, 1, 2, 3].map((k) => mean(pixels.map((p) => models[p][k])));
    return r * colour(pixel, 0) + g * colour(pixel, 1) + b * colour(pixel, 2) + offset;
  });
}

test('the mean over windows is the mean over windows, also where they are larger than the picture', () => {
  const random = Random.stream(1, 'boxes');
  for (const [width, height, planes, radius] of [
    [7, 5, 1, 2],
    [6, 9, 3, 1],
    [4, 3, 2, 10],
    [1, 8, 1, 3],
    [8, 1, 1, 3],
    [5, 5, 1, 0],
  ]) {
    const values = mapOf(random, width * height * planes);
    const found = boxMean(values, { width, height }, planes, radius);
    for (let i = 0; i < found.length; i++) {
      const pixels = windowOf({ width, height }, Math.floor(i / planes), radius);
      const expected = mean(pixels.map((pixel) => values[pixel * planes + (i % planes)]));
      assert.ok(
        Math.abs(found[i] - expected) < 1e-6,
        `${width} x ${height}, radius ${radius}: ${found[i]}, ${expected}`,
      );
    }
  }
});

test('the filter is the paper’s, window by window', () => {
  const random = Random.stream(2, 'guides');
  for (const [width, height, radius, epsilon] of [
    [12, 9, 2, 0.01],
    [9, 13, 4, 0.001],
    [10, 10, 20, 0.1],
    [7, 7, 1, 1e-4],
  ]) {
    const guide = noise(random, width, height);
    const map = mapOf(random, width * height);
    const found = filtered(map, guide, radius, epsilon);
    const expected = direct(map, guide, radius, epsilon);
    for (const [i, value] of found.entries()) {
      assert.ok(
        Math.abs(value - expected[i]) < 2e-4,
        `${width} x ${height}, radius ${radius}: ${value}, ${expected[i]}`,
      );
    }
  }
});

test('a guide of one colour blurs: windows twice over', () => {
  const random = Random.stream(3, 'flat');
  const size = { width: 15, height: 11 };
  const map = mapOf(random, size.width * size.height);
  const guide = { ...size, data: new Uint8Array(3 * map.length).fill(77) };
  const twice = boxMean(boxMean(map, size, 1, 3), size, 1, 3);
  for (const [i, value] of filtered(map, guide, 3, 0.01).entries()) {
    assert.ok(Math.abs(value - twice[i]) < 1e-5, `${value}, ${twice[i]}`);
  }
});

/** Left half of one colour, right half of another, with a little grain. */
function halves(random: Random, width: number, height: number): RgbImage {
  const grain = (): number => random.below(5);
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = i % width < width / 2 ? [40, 60, 50] : [180, 140, 90];
    data.set([r + grain(), g + grain(), b + grain()], 3 * i);
  }
  return { width, height, data };
}

test('a coarse map steps where the picture does', () => {
  const guide = halves(Random.stream(4, 'halves'), 40, 20);
  // A ramp that is half way up four pixels before the edge.
  const map = Float32Array.from({ length: 800 }, (_, i) => Math.min(1, Math.max(0, ((i % 40) - 6) / 20)));
  const row = filtered(map, guide, 8, 1e-3).subarray(10 * 40, 11 * 40);
  const step = row[20] - row[19];
  assert.ok(step > 0.3, `over the edge it rises by ${step}, 0.05 before`);
  for (const x of [16, 17, 18, 21, 22, 23]) {
    assert.ok(
      Math.abs(row[x + 1] - row[x]) < 0.05 || x === 19,
      `beside the edge it is smooth: ${row[x]}, ${row[x + 1]}`,
    );
  }
});

test('a fit can be given the mean and deviation of its map; one that is flat is only moved', () => {
  const random = Random.stream(6, 'moments');
  const guide = noise(random, 20, 15);
  const map = mapOf(random, 300);
  const model = fitToGuide(map, guide, 5, 0.01);
  const valuesOf = (one: typeof model): Float32Array => {
    const values = new Float32Array(300);
    applyModel(one, guide, (row, y) => values.set(row, y * 20));
    return values;
  };
  const before = momentsOf(valuesOf(model));
  assert.ok(before.deviation < momentsOf(map).deviation / 1.5, 'a fit is flatter than its map');
  const after = momentsOf(valuesOf(stretched(model, before, momentsOf(map))));
  assert.ok(Math.abs(after.mean - momentsOf(map).mean) < 1e-5);
  assert.ok(Math.abs(after.deviation - momentsOf(map).deviation) < 1e-5);
  const flat = stretched(model, { mean: 0.25, deviation: 0 }, { mean: 0.5, deviation: 0.1 });
  assert.ok(Math.abs(momentsOf(valuesOf(flat)).mean - before.mean - 0.25) < 1e-5);
});

test('a large picture is fitted at a smaller size and comes out at its own, edges where they are', () => {
  const [width, height] = [1200, 800];
  const picture = halves(Random.stream(5, 'large'), width, height);
  const size = guideSize(picture);
  assert.ok(size.width * size.height <= 512 * 512 * 1.01 && Math.abs(size.width / size.height - 1.5) < 0.01);
  assert.deepEqual(guideSize({ width: 500, height: 400 }), { width: 500, height: 400 });
  const thin = guideSize({ width: 16_000, height: 100 });
  assert.ok(thin.height >= 40 && thin.width <= 16_000, JSON.stringify(thin));
  const reduced = halves(Random.stream(5, 'large'), size.width, size.height);
  // Evidence in the right half, its border a twentieth of the picture too far to the left.
  const saliency: GreyImage = { width: 20, height: 4, data: new Uint8Array(80) };
  for (let i = 0; i < 80; i++) saliency.data[i] = i % 20 >= 9 ? 255 : 0;
  const cut = { form: 'threshold', threshold: 0.5 } as const;
  const rule = { ...cut, refine: { radius: 0.2, epsilon: 1e-3 } };
  const mask = refinedMask(saliency, picture, reduced, rule);
  assert.deepEqual([mask.width, mask.height], [width, height]);
  const plain = maskFromSaliency(saliency, width, height, cut);
  const wrong = ({ data }: GreyImage): number => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) if (data[i] >= 128 !== i % width < width / 2) sum++;
    return sum / data.length;
  };
  assert.ok(
    wrong(mask) < wrong(plain) / 4,
    `${wrong(mask)} of the pixels are on the wrong side, ${wrong(plain)} before`,
  );
  assert.deepEqual(refinedMask(saliency, picture, reduced, rule), mask, 'the same again');
});

test('texture leaves specks in a fit, and none where its variance is below the grain; the edge of an object stays', () => {
  const [width, height] = [200, 120];
  const random = Random.stream(6, 'texture');
  const picture = { width, height, data: new Uint8Array(width * height * 3) };
  // A dark object on the right, light ground on the left, and coarse noise over both.
  for (let i = 0; i < width * height; i++) {
    const value = (i % width < width / 2 ? 165 : 85) + 140 * (random.uniform() - 0.5);
    picture.data.fill(value, 3 * i, 3 * i + 3);
  }
  const saliency: GreyImage = { width: 10, height: 6, data: new Uint8Array(60) };
  for (let i = 0; i < 60; i++) saliency.data[i] = i % 10 >= 5 ? 255 : 0;
  const made = (grain: object): GreyImage =>
    refinedMask(saliency, picture, picture, {
      form: 'threshold',
      threshold: 0.5,
      refine: { radius: 0.25, epsilon: 0.0003, ...grain },
    });
  const wrong = ({ data }: GreyImage): number =>
    data.reduce((sum, value, i) => sum + (value >= 128 === i % width < width / 2 ? 0 : 1), 0);
  const [specked, clean] = [wrong(made({})), wrong(made({ grain: 0.1 }))];
  assert.ok(specked > 50, `${specked} pixels on the wrong side without`);
  assert.ok(clean < specked / 3, `${clean} pixels on the wrong side, ${specked} without`);
});
