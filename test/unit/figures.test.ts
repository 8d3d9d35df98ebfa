import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { DEFAULT_THRESHOLDS, groupsByCount, groupsByRank, GROUPS } from '../../core/data/groups.ts';
import { computeFigures, figuresOfMatrix, primaryHead } from '../../core/evaluation/figures.ts';
import { wilson } from '../../core/evaluation/intervals.ts';
import { confusionMatrix, correctFlags, meanLogits, predict } from '../../core/evaluation/predictions.ts';

/** Logits, row by row, whose largest is at the given class. */
function logitsFor(predictions: readonly number[], classes: number): Float32Array {
  return Float32Array.from(
    predictions.flatMap((p) => Array.from({ length: classes }, (_, c) => (c === p ? 2 : c / 10))),
  );
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-12, `${actual} is not ${expected}`);
}

test('the largest logit wins, the first of equals', () => {
  assert.deepEqual([...predict(Float32Array.of(1, 3, 2, 5, 5, -1, -4, -3, -3), 3)], [1, 0, 1]);
  assert.deepEqual([...predict(Float32Array.of(-Infinity, 0, 1, -Infinity), 2)], [1, 0]);
  assert.deepEqual([...predict(new Float32Array(0), 3)], []);
  assert.throws(() => predict(new Float32Array(4), 3), RangeError);
  assert.throws(
    () => predict(Float32Array.of(0, NaN, 1), 3),
    (error) => error instanceof UserError && error.code === 'diverged',
  );
  assert.deepEqual([...meanLogits(Float32Array.of(1, 2), Float32Array.of(3, 6))], [2, 4]);
  assert.throws(() => meanLogits(new Float32Array(2), new Float32Array(3)), RangeError);
});

test('the confusion matrix has true classes in rows', () => {
  const matrix = confusionMatrix(Int32Array.of(0, 1, 1, 2, 0), Int32Array.of(0, 0, 1, 1, 2), 3);
  assert.deepEqual([...matrix], [1, 1, 0, 0, 1, 1, 1, 0, 0]);
  assert.throws(() => confusionMatrix(Int32Array.of(0), Int32Array.of(3), 3), RangeError);
  assert.throws(() => confusionMatrix(Int32Array.of(0, 1), Int32Array.of(0), 3), RangeError);
  assert.deepEqual([...correctFlags(Int32Array.of(0, 1, 2), Int32Array.of(0, 2, 2))], [1, 0, 1]);
});

test('figures of one head by hand', () => {
  // Four classes; the last has no test image and is named once.
  const matrix = Int32Array.of(6, 2, 0, 0, 1, 2, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0);
  const figures = figuresOfMatrix(matrix, [500, 50, 10, 5], DEFAULT_THRESHOLDS);
  close(figures.top1!.value, 9 / 14);
  assert.equal(figures.top1!.images, 14);
  close(figures.macroRecall!.value, (6 / 8 + 2 / 4 + 1 / 2) / 3);
  assert.deepEqual(
    GROUPS.map((group) => figures.groups[group]!.value),
    [6 / 8, 2 / 4, 1 / 2],
  );
  // Of four classes, rank 0 is many, rank 1 medium, ranks 2 and 3 few.
  assert.deepEqual(
    GROUPS.map((group) => figures.ranges[group]!.value),
    [6 / 8, 2 / 4, 1 / 2],
  );
  const [first, second, , fourth] = figures.classes;
  assert.deepEqual(first.recall, wilson(6, 8));
  assert.deepEqual(first.precision, wilson(6, 7));
  assert.deepEqual([second.trained, second.tested], [50, 4]);
  close(second.precision!.value, 2 / 5);
  // F1 of recall 1/2 and precision 2/5.
  close(second.f1!.value, 4 / 9);
  assert.ok(second.f1!.low < 4 / 9 && second.f1!.high > 4 / 9);
  assert.equal(fourth.recall, null);
  assert.equal(fourth.precision!.value, 0);
  assert.equal(fourth.f1!.value, 0);
  assert.deepEqual(figures.mostNamed, { label: 0, share: 7 / 14 });
  assert.throws(() => figuresOfMatrix(matrix, [1, 2], DEFAULT_THRESHOLDS), RangeError);
});

