import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasBfloat16 } from '../../core/engine/bfloat16.ts';
import { planRun, planSettings } from '../../core/services/training-plan.ts';
import { Random } from '../../core/base/random.ts';
import type { Json } from '../../core/base/json.ts';
import { imagesOf, snapshotOf } from '../fixtures/snapshots.ts';
import { UserError } from '../../core/base/errors.ts';
import { METHODS, TrainConfig } from '../../core/training/config.ts';
import {
  applySmallSetRules,
  makeConfig,
  modelFor,
  PRESETS,
  proposeInputSize,
  sizeCost,
  type TrainOverrides,
} from '../../core/training/presets.ts';

test('precision is bfloat16 where the processor has it, and never where it would have to be emulated', () => {
  const snapshot = snapshotOf(imagesOf(0, 5, 1));
  const planned = (overrides: TrainOverrides): string =>
    planRun(snapshot, { method: 'ce', preset: 'small', overrides }).config.precision;
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  const has = /\b(avx512_bf16|amx_bf16)\b/.test(flags);
  assert.equal(hasBfloat16(), has);
  assert.equal(planned({}), has ? 'bfloat16' : 'float32');
  assert.equal(planned({ precision: 'float32' }), 'float32');
  if (has) assert.equal(planned({ precision: 'bfloat16' }), 'bfloat16');
  else
    assert.throws(
      () => planned({ precision: 'bfloat16' }),
      /Neither this processor .* has bfloat16.*choose precision float32/,
    );
});

test('every preset is a whole configuration for every method', () => {
  for (const preset of PRESETS) {
    for (const method of METHODS) {
      const config = makeConfig(method, preset, 32);
      assert.deepEqual(TrainConfig.parse(config), config);
      assert.equal(config.method, method);
    }
  }
});

test('the preset "paper" is the recipe of the paper (method.md 3.1)', () => {
  const {
    groups: _,
    minSteps: __,
    evaluateEvery: ___,
    seed: ____,
    threads: _____,
    precision: ______,
    ...recipe
  } = makeConfig('csa', 'paper', 32);
  assert.deepEqual(recipe, {
    method: 'csa',
    model: { kind: 'resnet-cifar', blocks: 5 },
    weights: null,
    tune: { stages: 'all', rate: 1, batchNorm: 'batch' },
    inputSize: 32,
    epochs: 200,
    batchSize: 128,
    learningRate: 0.2,
    momentum: 0.9,
    weightDecay: 2e-4,
    warmupEpochs: 5,
    dropEpochs: [160, 180],
    startBalanced: 10,
    delta: 0.8,
    bankSize: 128,
    keepBank: false,
    contextClasses: 'any',
    lambda: { min: 0, max: 1, per: 'batch' },
    mask: 'saliency',
    curatedShare: 0,
    curatedUses: 0,
    curatedUsesPer: 'run',
    augment: { crop: 'padded', pad: 0.125, flip: true, leastArea: 0.08, jitter: 0 },
  });
});

test('what is set by hand wins, and the schedule follows the epochs', () => {
  const config = makeConfig('csa', 'small', 32, { epochs: 30, warmupEpochs: 7, seed: 9 });
  assert.deepEqual(
    [config.epochs, config.warmupEpochs, config.startBalanced, config.dropEpochs, config.seed],
    [30, 7, 3, [24, 27], 9],
  );
  assert.equal(makeConfig('csa', 'quick', 32, { batchSize: 512 }).bankSize, 512, 'a bank holds a batch');
  assert.equal(makeConfig('csa', 'quick', 128, { inputSize: 48 }).model.kind, 'resnet-cifar');
  const { augment } = makeConfig('csa', 'quick', 128, { augment: { flip: false } });
  assert.deepEqual(augment, { crop: 'resized', pad: 0.125, flip: false, leastArea: 0.08, jitter: 0.4 });
  const { augment: small } = makeConfig('csa', 'quick', 64, { augment: { crop: 'resized' } });
  assert.deepEqual([small.crop, small.jitter], ['resized', 0]);
  // A run of before these settings goes on as it began.
  const { crop: _, leastArea: __, jitter: ___, ...before } = augment;
  assert.equal(TrainConfig.parse({ ...config, augment: before }).augment.crop, 'padded');
});

test('a setting out of its range is named', () => {
  const cases: [TrainOverrides, RegExp][] = [
    [{ learningRate: 0 }, /learningRate is out of its range/],
    [{ delta: 1.5 }, /delta is out/],
    [{ batchSize: 1 }, /batchSize is out/],
    [{ lambda: { min: 0, max: 2, per: 'batch' } }, /lambda\.max is out/],
    [{ model: { kind: 'resnet-cifar', blocks: 10 } }, /model\.blocks is out/],
    [{ augment: { leastArea: 0 } }, /augment\.leastArea is out/],
    [{ augment: { jitter: 1.5 } }, /augment\.jitter is out/],
    [{ bankSize: 16 }, /bankSize \(16\) is below batchSize \(32\)/],
    [{ lambda: { min: 0.5, max: 0.2, per: 'batch' } }, /lambda\.min \(0\.5\) is above lambda\.max \(0\.2\)/],
  ];
  for (const [overrides, message] of cases) {
    assert.throws(
      () => makeConfig('csa', 'small', 32, overrides),
      (error) => error instanceof UserError && error.code === 'usage' && message.test(error.message),
      String(message),
    );
  }
});

const propose = (...sides: number[]): number => proposeInputSize(sides.map((side) => ({ side, count: 1 })));

