import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { groupsByCount } from '../../core/data/groups.ts';
import {
  adjustLogits,
  logPrior,
  predictAdjusted,
  scannedTaus,
  weightNorms,
  type Lever,
} from '../../core/evaluation/adjustment.ts';
import {
  fitTemperature,
  fitTemperatures,
  reliabilityByGroup,
  temperaturesByClass,
  type Answered,
} from '../../core/evaluation/calibration.ts';
import { computeFigures } from '../../core/evaluation/figures.ts';
import { halve } from '../../core/evaluation/halves.ts';
import { predict } from '../../core/evaluation/predictions.ts';
import { tauCurve } from '../../core/evaluation/tau-curve.ts';

const near = (found: number, expected: number, tolerance = 1e-6): void =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected}`);

test('halves are disjoint, whole, stratified, and the same for any order of the images', () => {
  const random = Random.stream(1, 'test');
  const ids = Int32Array.from({ length: 97 }, (_, i) => 1000 + 3 * i);
  const labels = Int32Array.from(ids, () => random.below(6));
  labels[0] = 6;
  const { choosing, reporting } = halve(ids, labels, 8, 7);
  assert.deepEqual(
    [...choosing, ...reporting].toSorted((a, b) => a - b),
    [...ids.keys()],
  );
  for (let label = 0; label < 8; label++) {
    const of = (half: Int32Array): number => half.filter((at) => labels[at] === label).length;
    const excess = of(reporting) - of(choosing);
    assert.ok(excess === 0 || excess === 1, `class ${label}: ${of(choosing)} and ${of(reporting)}`);
  }
  assert.ok(reporting.includes(0), 'the only image of a class is reported on');

  const order = Random.stream(2, 'order').permutation(ids.length);
  const moved = halve(
    Int32Array.from(order, (at) => ids[at]),
    Int32Array.from(order, (at) => labels[at]),
    8,
    7,
  );
  assert.deepEqual(
    new Set(Array.from(moved.choosing, (at) => ids[order[at]])),
    new Set(Array.from(choosing, (at) => ids[at])),
  );
  assert.notDeepEqual(halve(ids, labels, 8, 8).choosing, choosing, 'another seed gives other halves');
});

test('logit adjustment subtracts tau times the log prior', () => {
  const lever: Lever = { kind: 'logit-adjustment', logPrior: logPrior([90, 9, 1, 0]) };
  const uniform = Float32Array.of(2, 1, 0, -1);
  const adjusted = adjustLogits({ uniform, balanced: null }, 'uniform', lever, 1.5);
  // By hand: 2 - 1.5 ln(90/101), …; the class without images counts as if it had one.
  for (const [c, n] of [90, 9, 1, 1].entries()) near(adjusted[c], uniform[c] - 1.5 * Math.log(n / 101));
  assert.deepEqual(adjustLogits({ uniform, balanced: null }, 'uniform', lever, 0), uniform);
  assert.throws(() => adjustLogits({ uniform, balanced: null }, 'mean', lever, 1), /not trained/);
});

test('answers of a scan are those of the adjusted logits', () => {
  const random = Random.stream(5, 'scan');
  const made = (count: number): number[] => Array.from({ length: count }, () => random.normal());
  const logits = { uniform: Float32Array.from(made(7000)), balanced: Float32Array.from(made(7000)) };
  const norms = { uniform: Float64Array.from(made(7), Math.exp), balanced: Float64Array.from(made(7), Math.exp) };
  for (const lever of [
    { kind: 'tau-norm', norms },
    { kind: 'logit-adjustment', logPrior: logPrior([70, 60, 50, 40, 9, 2, 1]) },
  ] satisfies Lever[]) {
    for (const head of ['uniform', 'balanced', 'mean'] as const) {
      for (const tau of [0, 0.4, 1.7]) {
        const scanned = predictAdjusted(logits, head, lever, tau);
        assert.deepEqual(scanned, predict(adjustLogits(logits, head, lever, tau), 7));
      }
    }
  }
});

test('tau-normalisation divides by the length of the weights; the mean of both heads by each its own', () => {
  // [features 2, classes 3]: lengths 5, 1, 0.
  const norms = weightNorms(Float32Array.of(3, 1, 0, 4, 0, 0), 3);
  assert.deepEqual([...norms], [5, 1, 0]);
  const lever: Lever = { kind: 'tau-norm', norms: { uniform: norms, balanced: Float64Array.of(2, 2, 4) } };
  const logits = { uniform: Float32Array.of(10, 1, 3), balanced: Float32Array.of(4, 4, 4) };
  assert.deepEqual([...adjustLogits(logits, 'uniform', lever, 1)], [2, 1, 3]);
  const half = adjustLogits(logits, 'mean', lever, 0.5);
  near(half[0], (10 / Math.sqrt(5) + 4 / Math.SQRT2) / 2);
  near(half[1], (1 + 4 / Math.SQRT2) / 2);
  near(half[2], (3 + 2) / 2);
});

/** Made answers of a model that favours classes with many images, as one trained on a long tail does. */
function madeRun(images: number, trainCounts: readonly number[]) {
  const classes = trainCounts.length;
  const random = Random.stream(3, 'logits');
  const labels = Int32Array.from({ length: images }, (_, i) => i % classes);
  const prior = logPrior(trainCounts);
  const uniform = Float32Array.from({ length: images * classes }, (_, at) => {
    const c = at % classes;
    const right = labels[Math.floor(at / classes)] === c ? 2 : 0;
    return 3 * (right + random.normal() + prior[c]);
  });
  const ids = Int32Array.from(labels.keys());
  return {
    logits: { uniform, balanced: null },
    labels,
    trainCounts,
    thresholds: { many: 100, few: 20 },
    parts: halve(ids, labels, classes, 1),
  };
}

const COUNTS = [500, 300, 120, 60, 30, 15, 8, 4];

test('the curve reports on one half what was chosen on the other, and gives the tail what it takes from the head', () => {
  const run = madeRun(1600, COUNTS);
  const lever: Lever = { kind: 'logit-adjustment', logPrior: logPrior(COUNTS) };
  const { points, suggested } = tauCurve(run, 'uniform', lever);
  assert.deepEqual(
    points.map(({ tau }) => tau),
    scannedTaus('logit-adjustment'),
  );
  const at = (tau: number) => points.find((point) => point.tau === tau)!;
  for (const tau of [0, suggested]) {
    const adjusted = adjustLogits(run.logits, 'uniform', lever, tau);
    const rows = Array.from(run.parts.reporting, (position) => [
      ...adjusted.subarray(position * COUNTS.length, (position + 1) * COUNTS.length),
    ]);
    const { top1, macroRecall, groups, ranges } = computeFigures({
      logitsUniform: Float32Array.from(rows.flat()),
      logitsBalanced: null,
      labels: Int32Array.from(run.parts.reporting, (position) => run.labels[position]),
      classes: COUNTS.length,
      trainCounts: COUNTS,
      thresholds: run.thresholds,
    }).heads.uniform;
    assert.deepEqual(at(tau).figures, { top1, macroRecall, groups, ranges });
  }
  // The made prior weighs three times.
  assert.ok(suggested > 2 && suggested <= 3, `suggested ${suggested}`);
  const best = Math.max(...points.map(({ chosenBy }) => chosenBy!));
  assert.equal(at(suggested).chosenBy, best);
  assert.ok(at(suggested).figures.groups.few!.value > at(0).figures.groups.few!.value + 0.2);
  assert.ok(at(0).figures.groups.many!.value > at(suggested).figures.groups.many!.value);
});

test('what is suggested knows nothing of the reporting half', () => {
  const run = madeRun(1600, COUNTS);
  const lever: Lever = { kind: 'logit-adjustment', logPrior: logPrior(COUNTS) };
  const before = tauCurve(run, 'uniform', lever);
  const labels = run.labels.slice();
  for (const at of run.parts.reporting) labels[at] = (labels[at] + 1) % COUNTS.length;
  const after = tauCurve({ ...run, labels }, 'uniform', lever);
  assert.equal(after.suggested, before.suggested);
  assert.notDeepEqual(after.points[0].figures, before.points[0].figures);
});

test('without images to choose on nothing is suggested', () => {
  const run = madeRun(8, COUNTS);
  assert.equal(run.parts.choosing.length, 0);
  const { suggested, points } = tauCurve(run, 'uniform', { kind: 'logit-adjustment', logPrior: logPrior(COUNTS) });
  assert.deepEqual([suggested, points[0].chosenBy], [0, null]);
});

/** Cross entropy at a temperature, written out. */
function crossEntropy({ logits, labels, positions, classes }: Answered, temperature: number): number {
  let sum = 0;
  for (const at of positions) {
    const row = [...logits.subarray(at * classes, (at + 1) * classes)].map((z) => Math.exp(z / temperature));
    sum -= Math.log(row[labels[at]] / row.reduce((a, b) => a + b, 0));
  }
  return sum;
}

function answered(images = 1600): Answered {
  const run = madeRun(images, COUNTS);
  const { uniform } = run.logits;
  return {
    logits: uniform,
    labels: run.labels,
    predicted: predict(uniform, COUNTS.length),
    positions: run.parts.choosing,
    classes: COUNTS.length,
  };
}

test('the temperature is the one with the least cross entropy', () => {
  const given = answered();
  const temperature = fitTemperature(given)!;
  assert.ok(temperature > 1.5, 'the made logits are three times too sure');
  const least = crossEntropy(given, temperature);
  for (const factor of [0.9, 0.99, 1.01, 1.1]) assert.ok(crossEntropy(given, temperature * factor) > least);
  // Logits of another scale want a temperature of that scale.
  for (const scale of [0.3, 2]) {
    const scaled = { ...given, logits: given.logits.map((z) => z * scale) };
    near(fitTemperature(scaled)! / (temperature * scale), 1, 1e-4);
  }
});

test('nothing is fitted to no images, or to answers that are all right', () => {
  const given = answered();
  const right = given.positions.filter((at) => given.predicted[at] === given.labels[at]);
  assert.equal(fitTemperature({ ...given, positions: right }), null);
  assert.equal(fitTemperature({ ...given, positions: new Int32Array() }), null);
  const groups = groupsByCount(COUNTS, { many: 100, few: 20 });
  assert.deepEqual(fitTemperatures({ ...given, positions: right }, groups), {
    overall: 1,
    groups: { many: 1, medium: 1, few: 1 },
  });
});

test('temperatures of the groups are fitted on the answers of each and lower the calibration error', () => {
  const run = madeRun(4000, COUNTS);
  const given = answered(4000);
  const groups = groupsByCount(COUNTS, { many: 100, few: 20 });
  const fitted = fitTemperatures(given, groups);
  const many = given.positions.filter((at) => groups[given.predicted[at]] === 'many');
  assert.equal(fitted.groups.many, fitTemperature({ ...given, positions: many }));
  const byClass = temperaturesByClass(fitted, 'group', groups)!;
  assert.deepEqual([byClass[0], byClass[7]], [fitted.groups.many, fitted.groups.few]);
  assert.deepEqual(
    temperaturesByClass(fitted, 'overall', groups),
    COUNTS.map(() => fitted.overall),
  );
  assert.equal(temperaturesByClass(fitted, 'none', groups), null);

  const reported = { ...given, positions: run.parts.reporting };
  const before = reliabilityByGroup(reported, null, groups);
  const after = reliabilityByGroup(reported, byClass, groups);
  for (const group of ['all', 'many', 'medium', 'few'] as const) {
    assert.equal(after[group].answers, before[group].answers);
  }
  assert.ok(after.all.error! < before.all.error! / 2, `${before.all.error} ${after.all.error}`);
});

test('the calibration error is the mean distance of confidence and share of right answers, bin by bin', () => {
  // Two classes; confidence 0.9 four times (three right), 0.6 twice (none right): 4/6 * 0.15 + 2/6 * 0.6.
  const given: Answered = {
    logits: Float32Array.from([0.9, 0.9, 0.9, 0.9, 0.6, 0.6].flatMap((p) => [Math.log(p / (1 - p)), 0])),
    labels: Int32Array.of(0, 0, 0, 1, 1, 1),
    predicted: new Int32Array(6),
    positions: Int32Array.of(0, 1, 2, 3, 4, 5),
    classes: 2,
  };
  const { all, many, few } = reliabilityByGroup(given, null, ['many', 'few']);
  near(all.error!, (4 * 0.15 + 2 * 0.6) / 6);
  assert.deepEqual(
    all.bins.map(({ right }) => [right.images, right.value]),
    [
      [2, 0],
      [4, 0.75],
    ],
  );
  near(all.bins[1].confidence, 0.9);
  assert.deepEqual([many, few], [all, { error: null, answers: 0, bins: [] }]);
  // At half the temperature 0.9 becomes 81 / 82.
  near(reliabilityByGroup(given, [0.5, 1], ['many', 'few']).all.bins[1].confidence, 81 / 82);
});
