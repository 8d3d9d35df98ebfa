import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { DEFAULT_THRESHOLDS } from '../../core/data/groups.ts';
import { compareRuns, pairImages, verdict, type ComparisonInput } from '../../core/evaluation/compare.ts';
import { figuresOfMatrix, type HeadFigures } from '../../core/evaluation/figures.ts';
import { compareSeeds, seedDifference } from '../../core/evaluation/seeds.ts';
import { differenceText, editsSentence, fewTestImages, percent, points } from '../../core/evaluation/sentences.ts';

/** One class after the other; `[images, right by both, only by b, only by a]` each. */
function outcomes(
  classes: readonly (readonly [number, number, number, number])[],
  trainCounts: number[],
): ComparisonInput {
  const labels: number[] = [];
  const a: number[] = [];
  const b: number[] = [];
  for (const [label, [images, both, gained, lost]] of classes.entries()) {
    for (let i = 0; i < images; i++) {
      labels.push(label);
      a.push(i < both || (i >= both + gained && i < both + gained + lost) ? 1 : 0);
      b.push(i < both + gained ? 1 : 0);
    }
  }
  return {
    a: Uint8Array.from(a),
    b: Uint8Array.from(b),
    labels: Int32Array.from(labels),
    classes: classes.length,
    trainCounts,
    thresholds: DEFAULT_THRESHOLDS,
    seed: 1,
  };
}

const close = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('a comparison by hand: overall, macro, groups, classes', () => {
  const input = outcomes(
    [
      [100, 80, 2, 10],
      [50, 20, 15, 1],
      [10, 2, 6, 0],
      [0, 0, 0, 0],
    ],
    [500, 50, 5, 3],
  );
  const { overall, macroRecall, groups, ranges, classes, images } = compareRuns(input);
  assert.equal(images, 160);
  close(overall!.a, 113 / 160, 1e-12);
  close(overall!.b, 125 / 160, 1e-12);
  close(overall!.value, 12 / 160, 1e-12);
  assert.deepEqual([overall!.gained, overall!.lost, overall!.images], [23, 11, 160]);
  close(macroRecall!.value, (-8 / 100 + 14 / 50 + 6 / 10) / 3, 1e-12);
  close(macroRecall!.a, (90 / 100 + 21 / 50 + 2 / 10) / 3, 1e-12);
  assert.deepEqual([groups.many!.verdict, groups.medium!.verdict, groups.few!.verdict], ['worse', 'better', 'better']);
  close(ranges.many!.value, -0.08, 1e-12);
  close(groups.few!.value, 0.6, 1e-12);
  assert.equal(classes[3], null);
  assert.deepEqual(classes[2], groups.few);
});

test('the bootstrap has the spread that theory gives it, and is the same each time', () => {
  const input = outcomes([[400, 200, 60, 40]], [500]);
  const { overall } = compareRuns(input);
  // Paired variance of a mean: (p+ + p- - (p+ - p-)²) / n.
  const error = Math.sqrt((0.15 + 0.1 - 0.05 ** 2) / 400);
  close(overall!.low, 0.05 - 1.96 * error, 0.006);
  close(overall!.high, 0.05 + 1.96 * error, 0.006);
  assert.deepEqual(compareRuns(input).overall, overall);
  assert.notDeepEqual(compareRuns({ ...input, seed: 2 }).overall, overall);
});

test('strata keep their sizes: one class all gained and one all lost leave no doubt', () => {
  const { overall, macroRecall } = compareRuns(
    outcomes(
      [
        [30, 0, 30, 0],
        [10, 0, 0, 10],
      ],
      [200, 10],
    ),
  );
  assert.deepEqual([overall!.low, overall!.value, overall!.high], [0.5, 0.5, 0.5]);
  assert.deepEqual([macroRecall!.low, macroRecall!.value, macroRecall!.high], [0, 0, 0]);
  assert.equal(macroRecall!.verdict, 'no clear difference');
});

