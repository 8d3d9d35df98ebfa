/** What a step changes of a network that is trained in part, and what it leaves as it was. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { prunePacks } from '../../core/data/prune-packs.ts';
import type { Engine } from '../../core/engine/backend.ts';
import { TracedFunction } from '../../core/engine/traced-function.ts';
import { tensorsOf } from '../../core/engine/tree.ts';
import { Network, networkOf, STATE_NAMES, type NetworkState } from '../../core/models/network.ts';
import type { ModelConfig, Tuning } from '../../core/training/config.ts';
import { logitsOf, logitsOfFeatures } from '../../core/training/evaluate.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { scaleOf } from '../../core/training/feature-scale.ts';
import { openFeatures, selectFeatures, type Features, type OpenFeatures } from '../../core/training/features.ts';
import { PackedPictures } from '../../core/training/pictures.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { cropInto, MIRRORED, Normaliser, normalisationOf } from '../../core/training/preprocessing.ts';
import { startingState } from '../../core/training/starting-state.ts';
import { disposeState, update, type Batch, type Mix, type Optimiser } from '../../core/training/step.ts';
import { Trainer } from '../../core/training/trainer.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

let engine: Engine;
before(() => {
  engine = startTestEngine();
});

const CLASSES = 4;
const SMALL: ModelConfig = { kind: 'resnet-cifar', blocks: 1 };
const random = Random.stream(7, 'fine-tuning');
const normal = (shape: [number, number, number, number]): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );
const batch = (images: number, size = 32): Batch => ({
  images: normal([images, size, size, 3]),
  labels: tf.tensor1d(
    Int32Array.from({ length: images }, (_, i) => i % CLASSES),
    'int32',
  ),
});
const optimiser = (more: Partial<Optimiser> = {}): Optimiser => ({
  rate: tf.scalar(0.1),
  momentum: 0.9,
  weightDecay: 0.1,
  ...more,
});

const TUNINGS: readonly Pick<Tuning, 'stages' | 'batchNorm'>[] = [
  { stages: 0, batchNorm: 'batch' },
  { stages: 1, batchNorm: 'batch' },
  { stages: 2, batchNorm: 'frozen' },
  { stages: 'all', batchNorm: 'frozen' },
];
const networkFor = (tune: (typeof TUNINGS)[number], model: ModelConfig = SMALL): Network =>
  new Network(model, CLASSES, 'float32', tune);

/** A state whose running statistics are not those of a fresh network. */
function worn(network: Network): NetworkState {
  const fresh = network.initialize(Random.stream(1, 'weights'));
  const vectors = network.vectorsOf(fresh);
  const some = Random.stream(2, 'statistics');
  const statistics = vectors.statistics.map((value) => value + 0.2 * some.uniform());
  disposeState(fresh);
  return network.stateOf({ ...vectors, statistics });
}

test('a state is one vector on the host whatever is frozen: there and back, and the parts are its beginning and end', () => {
  const whole = networkFor({ stages: 'all', batchNorm: 'batch' });
  const expected = whole.vectorsOf(whole.initialize(Random.stream(1, 'weights')));
  for (const tune of TUNINGS) {
    const network = networkFor(tune);
    const state = network.initialize(Random.stream(1, 'weights'));
    const vectors = network.vectorsOf(state);
    for (const name of ['trunk', 'balanced', 'statistics'] as const) assert.deepEqual(vectors[name], expected[name]);
    assert.equal(vectors.trunkMomentum.length, network.tuned.trunk.size);
    assert.deepEqual(network.vectorsOf(network.stateOf(vectors)), vectors);
    assert.equal(network.frozen.trunk.size + network.tuned.trunk.size, whole.trunk.size);
    assert.equal(state.frozen === null, tune.stages === 'all');
    disposeState(state);
  }
  const lite = networkFor({ stages: 2, batchNorm: 'batch' }, { kind: 'efficientnet-lite0' });
  assert.deepEqual(
    [lite.frozen.stages, lite.tuned.stages].map((stages) => stages.map(({ name }) => name)),
    [
      ['stem', 'stage1', 'stage2', 'stage3', 'stage4', 'stage5', 'stage6'],
      ['stage7', 'last'],
    ],
  );
});

