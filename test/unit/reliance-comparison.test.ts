import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { DEFAULT_THRESHOLDS } from '../../core/data/groups.ts';
import { wilson } from '../../core/evaluation/intervals.ts';
import {
  comparePairedReliance,
  compareUnpairedReliance,
  type RelianceOfRun,
} from '../../core/evaluation/reliance-comparison.ts';
import { COMPOSITIONS, type ComposedAnswers } from '../../core/evaluation/reliance.ts';

const TRAIN_COUNTS = [500, 50, 5, 3];
/** 60 pictures of class 0, 40 of class 1, 4 of class 2, none of class 3. */
const LABELS = Int32Array.from({ length: 104 }, (_, i) => (i < 60 ? 0 : i < 100 ? 1 : 2));

/** @param right per composition; p is 0.8 where right, else 0.2; null: cannot be made */
function answers(right: (i: number, column: number) => boolean | null): ComposedAnswers {
  const cells = [...LABELS.keys()].flatMap((i) => COMPOSITIONS.map((_, column) => right(i, column)));
  return {
    probability: Float32Array.from(cells, (cell) => (cell === null ? NaN : cell ? 0.8 : 0.2)),
    right: Uint8Array.from(cells, Number),
  };
}

const compare = (a: ComposedAnswers, b: ComposedAnswers) =>
  comparePairedReliance({ a, b, labels: LABELS, trainCounts: TRAIN_COUNTS, thresholds: DEFAULT_THRESHOLDS, seed: 1 });
const close = (actual: number | undefined, expected: number, slack = 1e-6): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < slack, `${actual} is not ${expected}`);

test('a run that stops going by the background has a lower BG-Gap, by hand', () => {
  // Before: right in front of the own background alone. After: right everywhere but on the background alone.
  const before = answers((_, column) => column === 0 || column === 1 || column === 3);
  const after = answers((_, column) => column !== 1);
  const { bgGap, confidence } = compare(before, after);
  assert.deepEqual(bgGap.macro, { a: 1, b: 0, value: -1, low: -1, high: -1, images: 104, direction: 'lower' });
  assert.deepEqual([bgGap.groups.many?.value, bgGap.groups.medium?.value, bgGap.classes[3]], [-1, -1, null]);
  // Four pictures, all changed: under 6 the exact sign test finds nothing.
  assert.deepEqual([bgGap.classes[2]?.value, bgGap.classes[2]?.direction], [-1, 'no clear difference']);
  close(confidence['no-fg'].macro?.value, -0.6);
  close(confidence['mixed-rand'].groups.many?.value, 0.6);
  assert.equal(confidence['only-fg'].groups.many?.direction, 'higher');
  assert.equal(confidence.original.macro?.direction, 'no clear difference');
});

test('the interval is that of a mean of paired differences, and the same run has none', () => {
  const random = Random.stream(1, 'answers');
  const before = answers((_, column) => column === 3);
  // In class 0 a third of the gaps closes.
  const after = answers((i, column) => column === 3 || (column === 4 && i < 60 && random.uniform() < 1 / 3));
  const { bgGap } = compare(before, after);
  const { value, low, high, a, b } = bgGap.classes[0]!;
  close(b - a, value);
  const error = Math.sqrt((-value * (1 + value)) / 60);
  close(low, value - 1.96 * error, 0.02);
  close(high, value + 1.96 * error, 0.02);
  // Macro mean over the three classes with pictures, of which one changed: a third of it.
  close(bgGap.macro?.value, value / 3);
  close(bgGap.macro?.low, low / 3, 1e-6);
  const none = compare(after, after).bgGap;
  assert.deepEqual([none.macro?.value, none.macro?.low, none.macro?.high], [0, 0, 0]);
  assert.deepEqual(compare(before, after), compare(before, after));
});

test('what cannot be made is left out of its own figures alone', () => {
  const some = answers((i, column) => (column === 3 && LABELS[i] === 1 ? null : true));
  const { bgGap, confidence } = compare(some, some);
  assert.deepEqual([bgGap.classes[1], confidence['mixed-same'].classes[1]], [null, null]);
  assert.equal(confidence['mixed-rand'].classes[1]?.images, 40);
  assert.equal(bgGap.macro?.images, 64);
  assert.throws(() => compare(some, { ...some, right: new Uint8Array(3) }), RangeError);
});

/** A run all of whose figures are the same share, of one class. */
function of(hits: number, images: number): RelianceOfRun {
  const figure = wilson(hits, images);
  const all = { macro: figure, groups: { many: figure, medium: null, few: null }, classes: [figure, null] };
  return {
    bgGap: all,
    confidence: { original: all, 'no-fg': all, 'only-fg': all, 'mixed-same': all, 'mixed-rand': all },
  };
}

test('unpaired: the interval of a difference of two independent proportions, as Newcombe has it', () => {
  // Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10: 56/70 - 48/80 = 0.2 (0.0524 to 0.3339).
  const { bgGap, confidence } = compareUnpairedReliance(of(48, 80), of(56, 70));
  close(bgGap.macro?.value, 0.2);
  close(bgGap.macro?.low, 0.0524, 5e-5);
  close(bgGap.macro?.high, 0.3339, 5e-5);
  assert.deepEqual([bgGap.macro?.images, bgGap.macro?.direction, bgGap.classes[1]], [70, 'higher', null]);
  assert.deepEqual(confidence['no-fg'], bgGap);
});
