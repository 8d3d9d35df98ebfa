import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { UserError } from '../../core/base/errors.ts';
import { DEFAULT_THRESHOLDS } from '../../core/data/groups.ts';
import { exponentialProfile, planLongTail, type LongTailClass } from '../../core/data/long-tail.ts';
import { describeTail, gini, tailBars, tailText } from '../../core/data/tail.ts';

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof UserError && error.code === code;

const named = (counts: Record<string, number>): { name: string; count: number }[] =>
  Object.entries(counts).map(([name, count]) => ({ name, count }));

test('a tail in numbers, by hand', () => {
  const tail = describeTail(named({ ant: 20, bee: 200, cat: 0, dog: 80 }), DEFAULT_THRESHOLDS);
  assert.deepEqual(
    tail.classes.map(({ name, group, rankGroup }) => [name, group, rankGroup]),
    [
      ['bee', 'many', 'many'],
      ['dog', 'medium', 'medium'],
      ['ant', 'medium', 'few'],
      ['cat', 'few', 'few'],
    ],
  );
  assert.equal(tail.images, 300);
  assert.equal(tail.ratio, 10);
  // Ascending 0 20 80 200: (-3*0 - 1*20 + 1*80 + 3*200) / (4 * 300).
  assert.equal(tail.gini, 660 / 1200);
  const entropy = -(2 / 3) * Math.log(2 / 3) - (4 / 15) * Math.log(4 / 15) - (1 / 15) * Math.log(1 / 15);
  assert.ok(Math.abs(tail.effectiveClasses! - Math.exp(entropy)) < 1e-12);
  assert.deepEqual(tail.empty, ['cat']);
  assert.equal(
    tailText(tail),
    '300 images in 4 classes; bee has 200, ant 20: ratio 10.0. Gini 0.55; as varied as 2.2 equally large classes. ' +
      'Classes by training images: 1 many (over 100), 2 medium, 1 few (under 20). Without any image: cat.',
  );
});

test('equal classes have no tail; no images have no numbers', () => {
  const even = describeTail(named({ a: 7, b: 7, c: 7 }), DEFAULT_THRESHOLDS);
  assert.deepEqual([even.ratio, even.gini], [1, 0]);
  assert.ok(Math.abs(even.effectiveClasses! - 3) < 1e-12);
  for (const counts of [[], named({ a: 0, b: 0 })]) {
    const none = describeTail(counts, DEFAULT_THRESHOLDS);
    assert.deepEqual([none.ratio, none.gini, none.effectiveClasses, none.images], [null, null, null, 0]);
    assert.equal(tailText(none), 'There are no images.');
  }
});

test('Gini: half the mean difference of all pairs over the mean, at most (n - 1) / n, blind to scale', () => {
  const counts = [5, 1, 19, 3, 3, 40];
  const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  const pairs = counts.flatMap((a) => counts.map((b) => Math.abs(a - b)));
  const difference = pairs.reduce((sum, d) => sum + d, 0) / pairs.length;
  assert.ok(Math.abs(gini(counts)! - difference / (2 * mean)) < 1e-12);
  assert.ok(Math.abs(gini(counts.map((n) => 10 * n))! - gini(counts)!) < 1e-12);
  assert.equal(gini([0, 0, 0, 9]), 3 / 4);
});

test('bars fill their width, keep their order and fit a line in any script', () => {
  const { classes } = describeTail(
    named({ 'head class': 1000, 猫の写真: 100, é: 1, none: 0, ['x'.repeat(90)]: 10 }),
    DEFAULT_THRESHOLDS,
  );
  for (const scale of ['linear', 'log'] as const) {
    for (const width of [40, 80, 120]) {
      const lines = tailBars(classes, { scale, width });
      for (const line of lines) assert.ok(stringWidth(line) <= width, line);
      const lengths = lines.map((line) => line.match(/█/g)?.length ?? 0);
      assert.deepEqual(
        lengths,
        lengths.toSorted((a, b) => b - a),
      );
      assert.match(lines[0], /^head class +1000 {2}█+ {2}many$/);
      // One image of a thousand still shows, none does not.
      assert.match(lines[3], /[▏▎▍▌▋▊▉█]/);
      assert.doesNotMatch(lines[4], /[▏▎▍▌▋▊▉█]/);
    }
  }
  assert.deepEqual(tailBars([], { scale: 'log', width: 80 }), []);
});