test('frozen stages and frozen statistics keep every bit through steps with weight decay; what is trained changes', () => {
  for (const tune of TUNINGS) {
    const network = networkFor(tune);
    let state = worn(network);
    const old = network.vectorsOf(state);
    for (let step = 0; step < 3; step++) {
      const result = update(network, state, batch(8), batch(8), null, optimiser());
      disposeState(state);
      ({ state } = result);
    }
    const now = network.vectorsOf(state);
    const { trunk, statistics } = network.frozen;
    assert.deepEqual(now.trunk.subarray(0, trunk.size), old.trunk.subarray(0, trunk.size));
    for (const { name, values } of network.trunk.views(now.trunk).slice(trunk.specs.length)) {
      const earlier = network.trunk.views(old.trunk).find((view) => view.name === name)!.values;
      assert.ok(
        values.some((value, i) => value !== earlier[i]),
        `${name} is trained`,
      );
    }
    const kept = tune.batchNorm === 'frozen' ? old.statistics.length : statistics.size;
    assert.deepEqual(now.statistics.subarray(0, kept), old.statistics.subarray(0, kept));
    assert.ok(now.statistics.subarray(kept).every((value, i) => value !== old.statistics[kept + i]));
    disposeState(state);
  }
});

test("the backbone's rate is a factor on its change, and none on that of the heads", () => {
  const network = networkFor({ stages: 2, batchNorm: 'batch' });
  const state = worn(network);
  const [main, second] = [batch(8), batch(8)];
  const change = (backboneRate?: number): { backbone: number[]; heads: number[] } => {
    const more = backboneRate === undefined ? {} : { backboneRate };
    const result = update(network, state, main, second, null, optimiser(more));
    const [after, old] = [network.vectorsOf(result.state), network.vectorsOf(state)];
    const delta = (name: 'trunk' | 'balanced'): number[] => [...after[name]].map((value, i) => value - old[name][i]);
    disposeState(result.state);
    const trunk = delta('trunk').slice(network.frozen.trunk.size);
    const size = network.tunedBackboneSize;
    return { backbone: trunk.slice(0, size), heads: [...trunk.slice(size), ...delta('balanced')] };
  };
  const [full, slow] = [change(), change(0.125)];
  assert.deepEqual(change(1), full);
  assert.deepEqual(slow.heads, full.heads);
  for (const [i, value] of slow.backbone.entries()) {
    assert.ok(Math.abs(value - 0.125 * full.backbone[i]) < 2e-7, `weight ${i}: ${value} of ${full.backbone[i]}`);
  }
  assert.ok(full.backbone.some((value) => Math.abs(value) > 1e-3));
});

test('with frozen statistics a step sees what evaluation sees', () => {
  const network = networkFor({ stages: 'all', batchNorm: 'frozen' });
  const state = worn(network);
  const main = batch(8);
  const { sampleLosses } = update(network, state, main, null, null, optimiser());
  using evaluator = new Evaluator(network);
  const probabilities = evaluator.look(state, main).probability.dataSync();
  for (const [i, loss] of sampleLosses.dataSync().entries()) {
    assert.ok(Math.abs(Math.exp(-loss) - probabilities[i]) < 1e-5, `${Math.exp(-loss)} is not ${probabilities[i]}`);
  }
});

test('a traced step of a network that is trained in part has the digits of plain calls, with and without contexts', () => {
  for (const [tune, model, size] of [
    ...TUNINGS.map((each) => [each, SMALL, 32] as const),
    [{ stages: 2, batchNorm: 'batch' }, { kind: 'efficientnet-lite0' }, 32] as const,
    [{ stages: 3, batchNorm: 'frozen' }, { kind: 'efficientnet-lite0' }, 32] as const,
  ]) {
    const network = networkFor(tune, model);
    const traced = new TracedFunction(update);
    const [main, second] = [batch(4, size), batch(4, size)];
    const mix: Mix = {
      contexts: normal([4, size, size, 3]),
      masks: tf.mul(tf.ones([4, size, size, 1]), 0.5),
      lambda: tf.mul(tf.ones([4, 1, 1, 1]), 0.7),
    };
    const settings = optimiser({ backboneRate: 0.5, rate: tf.scalar(0.01) });
    let [one, other] = [worn(network), worn(network)];
    for (const contexts of [null, mix, null, mix]) {
      const plain = update(network, one, main, second, contexts, settings);
      const called = traced.call(network, other, main, second, contexts, settings);
      assert.deepEqual(network.vectorsOf(called.state), network.vectorsOf(plain.state));
      assert.deepEqual(called.sampleLosses.dataSync(), plain.sampleLosses.dataSync());
      disposeState(one);
      disposeState(other);
      [one, other] = [plain.state, called.state];
    }
    assert.equal(traced.untraceable, null);
    traced.dispose();
  }
});