test('equal runs differ in nothing; swapped runs swap the verdict', () => {
  const input = outcomes(
    [
      [200, 90, 40, 10],
      [50, 20, 20, 5],
    ],
    [500, 5],
  );
  const same = compareRuns({ ...input, b: input.a });
  for (const row of [same.overall, same.macroRecall, ...same.classes]) {
    assert.deepEqual([row!.value, row!.low, row!.high, row!.verdict], [0, 0, 0, 'no clear difference']);
  }
  const forth = compareRuns(input).overall!;
  const back = compareRuns({ ...input, a: input.b, b: input.a }).overall!;
  assert.equal(back.value, -forth.value);
  assert.deepEqual([forth.verdict, back.verdict], ['better', 'worse']);
});

test('two models of equal skill are told apart by chance about one time in twenty', () => {
  const random = Random.stream(5, 'no difference');
  const trials = 200;
  let told = 0;
  for (let trial = 0; trial < trials; trial++) {
    const labels = Int32Array.from({ length: 80 }, (_, i) => i % 4);
    const flags = (): Uint8Array => Uint8Array.from(labels, () => (random.uniform() < 0.7 ? 1 : 0));
    const base = { labels, classes: 4, trainCounts: [500, 200, 50, 5], thresholds: DEFAULT_THRESHOLDS };
    const { macroRecall } = compareRuns({ ...base, a: flags(), b: flags(), seed: trial });
    if (macroRecall!.verdict !== 'no clear difference') told++;
  }
  assert.ok(told / trials > 0.01 && told / trials < 0.1, `told apart in ${told} of ${trials}`);
});

test('a verdict needs an interval off zero and six changed answers', () => {
  assert.equal(verdict({ low: 0.01, high: 0.2 }), 'better');
  assert.equal(verdict({ low: -0.2, high: -0.01 }), 'worse');
  assert.equal(verdict({ low: 0, high: 0.2 }), 'no clear difference');
  assert.equal(verdict({ low: 0.5, high: 1, gained: 5, lost: 0 }), 'no clear difference');
  assert.equal(verdict({ low: 0.5, high: 1, gained: 6, lost: 0 }), 'better');
});

test('runs with other test images are compared on those they share', () => {
  assert.deepEqual(pairImages([5, 9, 7], [7, 8, 5]), { inA: [0, 2], inB: [2, 0] });
  assert.deepEqual(pairImages([1], [2]), { inA: [], inB: [] });
});

test('paired seeds by hand', () => {
  // Differences 0.04 0.02 0.06: mean 0.04, deviation 0.02, t(0.975, 2) = 4.302653.
  const row = seedDifference([
    [0.4, 0.44],
    [0.5, 0.52],
    [0.42, 0.48],
    [null, 0.9],
  ])!;
  assert.equal(row.seeds, 3);
  close(row.a, 0.44, 1e-12);
  close(row.b, 0.48, 1e-12);
  close(row.value, 0.04, 1e-12);
  close(row.deviation!, 0.02, 1e-12);
  close(row.low!, 0.04 - (4.302653 * 0.02) / Math.sqrt(3), 1e-6);
  close(row.high!, 0.04 + (4.302653 * 0.02) / Math.sqrt(3), 1e-6);
  assert.equal(row.verdict, 'no clear difference');
  assert.equal(
    seedDifference([
      [0.4, 0.44],
      [0.5, 0.54],
      [0.42, 0.47],
    ])!.verdict,
    'better',
  );
  const single = seedDifference([[0.4, 0.9]])!;
  assert.deepEqual([single.low, single.high, single.verdict], [null, null, 'no clear difference']);
  assert.equal(seedDifference([[null, 1]]), null);
});

/** Figures of two classes from their confusion matrix. */
function head(...matrix: number[]): HeadFigures {
  return figuresOfMatrix(Int32Array.from(matrix), [500, 5], DEFAULT_THRESHOLDS);
}