test('the exponential profile is the published one', () => {
  assert.deepEqual(exponentialProfile(5000, 100, 10), [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]);
  assert.deepEqual(exponentialProfile(5000, 50, 10), [5000, 3237, 2096, 1357, 878, 568, 368, 238, 154, 100]);
  assert.deepEqual(exponentialProfile(5000, 10, 10), [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]);
  const cifar100 = exponentialProfile(500, 100, 100);
  assert.deepEqual([...cifar100.slice(0, 3), ...cifar100.slice(-3)], [500, 477, 455, 5, 5, 5]);
  assert.equal(
    cifar100.reduce((sum, n) => sum + n, 0),
    10_847,
  );
  assert.equal(
    exponentialProfile(500, 50, 100).reduce((sum, n) => sum + n, 0),
    12_608,
  );
  assert.deepEqual(exponentialProfile(6000, 100, 10), [6000, 3596, 2156, 1292, 774, 464, 278, 166, 100, 60]);
  assert.deepEqual(exponentialProfile(9, 3, 1), [9]);
  // Last class exactly largest / ratio, whatever binary fractions do.
  for (let ratio = 1; ratio <= 300; ratio++) assert.equal(exponentialProfile(7 * ratio, ratio, 4)[3], 7);
});

/** Classes with so many images; ids and contents differ. */
function classesOf(counts: Record<string, number>, firstId = 1): LongTailClass[] {
  let id = firstId;
  return Object.entries(counts).map(([name, count]) => ({
    name,
    images: Array.from({ length: count }, (_, i) => ({ id: id++, hash: `${name} ${String(i).padStart(5, '0')}` })),
  }));
}

test('made long-tailed by name: MNIST clipped to what a class has, as in the paper', () => {
  const mnist = { 0: 5923, 1: 6742, 2: 5958, 3: 6131, 4: 5842, 5: 5421, 6: 5918, 7: 6265, 8: 5851, 9: 5949 };
  const plan = planLongTail(classesOf(mnist), { ratio: 100, largest: 6000, order: 'name', seed: 1 });
  assert.deepEqual(
    plan.classes.map(({ kept }) => kept),
    [5923, 3596, 2156, 1292, 774, 464, 278, 166, 100, 60],
  );
  assert.equal(plan.excluded.length, 60_000 - 14_809);
  assert.equal(new Set(plan.excluded).size, plan.excluded.length);
});

test('made long-tailed by size: classes keep their order of size', () => {
  const plan = planLongTail(classesOf({ ant: 90, bee: 100, cat: 100 }), { ratio: 4, order: 'size', seed: 1 });
  assert.equal(plan.largest, 100);
  assert.deepEqual(plan.classes, [
    { name: 'bee', images: 100, kept: 100 },
    { name: 'cat', images: 100, kept: 50 },
    { name: 'ant', images: 90, kept: 25 },
  ]);
});

test('the choice follows seed, name and content, not ids or the order of import', () => {
  const options = { ratio: 5, order: 'name', seed: 7 } as const;
  const contents = (classes: LongTailClass[], seed: number): string[] => {
    const { excluded } = planLongTail(classes, { ...options, seed });
    const hashOf = new Map(classes.flatMap(({ images }) => images.map(({ id, hash }) => [id, hash])));
    return excluded.map((id) => hashOf.get(id)!).toSorted();
  };
  const classes = classesOf({ ant: 50, bee: 50, cat: 50 });
  const shuffled = classesOf({ ant: 50, bee: 50, cat: 50 }, 900)
    .map(({ name, images }) => ({ name, images: images.toReversed() }))
    .toReversed();
  assert.deepEqual(contents(shuffled, 7), contents(classes, 7));
  assert.notDeepEqual(contents(classes, 8), contents(classes, 7));
});

test('a profile that cannot be is refused', () => {
  const classes = classesOf({ ant: 50, bee: 50 });
  const plan = (ratio: number, largest?: number): unknown =>
    planLongTail(classes, { ratio, order: 'name', seed: 1, ...(largest === undefined ? {} : { largest }) });
  for (const ratio of [0.5, 0, -1, NaN, Infinity, 51]) assert.throws(() => plan(ratio), hasCode('usage'));
  for (const largest of [0, 1.5, NaN]) assert.throws(() => plan(10, largest), hasCode('usage'));
  assert.throws(() => planLongTail([], { ratio: 10, order: 'name', seed: 1 }), hasCode('empty'));
});