/** Noisy pictures in the pack's form. */
const PIXELS = Array.from({ length: 11 }, () => Uint8Array.from({ length: 32 * 32 * 3 }, () => random.below(256)));
const HASHES = PIXELS.map((_, i) => String(i).padStart(64, '0'));
const port = (stop = new AbortController()): { emit: () => void; signal: AbortSignal } => ({
  emit: () => {},
  signal: stop.signal,
});

test('kept features are what the backbone makes of a picture and of its mirror image; heads see them as evaluation does', async () => {
  const config = makeConfig('ce', 'small', 32, { model: SMALL, tune: { stages: 0 } });
  const network = networkOf(config, CLASSES);
  const state = worn(network);
  using evaluator = new Evaluator(network);
  const pictures = new PackedPictures({ count: 11, size: 32, read: (i) => PIXELS[i] }, config.augment);
  const cacheFolder = temporaryFolder();
  const source = { evaluator, state, pictures, hashes: HASHES, config, use: 'train' as const, cacheFolder };
  using features = await openFeatures(source, port());
  assert.ok(features);
  assert.deepEqual([features.pooled.count, features.pooled.shape, features.maps], [11, [64], null]);
  const normaliser = new Normaliser(normalisationOf(config));
  const pooled = (pixels: Uint8Array): Float32Array =>
    network
      .inference(state)
      .pooled(tf.tensor4d(normaliser.apply(pixels), [1, 32, 32, 3]))
      .dataSync<'float32'>();
  for (const [i, pixels] of PIXELS.entries()) {
    const mirror = new Uint8Array(pixels.length);
    cropInto(pixels, mirror, 32, 3, 0, MIRRORED);
    for (const [mirrored, picture] of [pixels, mirror].entries()) {
      const kept = features.pooled.read(Int32Array.of(i), Uint8Array.of(mirrored));
      for (const [at, value] of pooled(picture).entries()) assert.ok(Math.abs(kept[at] - value) < 1e-5, `${i}: ${at}`);
    }
  }
  assert.deepEqual(
    selectFeatures(features, [4, 9]).pooled.read(Int32Array.of(1)),
    features.pooled.read(Int32Array.of(9)),
  );

  const byFeatures = await logitsOfFeatures(evaluator, state, features.pooled, async () => {});
  const byPixels = await logitsOf(evaluator, state, pictures, normalisationOf(config), async () => {});
  for (const head of ['uniform', 'balanced'] as const) {
    for (const [i, value] of byFeatures[head].entries()) assert.ok(Math.abs(value - byPixels[head][i]) < 1e-5);
  }
  // Kept: the pictures are not needed a second time.
  const gone = new PackedPictures({ count: 11, size: 32, read: () => assert.fail('read again') }, config.augment);
  using again = await openFeatures({ ...source, pictures: gone }, port());
  const all = Int32Array.from(PIXELS.keys());
  assert.deepEqual(again!.pooled.read(all), features.pooled.read(all));
  // Other weights are another pack, and packs that nobody uses are deleted with those of pictures.
  const other = network.initialize(Random.stream(9, 'weights'));
  (await openFeatures({ ...source, state: other }, port()))![Symbol.dispose]();
  const names = readdirSync(join(cacheFolder, 'packed'));
  assert.equal(names.length, 2);
  assert.deepEqual(prunePacks(cacheFolder, Date.now() + 15 * 24 * 3600 * 1000).toSorted(), names.toSorted());
  assert.equal(
    await openFeatures({ ...source, config: { ...config, tune: { ...config.tune, stages: 1 } } }, port()),
    null,
  );
});

