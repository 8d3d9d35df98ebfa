import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { studentInterval, weightedMean, wilson } from '../../core/evaluation/intervals.ts';

const close = (actual: number | null, expected: number, tolerance: number): void =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test("Wilson's interval equals the published examples", () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
  for (const [hits, images, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ]) {
    const estimate = wilson(hits, images)!;
    close(estimate.value, hits / images, 1e-12);
    close(estimate.low, low, 5e-5);
    close(estimate.high, high, 5e-5);
  }
});

test("Wilson's interval holds its proportion, mirrors, and narrows with more images", () => {
  for (let images = 1; images <= 60; images++) {
    for (let hits = 0; hits <= images; hits++) {
      const { value, low, high } = wilson(hits, images)!;
      assert.ok(low >= 0 && low <= value && value <= high && high <= 1 && low < high);
      const mirrored = wilson(images - hits, images)!;
      close(mirrored.low, 1 - high, 1e-12);
      const more = wilson(4 * hits, 4 * images)!;
      assert.ok(more.high - more.low < high - low);
    }
  }
  assert.equal(wilson(0, 0), null);
});

test('a mean of one proportion keeps its interval; nulls and zero weights count for nothing', () => {
  const part = wilson(3, 7);
  const mean = weightedMean([null, part, wilson(1, 2)], [5, 2, 0])!;
  close(mean.value, part!.value, 1e-12);
  close(mean.low, part!.low, 1e-12);
  close(mean.high, part!.high, 1e-12);
  assert.equal(weightedMean([null, null]), null);
  assert.equal(weightedMean([]), null);
});

test('a weighted mean by hand', () => {
  const parts = [
    { value: 0.5, low: 0.4, high: 0.7, images: 10 },
    { value: 1, low: 0.8, high: 1, images: 30 },
  ];
  const mean = weightedMean(parts, [10, 30])!;
  close(mean.value, 0.25 * 0.5 + 0.75 * 1, 1e-12);
  close(mean.low, 0.875 - Math.hypot(0.25 * 0.1, 0.75 * 0.2), 1e-12);
  close(mean.high, 0.875 + 0.25 * 0.2, 1e-12);
  assert.equal(mean.images, 40);
});

test('intervals of a mean over classes hold the truth about as often as they say', () => {
  const truths = [0.05, 0.4, 0.7, 0.98];
  const truth = truths.reduce((sum, p) => sum + p, 0) / truths.length;
  const random = Random.stream(1, 'coverage');
  const trials = 4000;
  let covered = 0;
  for (let trial = 0; trial < trials; trial++) {
    const parts = truths.map((p) => {
      let hits = 0;
      for (let i = 0; i < 25; i++) if (random.uniform() < p) hits++;
      return wilson(hits, 25);
    });
    const { low, high } = weightedMean(parts)!;
    if (low <= truth && truth <= high) covered++;
  }
  assert.ok(covered / trials > 0.93 && covered / trials < 0.985, `covered ${covered / trials}`);
});

test("Student's interval by hand", () => {
  // Mean 3, deviation sqrt(2.5), t(0.975, 4) = 2.776445.
  const { mean, deviation, low, high } = studentInterval([1, 2, 3, 4, 5]);
  assert.equal(mean, 3);
  close(deviation, Math.sqrt(2.5), 1e-12);
  close(low, 3 - (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5), 1e-6);
  close(high, 3 + (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5), 1e-6);
  // Two values: t(0.975, 1) = 12.7062.
  close(studentInterval([0, 2]).high, 1 + 12.7062, 1e-4);
  assert.deepEqual(studentInterval([0.5]), { mean: 0.5, deviation: null, low: null, high: null });
});
