import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { mapBeforeLast } from '../../core/models/backbones.ts';
import { LayerPlan } from '../../core/models/layer-plan.ts';
import { Network, STATE_NAMES, type NetworkState } from '../../core/models/network.ts';
import { Layout } from '../../core/models/parameters.ts';
import { keepsMaps, looksAtMaps } from '../../core/training/frozen-views.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { disposeState, update } from '../../core/training/step.ts';
import { startTestEngine } from '../fixtures/engine.ts';

before(() => {
  startTestEngine();
});

const RESNET32 = { kind: 'resnet-cifar', blocks: 5 } as const;
const TINY = { kind: 'resnet-cifar', blocks: 1 } as const;

test('sizes: ResNet-32 has 463,504 weights and heads of 65 a class; ResNet-18 has 11.2 million', () => {
  for (const [classes, head] of [
    [10, 650],
    [100, 6500],
  ] as const) {
    const network = new Network(RESNET32, classes);
    assert.deepEqual([network.trunk.size, network.balanced.size], [463_504 + head, head]);
    assert.equal(network.parameterCount, 463_504 + 2 * head);
  }
  const resnet18 = new Network({ kind: 'resnet18' }, 1000);
  // torchvision's resnet18 has 11,689,512 with its head of 1000 classes.
  assert.equal(resnet18.trunk.size, 11_689_512);
  assert.deepEqual([resnet18.features, new Network(RESNET32, 2).features], [512, 64]);
  assert.equal(new Network({ kind: 'resnet-cifar', blocks: 9 }, 10).backbone.title, 'ResNet-56 (CIFAR form)');
});

test('sizes: EfficientNet-Lite has as many weights and statistics as its published models', () => {
  for (const [kind, weights, statistics] of [
    ['efficientnet-lite0', 4_652_008, 42_016],
    ['efficientnet-lite2', 6_092_072, 58_096],
  ] as const) {
    const network = new Network({ kind }, 1000);
    assert.deepEqual([network.trunk.size, network.statistics.size, network.features], [weights, statistics, 1280]);
  }
});

test('the parameters of a stage lie together, stages in order', () => {
  for (const config of [TINY, { kind: 'resnet18' }, { kind: 'efficientnet-lite2' }] as const) {
    const network = new Network(config, 2);
    let at = 0;
    let channels = 3;
    for (const stage of network.backbone.stages) {
      const plan = new LayerPlan();
      channels = stage.run(plan, channels);
      const names = plan.weights.map(({ name }) => name);
      assert.deepEqual(
        network.trunk.specs.slice(at, at + names.length).map(({ name }) => name),
        names,
      );
      assert.ok(names.every((name) => name.startsWith(`${stage.name}.`)));
      at += names.length;
    }
    assert.deepEqual([at, channels], [network.trunk.specs.length - 2, network.features]);
  }
});

test('the map before the last stage has the shape that is foretold, and decides whether maps of pictures are kept', () => {
  for (const config of [TINY, { kind: 'resnet18' }, { kind: 'efficientnet-lite2' }] as const) {
    for (const side of [33, 64]) {
      const network = new Network(config, 2);
      const state = network.initialize(Random.stream(1, 'weights'));
      const { shape } = tf.tidy(() => network.inference(state).beforeLast(tf.zeros([1, side, side, 3])));
      const { height, width, channels } = mapBeforeLast(config, side);
      assert.deepEqual([height, width, channels], shape.slice(1), `${config.kind} at ${side} px`);
      disposeState(state);
    }
  }
  const csa = makeConfig('csa', 'photos-20', 224);
  assert.deepEqual(mapBeforeLast(csa.model, 224), { height: 7, width: 7, channels: 320 });
  assert.deepEqual([looksAtMaps(csa), looksAtMaps(makeConfig('ce', 'photos-20', 224))], [true, false]);
  assert.deepEqual([keepsMaps(csa, 17_000), keepsMaps(csa, 18_000)], [true, false]);
});

const deviation = (part: Float32Array): number => Math.sqrt(part.reduce((sum, v) => sum + v * v, 0) / part.length);

test('weights start as the method says: Kaiming for kernels and heads, one and zero for batch norm', () => {
  const network = new Network(RESNET32, 10);
  const values = network.trunk.initialize(Random.stream(1, 'weights'));
  assert.deepEqual(network.trunk.initialize(Random.stream(1, 'weights')), values);
  assert.notDeepEqual(network.trunk.initialize(Random.stream(2, 'weights')), values);
  for (const { name, shape, values: part } of network.trunk.views(values)) {
    if (name === 'uniform.bias') {
      assert.ok(
        part.every((value) => Math.abs(value) <= 1 / 8),
        name,
      );
      assert.ok(deviation(part) > 0.02, name);
    } else if (shape.length === 1) {
      assert.ok(
        part.every((value) => value === (name.endsWith('.weight') ? 1 : 0)),
        name,
      );
    } else {
      const expected = Math.sqrt(2 / (part.length / shape.at(-1)!));
      assert.ok(Math.abs(deviation(part) / expected - 1) < 0.12, `${name}: ${deviation(part)}, not ${expected}`);
    }
  }
});