test('seeds are compared figure by figure', () => {
  const seeds = compareSeeds([
    [head(9, 1, 8, 2), head(9, 1, 5, 5)],
    [head(8, 2, 9, 1), head(9, 1, 5, 5)],
  ]);
  close(seeds.top1!.value, (3 / 20 + 5 / 20) / 2, 1e-12);
  close(seeds.groups.many!.value, 0.05, 1e-12);
  close(seeds.groups.few!.value, 0.35, 1e-12);
  assert.equal(seeds.groups.medium, null);
  close(seeds.classes[1]!.value, 0.35, 1e-12);
  assert.deepEqual(compareSeeds([]).classes, []);
});

test('seeds that all differ by the same say nothing of the luck of training', () => {
  const same = seedDifference([
    [0.4, 0.5],
    [0.6, 0.7],
  ])!;
  assert.ok(Math.abs(same.value - 0.1) < 1e-12);
  assert.deepEqual([same.low, same.high, same.verdict], [null, null, 'no clear difference']);
});

test('figures in words', () => {
  assert.equal(percent(0.4625), '46.3 %');
  assert.deepEqual([0.0521, -0.003, 0.0001, -0.0001, 0].map(points), ['+5.2', '-0.3', '0.0', '0.0', '0.0']);
  const row = { a: 0.41, b: 0.462, value: 0.052, low: 0.01, high: 0.094, verdict: 'better' } as const;
  assert.equal(
    differenceText({ ...row, images: 100, gained: 20, lost: 5 }, ['control', 'CSA']),
    'CSA 46.2 % against control 41.0 %: +5.2 points (95 % interval +1.0 to +9.4), better',
  );
  assert.equal(
    differenceText({ ...row, seeds: 5, deviation: 0.02 }, ['control', 'CSA']),
    'CSA 46.2 % against control 41.0 % over 5 seeds: +5.2 points (95 % interval +1.0 to +9.4), better',
  );
  const toldWithout = /\(no interval\), no clear difference$/;
  assert.match(differenceText(seedDifference([[0.4, 0.5]]), ['a', 'b']), toldWithout);
  assert.equal(differenceText(null, ['a', 'b']), 'no test images');
});

test('few test images are warned of with the step of their figure', () => {
  assert.equal(
    fewTestImages([
      { name: 'owl', tested: 20 },
      { name: 'auk', tested: 0 },
    ]),
    null,
  );
  assert.match(fewTestImages([{ name: 'owl', tested: 5 }])!, /^Class owl has 5 test images: .* steps of 20 points/);
  assert.match(
    fewTestImages([
      { name: 'owl', tested: 5 },
      { name: 'auk', tested: 1 },
      { name: 'tit', tested: 99 },
    ])!,
    /^Class auk has 1 test image, the fewest of 2 classes with under 20: .* steps of 100 points/,
  );
});

/** Pairs of runs that differ by so much, a pair for each seed. */
function pairedBy(differences: readonly number[]): ReturnType<typeof seedDifference> {
  return seedDifference(differences.map((difference) => [0.5, 0.5 + difference] as const));
}

test('whether edits helped is said with its interval, and no louder than it is known', () => {
  const pair = compareRuns(outcomes([[100, 40, 30, 0]], [500]));
  assert.match(
    editsSentence(pair.macroRecall, 1),
    /^From one pair of runs your edits helped: macro recall 70.0 % with your edits, 40.0 % without \(\+30.0 points, .* over test images\)\. Another seed may say otherwise/,
  );
  assert.match(
    editsSentence(pairedBy([-0.1, -0.11, -0.09]), 3),
    /^Over 3 seeds your edits did harm: .* over seeds\)\.$/,
  );
  assert.match(
    editsSentence(pairedBy([0.1, -0.1]), 2),
    /^Over 2 seeds there is no clear difference: .*done nothing\.$/,
  );
  assert.match(editsSentence(null, 0), /nothing can be said/);
});