test('three heads where there are two, one where there is one', () => {
  const labels = Int32Array.of(0, 0, 1, 1);
  const input = { labels, classes: 2, trainCounts: [200, 10], thresholds: DEFAULT_THRESHOLDS };
  const logitsUniform = Float32Array.of(4, 0, 1, 0, 1, 0, 0, 1);
  const logitsBalanced = Float32Array.of(0, 1, 0, 3, 0, 3, 1, 0);
  const both = computeFigures({ ...input, logitsUniform, logitsBalanced });
  // Uniform: 0 0 0 1. Balanced: 1 1 1 0. Sums (4,1) (1,3) (1,3) (1,1): 0 1 1 0.
  assert.equal(both.heads.uniform.top1!.value, 3 / 4);
  assert.equal(both.heads.balanced!.top1!.value, 1 / 4);
  assert.equal(both.heads.mean!.top1!.value, 2 / 4);
  assert.equal(primaryHead(both), both.heads.balanced);
  const one = computeFigures({ ...input, logitsUniform, logitsBalanced: null });
  assert.equal(one.heads.balanced, null);
  assert.equal(one.heads.mean, null);
  assert.equal(primaryHead(one), one.heads.uniform);
  assert.throws(
    () => computeFigures({ ...input, logitsUniform: new Float32Array(6), logitsBalanced: null }),
    RangeError,
  );
});

test('figures survive JSON and hold no NaN, even without images or with empty groups', () => {
  for (const labels of [[], [0], [2, 2, 2], [0, 1, 2, 0, 1, 2]]) {
    const figures = computeFigures({
      logitsUniform: logitsFor(
        labels.map(() => 1),
        3,
      ),
      logitsBalanced: logitsFor(labels, 3),
      labels: Int32Array.from(labels),
      classes: 3,
      trainCounts: [3, 0, 0],
      thresholds: DEFAULT_THRESHOLDS,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(figures)), figures);
    assert.equal(figures.heads.uniform.groups.many, null);
    assert.equal(figures.heads.balanced!.top1?.value ?? null, labels.length > 0 ? 1 : null);
  }
});

test('on a balanced test set top-1 and macro recall are one figure with one interval, whatever the answers', () => {
  const random = Random.stream(3, 'balanced');
  const labels = Int32Array.from({ length: 200 }, (_, i) => i % 5);
  const answers = Array.from(labels, (label) => (random.uniform() < 0.6 ? label : random.below(5)));
  const { uniform } = computeFigures({
    logitsUniform: logitsFor(answers, 5),
    logitsBalanced: null,
    labels,
    classes: 5,
    trainCounts: [900, 300, 90, 30, 9],
    thresholds: DEFAULT_THRESHOLDS,
  }).heads;
  for (const key of ['value', 'low', 'high'] as const) {
    close(uniform.top1![key], uniform.macroRecall![key]);
  }
  const right = answers.filter((answer, i) => answer === labels[i]).length;
  close(uniform.top1!.value, right / 200);
  for (const { recall, precision, f1 } of uniform.classes) {
    const harmonic = (2 * recall!.value * precision!.value) / (recall!.value + precision!.value);
    close(f1!.value, harmonic);
  }
});

test('groups by count: over 100, 20 to 100, under 20, or as told', () => {
  assert.deepEqual(groupsByCount([101, 100, 20, 19, 0], DEFAULT_THRESHOLDS), [
    'many',
    'medium',
    'medium',
    'few',
    'few',
  ]);
  assert.deepEqual(groupsByCount([101, 100, 20, 19, 0], { many: 19, few: 1 }), [
    'many',
    'many',
    'many',
    'medium',
    'few',
  ]);
});

/** Classes in each group by rank. */
function sizes(classes: number): number[] {
  const groups = groupsByRank(Array.from({ length: classes }, (_, i) => 1000 - i));
  return GROUPS.map((group) => groups.filter((other) => other === group).length);
}

test("groups by rank: the paper's ranges for 10 and 100 classes, and the same shares of any number", () => {
  assert.deepEqual(sizes(10), [3, 4, 3]);
  assert.deepEqual(sizes(100), [36, 35, 29]);
  assert.deepEqual(sizes(3), [1, 1, 1]);
  assert.deepEqual(sizes(1000), [360, 350, 290]);
  assert.deepEqual(sizes(0), [0, 0, 0]);
  // Rank counts, not label; equals keep label order.
  assert.deepEqual(groupsByRank([5, 900, 5]), ['medium', 'many', 'few']);
});