test('a run on kept features shows the pictures that they are of, seen as they were, without a draw', async () => {
  const overrides = { model: SMALL, tune: { stages: 0 }, startBalanced: 0, batchSize: 8, bankSize: 8 } as const;
  const config = makeConfig('control', 'small', 32, overrides);
  const network = networkOf(config, CLASSES);
  const pictures = new PackedPictures({ count: 11, size: 32, read: (i) => PIXELS[i] }, config.augment);
  const cacheFolder = temporaryFolder();
  const trainerOn = async (folder: string): Promise<{ trainer: Trainer; features: OpenFeatures }> => {
    const state = network.initialize(Random.stream(3, 'weights'));
    using evaluator = new Evaluator(network);
    const source = { evaluator, state, pictures, hashes: HASHES, config, use: 'train' as const, cacheFolder: folder };
    const features = (await openFeatures(source, port()))!;
    const labels = Int32Array.from(PIXELS.keys(), (i) => i % CLASSES);
    const admitted = Array.from({ length: CLASSES }, () => true);
    return {
      trainer: new Trainer({ config, network, state, pictures, features, labels, admitted, curated: null }),
      features,
    };
  };
  const [watched, alone] = [await trainerOn(cacheFolder), await trainerOn(cacheFolder)];
  let mirrors = 0;
  for (let step = 0; step < 3; step++) {
    await watched.trainer.runStep();
    await alone.trainer.runStep();
    const { batch: seen, mix } = (await watched.trainer.picturesShown(6))!;
    assert.deepEqual([mix, seen.labels.length, seen.pixels.length], [null, 6, 6 * 32 * 32 * 3]);
    for (const [i, index] of seen.indices.entries()) {
      const expected = new Uint8Array(32 * 32 * 3);
      const mirrored = seen.mirrored![i] === 1;
      if (mirrored) cropInto(PIXELS[index], expected, 32, 3, 0, MIRRORED);
      else expected.set(PIXELS[index]);
      mirrors += Number(mirrored);
      assert.deepEqual(seen.pixels.subarray(i * expected.length, (i + 1) * expected.length), expected);
      assert.equal(seen.labels[i], index % CLASSES);
    }
  }
  assert.ok(mirrors > 0 && mirrors < 18);
  assert.deepEqual(watched.trainer.save(), alone.trainer.save());
  for (const { trainer, features } of [watched, alone]) {
    trainer.dispose();
    features[Symbol.dispose]();
  }
});

test('features are made on where a cancel left them, digit for digit, and damage is told', async () => {
  const config = makeConfig('ce', 'small', 256, { model: SMALL, inputSize: 256, tune: { stages: 0 } });
  const network = networkOf(config, CLASSES);
  const state = worn(network);
  using evaluator = new Evaluator(network);
  // Batches of four.
  const large = Array.from({ length: 9 }, (_, i) =>
    new Uint8Array(256 * 256 * 3).map((__, at) => (at * (i + 3)) & 255),
  );
  let read = 0;
  let stopAt = Infinity;
  const stop = new AbortController();
  const pictures = new PackedPictures(
    { count: 9, size: 256, read: (i) => (++read === stopAt && stop.abort(), large[i]) },
    config.augment,
  );
  const hashes = HASHES.slice(0, 9);
  const [whole, parts] = [temporaryFolder(), temporaryFolder()];
  const source = { evaluator, state, pictures, hashes, config, use: 'evaluate' as const };
  using expected = await openFeatures({ ...source, cacheFolder: whole }, port());
  assert.equal(read, 9);
  [read, stopAt] = [0, 9];
  await assert.rejects(
    openFeatures({ ...source, cacheFolder: parts }, port(stop)),
    (error: unknown) => error instanceof UserError && error.code === 'cancelled',
  );
  read = 0;
  using features = await openFeatures({ ...source, cacheFolder: parts }, port());
  assert.ok(read < 9, `${read} of 9 pictures were read again`);
  const all = Int32Array.from(large.keys());
  assert.deepEqual(features!.pooled.read(all), expected!.pooled.read(all));

  const [name] = readdirSync(join(parts, 'packed'));
  const file = join(parts, 'packed', name);
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(file, bytes);
  assert.throws(
    () => features!.pooled.read(all),
    (error: unknown) => error instanceof UserError && error.code === 'damaged' && error.message.includes(file),
  );
});