test('split, views and join are ways of looking at one vector', () => {
  const { trunk } = new Network(TINY, 3);
  const flat = Float32Array.from({ length: trunk.size }, (_, i) => i);
  const named = trunk.views(flat);
  assert.deepEqual(trunk.join(new Map(named.map(({ name, values }) => [name, values]))), flat);
  const split = trunk.split(tf.tensor1d(flat.slice()));
  let offset = 0;
  for (const { name, shape, values } of named) {
    const tensor = split.get(name);
    assert.deepEqual(tensor.shape, shape);
    assert.deepEqual(tensor.dataSync(), values);
    assert.equal(values[0], offset, 'one after the other');
    offset += values.length;
  }
  assert.equal(offset, trunk.size);
  const some = new Map(named.slice(1).map(({ name, values }) => [name, values]));
  assert.throws(() => trunk.join(some), /stem\.conv\.weight is missing/);
  assert.throws(() => trunk.views(flat.subarray(1)), /expected/);
  assert.throws(() => trunk.join(new Map([[named[0].name, new Float32Array(1)]])), /has 1 values/);
  const spec = { name: 'twice', shape: [1], initializer: { kind: 'zeros' } } as const;
  assert.throws(() => new Layout([spec, spec]), /same name/);
});

const pictures = (count: number, size: number, seed: number): tf.Tensor4D => {
  const random = Random.stream(seed, 'pictures');
  const values = Float32Array.from({ length: count * size * size * 3 }, () => random.normal());
  return tf.tensor4d(values, [count, size, size, 3]);
};

test("evaluation with a batch's own statistics equals training mode", () => {
  for (const [config, size, tolerance] of [
    [TINY, 32, 1e-3],
    [{ kind: 'resnet18' }, 64, 5e-3],
    [{ kind: 'efficientnet-lite0' }, 64, 5e-3],
  ] as const) {
    const network = new Network(config, 4);
    const state = network.initialize(Random.stream(3, 'weights'));
    const images = pictures(6, size, 1);
    const trunk = network.tuned.trunk.split(state.trunk);
    const { pooled, batchStatistics } = network.pooledTraining(trunk, state.statistics, images);
    assert.ok(batchStatistics);
    // The batch gives the unbiased variance; evaluation with the biased one is the very same formula.
    const biased = network.statistics.views(batchStatistics.dataSync<'float32'>().slice());
    const count = elementsOf(network, size, 6);
    for (const { name, values } of biased) {
      const n = count.get(name.replace(/\.running_(mean|var)$/, ''))!;
      if (name.endsWith('running_var')) for (let i = 0; i < values.length; i++) values[i] *= (n - 1) / n;
    }
    const statistics = tf.tensor1d(network.statistics.join(new Map(biased.map(({ name, values }) => [name, values]))));
    const inference = network.inference({ ...state, statistics });
    const features = inference.features(images);
    const [expected, actual] = [pooled, tf.mean(features, [1, 2])].map((tensor) => tensor.dataSync());
    const scale = Math.max(...expected);
    for (let i = 0; i < expected.length; i++) {
      assert.ok(
        Math.abs(actual[i] - expected[i]) < tolerance * scale,
        `${config.kind}: ${actual[i]} is not ${expected[i]}`,
      );
    }
    disposeState(state);
  }
});

const halve = (side: number, stride: number): number => Math.ceil(side / stride);

/** Positions a channel's statistics are taken over, by batch norm: batch x height x width there. */
function elementsOf(network: Network, size: number, batch: number): Map<string, number> {
  const counts = new Map<string, number>();
  // Runs the network's own description on side lengths.
  network.backbone.features<number>(
    {
      convolution: (_, side, { stride }) => halve(side, stride),
      depthwise: (_, side, { stride }) => halve(side, stride),
      batchNorm: (name, side, { residual = side }) => {
        assert.equal(residual, side, 'both paths of a block have one size');
        counts.set(name, batch * side * side);
        return side;
      },
      shortcutA: (side, _, stride) => halve(side, stride),
      maxPool: (side, { stride }) => halve(side, stride),
    },
    size,
  );
  return counts;
}