test('an input size fits the middle picture and stays within what processors can train', () => {
  assert.equal(propose(28), 32);
  assert.equal(propose(32, 32, 500), 32);
  assert.equal(propose(33), 48);
  assert.equal(propose(10, 60, 64, 64, 2000), 64);
  assert.equal(propose(3000), 128);
  assert.deepEqual([sizeCost(32), sizeCost(64), sizeCost(224)], [1, 4, 49]);
  assert.deepEqual(modelFor(48, 3), { kind: 'resnet-cifar', blocks: 3 });
  assert.deepEqual(modelFor(64, 3), { kind: 'resnet18' });
});

/** Which settings the rules change, and whether the bank is kept in the end. */
const rules = (method: 'csa' | 'control', overrides: TrainOverrides, images: number): [string[], boolean] => {
  const config = makeConfig(method, 'quick', 32, overrides);
  const fitted = applySmallSetRules(config, images);
  assert.equal(config.keepBank, overrides.keepBank ?? false, 'the given configuration is not touched');
  assert.ok(fitted.rules.every(({ message }) => /\d/.test(message)));
  return [fitted.rules.map(({ setting }) => setting), fitted.config.keepBank];
};

test('small sets: a bank that cannot fill within a tenth of an epoch is kept, short passes are cycled, and it is said', () => {
  // 128 a batch and a bank of 128 fill in one step: a tenth of 20.
  assert.deepEqual(rules('csa', {}, 128 * 20), [[], false]);
  assert.deepEqual(rules('csa', {}, 128 * 20 - 1), [['minSteps'], false]);
  assert.deepEqual(rules('csa', { bankSize: 384 }, 128 * 30), [[], false]);
  assert.deepEqual(rules('csa', { bankSize: 384 }, 128 * 29), [['keepBank'], true]);
  assert.deepEqual(rules('csa', { bankSize: 384 }, 500), [['minSteps', 'keepBank'], true]);
  assert.deepEqual(rules('csa', { bankSize: 384, keepBank: true }, 128 * 29), [[], true]);
  assert.deepEqual(rules('control', { bankSize: 384 }, 128 * 29), [[], false]);
});

test('every wrong setting is told, with its path; what follows from one is not', () => {
  const facts = {
    trainImages: 500,
    evaluation: null,
    besideTest: 0,
    classes: 3,
    medianClass: 100,
    medianSide: 32,
    proposedInputSize: 32,
  };
  const issues = (settings: Record<string, Json>): [string, string][] =>
    planSettings(facts, { method: 'csa', preset: 'small', settings }).issues.map(({ setting, message }) => [
      setting,
      message,
    ]);
  assert.deepEqual(issues({ epochs: 0, momentum: 2, lambda: { min: -1 } }), [
    ['epochs', 'The setting epochs is out of its range: it must be at least 1.'],
    ['momentum', 'The setting momentum is out of its range: it must be at most 0.999.'],
    ['lambda.min', 'The setting lambda.min is out of its range: it must be at least 0.'],
  ]);
  assert.deepEqual(issues({ learningRate: 0, mask: 'none' }), [
    ['learningRate', 'The setting learningRate is out of its range: it must be above 0.'],
    ['mask', 'The setting mask is out of its range: it must be one of saliency, random.'],
  ]);
  assert.deepEqual(issues({ epochs: 'ten' }), [
    ['epochs', 'The setting epochs is out of its range: it must be of type number.'],
  ]);
  assert.deepEqual(issues({ epochs: 1.5 }), [
    ['epochs', 'The setting epochs is out of its range: it must be a whole number.'],
  ]);
  assert.deepEqual(issues({ colour: 'blue' }), [['colour', 'There is no setting colour.']]);
  assert.deepEqual(issues({ bankSize: 8, lambda: { min: 0.6, max: 0.5 }, groups: { many: 5, few: 9 } }), [
    [
      'bankSize',
      'The setting bankSize (8) is below batchSize (32): a batch of contexts could never be drawn. Raise bankSize.',
    ],
    ['lambda.min', 'The setting lambda.min (0.6) is above lambda.max (0.5). Exchange them.'],
    ['groups.many', 'The setting groups.many (5) is below groups.few (9): raise it.'],
  ]);
  const right = planSettings(facts, { method: 'csa', preset: 'small', settings: { epochs: 7, lambda: { max: 0.5 } } });
  assert.ok('plan' in right);
  assert.deepEqual(
    right.plan.config,
    planRun(facts, { method: 'csa', preset: 'small', overrides: { epochs: 7, lambda: { max: 0.5 } } }).config,
  );
});

test('a size is proposed from counted sides as from a list of all', () => {
  const random = Random.stream(1, 'sides');
  for (let i = 0; i < 50; i++) {
    const sides = Array.from({ length: 1 + random.below(30) }, () => 20 + random.below(150));
    const counted = [...Map.groupBy(sides, (side) => side)].map(([side, all]) => ({ side, count: all.length }));
    assert.equal(proposeInputSize(counted), propose(...sides));
  }
});

const rateAndDecay = ({ learningRate, weightDecay }: TrainConfig): number[] => [learningRate, weightDecay];

test('heads of a frozen backbone have a rate and a decay of their own in every preset; what is set by hand wins', () => {
  for (const preset of PRESETS) {
    const frozen = makeConfig('control', preset, 64, { tune: { stages: 0 } });
    assert.deepEqual(rateAndDecay(frozen), [0.001, 0.01], preset);
    const byHand = makeConfig('control', preset, 64, { tune: { stages: 0 }, learningRate: 0.5, weightDecay: 0 });
    assert.deepEqual(rateAndDecay(byHand), [0.5, 0], preset);
  }
  assert.deepEqual(rateAndDecay(makeConfig('ce', 'photos-20', 64, { tune: { stages: 2 } })), [0.02, 0.001]);
});