test('steps on features leave no tensor behind, and refuse contexts', () => {
  const network = networkFor({ stages: 0, batchNorm: 'batch' });
  let state = worn(network);
  const labels = tf.tensor1d([0, 1, 2, 3], 'int32');
  const pooled = tf.randomNormal([4, 64]) as tf.Tensor2D;
  const mix: Mix = {
    contexts: normal([4, 32, 32, 3]),
    masks: tf.mul(tf.ones([4, 32, 32, 1]), 0.5),
    lambda: tf.mul(tf.ones([4, 1, 1, 1]), 0.7),
  };
  const settings = optimiser();
  assert.throws(() => update(network, state, { pooled, labels }, { pooled, labels }, mix, settings), /over images/);
  const old = network.vectorsOf(state);
  let level = 0;
  for (let step = 0; step < 4; step++) {
    const result = update(network, state, { pooled, labels }, { pooled, labels }, null, settings);
    disposeState(state);
    tf.dispose(tensorsOf([result.uniformLoss, result.balancedLoss, result.sampleLosses]).map(({ tensor }) => tensor));
    ({ state } = result);
    if (step === 0) level = engine.backend.getNumOfTFTensors();
  }
  assert.equal(engine.backend.getNumOfTFTensors(), level);
  const now = network.vectorsOf(state);
  const frozen = network.frozen.trunk.size;
  assert.deepEqual(now.trunk.subarray(0, frozen), old.trunk.subarray(0, frozen));
  assert.notDeepEqual(now.trunk.subarray(frozen), old.trunk.subarray(frozen));
  assert.deepEqual(
    STATE_NAMES.filter((name) => now[name].some(Number.isNaN)),
    [],
  );
});

/** Largest difference. */
const apart = (one: Float32Array, other: Float32Array): number =>
  one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0);

test('contexts are found on kept maps as on the pictures, and steps on either are those on the other', async () => {
  for (const model of [SMALL, { kind: 'efficientnet-lite0' } as const]) {
    const overrides = {
      model,
      weights: null,
      tune: { stages: 0 },
      startBalanced: 0,
      delta: 0.2,
      batchSize: 8,
      bankSize: 8,
    };
    const config = makeConfig('csa', 'small', 32, overrides);
    const network = networkOf(config, CLASSES);
    const pictures = new PackedPictures({ count: 11, size: 32, read: (i) => PIXELS[i] }, config.augment);
    const cacheFolder = temporaryFolder();
    const labels = Int32Array.from(PIXELS.keys(), (i) => i % CLASSES);
    const admitted = Array.from({ length: CLASSES }, () => true);
    const trainerOn = async (mostMaps: number): Promise<{ trainer: Trainer; features: OpenFeatures }> => {
      const state = worn(network);
      using evaluator = new Evaluator(network);
      const source = {
        evaluator,
        state,
        pictures,
        hashes: HASHES,
        config,
        use: 'train' as const,
        cacheFolder,
        mostMaps,
      };
      const features = (await openFeatures(source, port()))!;
      const options = { config, network, state, pictures, features, labels, admitted, curated: null };
      return { trainer: new Trainer(options), features };
    };
    const [onMaps, onPictures] = [await trainerOn(Infinity), await trainerOn(0)];
    assert.ok(onMaps.features.maps && !onPictures.features.maps);
    const { shape, count, width } = onMaps.features.maps;
    assert.deepEqual([count, width], [11, shape.reduce((a, b) => a * b)]);
    for (const { trainer } of [onMaps, onPictures]) {
      trainer.beginEpoch();
      for (let step = 0; step < 5; step++) await trainer.runStep();
      assert.ok(trainer.sums.mixedSteps > 0);
      assert.equal(trainer.untraceable, null);
    }
    const [a, b] = [onMaps.trainer.save(), onPictures.trainer.save()];
    assert.deepEqual(a.progress.samplers, b.progress.samplers);
    assert.deepEqual(a.bank.pixels, b.bank.pixels);
    // On the processors seen so far there is no difference; a picture's digits may depend on those beside it, though.
    assert.ok(apart(a.bank.masks, b.bank.masks) < 1e-6, `masks ${apart(a.bank.masks, b.bank.masks)}`);
    for (const name of STATE_NAMES) {
      const difference = apart(a.network[name], b.network[name]);
      assert.ok(difference < 1e-6, `${name} ${difference}`);
    }
    for (const { trainer, features } of [onMaps, onPictures]) {
      trainer.dispose();
      features[Symbol.dispose]();
    }
  }
});