/** Losses of a few steps on one batch. */
function losses(network: Network, size: number, batch: number, steps: number, rate: number): number[] {
  let state: NetworkState = network.initialize(Random.stream(1, 'weights'));
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, (_, i) => i % network.classes),
    'int32',
  );
  const main = { images: pictures(batch, size, 2), labels };
  const found: number[] = [];
  for (let step = 0; step < steps; step++) {
    const result = update(network, state, main, null, null, {
      rate: tf.scalar(rate),
      momentum: 0.9,
      weightDecay: 2e-4,
    });
    found.push(result.uniformLoss.dataSync()[0]);
    disposeState(state);
    state = result.state;
    tf.dispose([result.uniformLoss, result.sampleLosses]);
  }
  disposeState(state);
  return found;
}

test('ResNet-18 at 64 pixels trains: the loss on a batch falls', () => {
  const found = losses(new Network({ kind: 'resnet18' }, 4), 64, 8, 4, 0.01);
  assert.ok(Math.abs(found[0] - Math.log(4)) < 1, `it begins near chance: ${found[0]}`);
  assert.ok(found[3] < found[0] / 2, `losses ${found.join(', ')}`);
});

const OPTIMISER = { momentum: 0.9, weightDecay: 0.1 };

test('a step without the balanced branch leaves its head alone, weight decay included; the old state is not touched', () => {
  const network = new Network(TINY, 4);
  const state = network.initialize(Random.stream(1, 'weights'));
  const labels = tf.tensor1d([0, 1, 2, 3], 'int32');
  const [main, second] = [1, 2].map((seed) => ({ images: pictures(4, 32, seed), labels }));
  const optimiser = { ...OPTIMISER, rate: tf.scalar(0.1) };
  const old = Object.fromEntries(STATE_NAMES.map((name) => [name, state[name].dataSync().slice()]));
  const alone = update(network, state, main, null, null, optimiser);
  assert.equal(alone.balancedLoss, null);
  for (const name of ['balanced', 'balancedMomentum'] as const) {
    assert.deepEqual(alone.state[name].dataSync(), old[name], name);
  }
  const both = update(network, state, main, second, null, optimiser);
  for (const name of STATE_NAMES) {
    assert.notDeepEqual(both.state[name].dataSync(), old[name], name);
    assert.deepEqual(state[name].dataSync(), old[name], `the old ${name}`);
  }
  // The uniform loss is of the weights before the step, whether or not there is a second branch.
  assert.equal(both.uniformLoss.dataSync()[0], alone.uniformLoss.dataSync()[0]);
});

test('both branches send their whole gradient into the shared trunk, one to one', () => {
  const network = new Network(TINY, 4);
  const fresh = network.initialize(Random.stream(1, 'weights'));
  const backbone = network.trunk.size - network.balanced.size;
  // With equal heads the second batch alone, through the uniform head, gives the gradient that it gives as second branch.
  const state = { ...fresh, balanced: tf.slice(fresh.trunk, backbone) };
  const labels = tf.tensor1d([0, 1, 2, 3], 'int32');
  const [main, second] = [1, 2].map((seed) => ({ images: pictures(4, 32, seed), labels }));
  const rate = 0.1;
  const moved = (uniform: typeof main, balanced: typeof main | null): { trunk: Float32Array; head: Float32Array } => {
    const result = update(network, state, uniform, balanced, null, { ...OPTIMISER, rate: tf.scalar(rate) });
    return {
      trunk: tf.sub(result.state.trunk, state.trunk).dataSync<'float32'>().slice(),
      head: tf.sub(result.state.balanced, state.balanced).dataSync<'float32'>().slice(),
    };
  };
  const [both, first, other] = [moved(main, second), moved(main, null), moved(second, null)];
  const weights = state.trunk.dataSync();
  let largest = 0;
  for (let i = 0; i < backbone; i++) {
    // From rest a step is -rate * (gradient + decay * weight); the decay must count once, not twice.
    const expected = first.trunk[i] + other.trunk[i] + rate * OPTIMISER.weightDecay * weights[i];
    assert.ok(Math.abs(both.trunk[i] - expected) < 1e-4, `weight ${i}: ${both.trunk[i]}, not ${expected}`);
    largest = Math.max(largest, Math.abs(other.trunk[i]));
  }
  assert.ok(largest > 0.01, 'the second branch moves the trunk');
  for (const [i, value] of both.head.entries()) {
    assert.ok(Math.abs(value - other.trunk[backbone + i]) < 1e-4, `balanced head ${i}`);
  }
  for (let i = backbone; i < both.trunk.length; i++) {
    assert.ok(Math.abs(both.trunk[i] - first.trunk[i]) < 1e-4, 'the uniform head learns from its own batch only');
  }
});