test('heads on a frozen backbone take the step that they would take on standardised features', () => {
  const network = networkFor({ stages: 0, batchNorm: 'batch' });
  const pooled = tf.randomUniform([6, 64], 0, 3, 'float32', 5) as tf.Tensor2D;
  const labels = tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32');
  const rows = pooled.arraySync();
  const features: Features = {
    count: 6,
    shape: [64],
    width: 64,
    read: (indices, mirrored) => Float32Array.from([...indices].flatMap((i) => rows[mirrored?.[0] ? 5 - i : i])),
  };
  const scale = scaleOf(features, 2);
  const { mean, variance } = tf.moments(pooled, 0);
  const [m, s] = [mean.dataSync(), variance.dataSync().map((value) => Math.sqrt(value) + 0.01)];
  for (const [i, value] of scale.mean.dataSync().entries()) assert.ok(Math.abs(value - m[i]) < 1e-5);
  for (const [i, value] of scale.deviation.dataSync().entries()) assert.ok(Math.abs(value - s[i]) < 1e-5);

  const z = tf.tensor2d(rows.map((row) => row.map((value, i) => (value - m[i]) / s[i])));
  let state = worn(network);
  const head = (name: 'trunk' | 'balanced'): Float32Array => network.vectorsOf(state)[name].slice(-(64 + 1) * CLASSES);
  /** A head of the state as it would be for standardised features. */
  const turned = (values: Float32Array): Float32Array => {
    const turnedHead = values.map((value, i) => (i < 64 * CLASSES ? value * s[Math.floor(i / CLASSES)] : value));
    for (let i = 0; i < 64 * CLASSES; i++)
      turnedHead[64 * CLASSES + (i % CLASSES)] += m[Math.floor(i / CLASSES)] * values[i];
    return turnedHead;
  };
  const plainVectors = network.vectorsOf(state);
  plainVectors.trunk.set(turned(head('trunk')), plainVectors.trunk.length - (64 + 1) * CLASSES);
  let plain = network.stateOf({ ...plainVectors, balanced: turned(head('balanced')) });
  for (let step = 0; step < 3; step++) {
    const batches = [
      { pooled, labels },
      { pooled, labels },
    ] as const;
    const next = update(network, state, ...batches, null, optimiser({ scale }));
    const expected = update(network, plain, { pooled: z, labels }, { pooled: z, labels }, null, optimiser());
    disposeState(state);
    disposeState(plain);
    [state, plain] = [next.state, expected.state];
  }
  const expected = network.vectorsOf(plain);
  for (const name of ['trunk', 'balanced'] as const) {
    const wanted = expected[name].slice(-(64 + 1) * CLASSES);
    for (const [i, value] of turned(head(name)).entries()) {
      assert.ok(Math.abs(value - wanted[i]) < 1e-4, `${name} ${i}: ${value}, not ${wanted[i]}`);
    }
  }
  disposeState(state);
  disposeState(plain);
});

test('heads of a frozen backbone begin at zero, all else as without them', () => {
  const [frozen, whole] = [0, 'all' as const].map((stages) => {
    const config = makeConfig('csa', 'small', 32, { model: SMALL, tune: { stages } });
    const network = networkOf(config, CLASSES);
    return { network, vectors: network.vectorsOf(startingState(network, config)) };
  });
  const heads = (64 + 1) * CLASSES;
  for (const { network, vectors } of [frozen, whole]) {
    const zero = network === frozen.network;
    assert.equal(
      vectors.balanced.every((value) => value === 0),
      zero,
    );
    assert.equal(
      vectors.trunk.slice(-heads).every((value) => value === 0),
      zero,
    );
  }
  assert.deepEqual(frozen.vectors.trunk.slice(0, -heads), whole.vectors.trunk.slice(0, -heads));
});
