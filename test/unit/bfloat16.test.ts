/** Mixed precision: maps in bfloat16, weights, statistics and losses in float32. Slow but right on any processor. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../core/engine/backend.ts';
import { Random } from '../../core/base/random.ts';
import { batchNormInference, batchNormTraining, type AfterNorm } from '../../core/engine/operations/batch-norm.ts';
import { convolution, depthwiseConvolution, zeroPad } from '../../core/engine/operations/convolution.ts';
import { toPrecision } from '../../core/engine/operations/precision.ts';
import { trace } from '../../core/engine/trace.ts';
import { Network, STATE_NAMES, type NetworkState } from '../../core/models/network.ts';
import type { ModelConfig } from '../../core/training/config.ts';
import { disposeState, extract, update, type Batch } from '../../core/training/step.ts';
import { startTestEngine } from '../fixtures/engine.ts';

let engine: Engine;
before(() => {
  engine = startTestEngine();
});

const random = Random.stream(3, 'bfloat16');
const normal = <R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> =>
  tf.tensor(
    Float32Array.from({ length: (shape as number[]).reduce((product, side) => product * side, 1) }, () =>
      random.normal(),
    ),
    shape,
  );

const valuesOf = (x: tf.Tensor): Float32Array => x.dataSync<'float32'>();

/** Largest distance between two tensors as a share of the second's root mean square. */
function distance(actual: tf.Tensor, expected: tf.Tensor): number {
  const [a, b] = [valuesOf(actual), valuesOf(expected)];
  const scale = Math.sqrt(b.reduce((sum, value) => sum + value * value, 0) / b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0) / scale;
}
const half = <T extends tf.Tensor>(x: T): T => toPrecision(x, 'bfloat16');
const isHalf = (x: tf.Tensor): boolean =>
  engine.backend.tensorMap.get(x.dataId).dtype === engine.backend.binding.TF_BFLOAT16;

test('casting rounds to 8 significant bits, is its own inverse on such numbers, and passes gradients on', () => {
  const x = tf.tensor1d([1, 1 + 1 / 256, 1 + 3 / 256, -0.1, 1e30, NaN]);
  const y = half(x);
  assert.ok(isHalf(y) && !isHalf(x));
  // Ties go to the even neighbour: 1 + 1/256 to 1, 1 + 3/256 to 1 + 4/256.
  assert.deepEqual([...y.dataSync()].slice(0, 3), [1, 1, 1 + 4 / 256]);
  assert.equal(half(y), y);
  assert.deepEqual(toPrecision(y, 'float32').dataSync(), y.dataSync());
  const gradient = tf.grad((input) => tf.sum(toPrecision(half(input), 'float32')))(x);
  assert.ok(!isHalf(gradient));
  assert.deepEqual([...gradient.dataSync()], [1, 1, 1, 1, 1, 1]);
});

/** A convolution, a batch norm, an addition and a ReLU on maps that went through `cast`. */
function block(cast: <T extends tf.Tensor>(tensor: T) => T): (...inputs: tf.Tensor[]) => tf.Tensor {
  return (input, weights, scale, offset, added) => {
    const y = convolution(cast(input) as tf.Tensor4D, cast(weights) as tf.Tensor4D, 2, 1);
    const after: AfterNorm = { activation: 'relu', residual: cast(added) as tf.Tensor4D };
    const { y: normalised, statistics } = batchNormTraining(
      y,
      scale as tf.Tensor1D,
      offset as tf.Tensor1D,
      1e-5,
      after,
    );
    tf.dispose([statistics.mean, statistics.variance]);
    return normalised;
  };
}

test('convolution, batch norm, padding and their gradients stay within bfloat16 of float32', () => {
  const x = normal<tf.Rank.R4>([4, 8, 8, 8]);
  const kernel = normal<tf.Rank.R4>([3, 3, 8, 16]);
  const [gamma, beta] = [tf.ones<tf.Rank.R1>([16]), normal<tf.Rank.R1>([16])];
  const residual = normal<tf.Rank.R4>([4, 4, 4, 16]);
  const weight = normal<tf.Rank.R4>([4, 4, 4, 16]);
  const inputs = [x, kernel, gamma, beta, residual];
  const [actual, expected] = [block(half), block((tensor) => tensor)];
  assert.ok(isHalf(actual(...inputs)));
  assert.ok(distance(actual(...inputs), expected(...inputs)) < 0.05);
  const gradients = (of: typeof actual): tf.Tensor[] =>
    tf.grads((...given: tf.Tensor[]) => tf.sum(tf.mul(toPrecision(of(...given), 'float32'), weight)))(inputs);
  const wanted = gradients(expected);
  for (const [i, gradient] of gradients(actual).entries()) {
    assert.ok(!isHalf(gradient), 'gradients of weights are float32');
    // A ReLU at its bend may fall on the other side: a few places differ by a whole gradient.
    const [a, b] = [valuesOf(gradient), valuesOf(wanted[i])];
    const scale = Math.sqrt(b.reduce((sum, value) => sum + value * value, 0) / b.length);
    const off = a.filter((value, at) => Math.abs(value - b[at]) > 0.1 * scale).length;
    assert.ok(off <= Math.max(1, a.length * 0.05), `gradient ${i}: ${off} of ${a.length} are off`);
  }
  for (const [size, stride] of [
    [3, 1],
    [5, 2],
  ]) {
    const [maps, own] = [normal<tf.Rank.R4>([9, 8, 8, 32]), normal<tf.Rank.R4>([size, size, 32, 1])];
    const side = 8 / stride;
    const pull = normal<tf.Rank.R4>([9, side, side, 32]);
    const depthwise = (cast: <T extends tf.Tensor>(tensor: T) => T): tf.Tensor[] => {
      const of = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
        toPrecision(depthwiseConvolution(cast(a as tf.Tensor4D), cast(b as tf.Tensor4D), stride, 'same'), 'float32');
      return [of(maps, own), ...tf.grads((a, b) => tf.sum(tf.mul(of(a, b), pull)))([maps, own])];
    };
    const plain = depthwise((tensor) => tensor);
    for (const [i, found] of depthwise(half).entries()) {
      assert.ok(!isHalf(found));
      assert.ok(distance(found, plain[i]) < 0.05, `${size}x${size}, result ${i}`);
    }
  }
  const [mean, variance] = [normal<tf.Rank.R1>([8]), tf.ones<tf.Rank.R1>([8])];
  const [scale, offset] = [normal<tf.Rank.R1>([8]), normal<tf.Rank.R1>([8])];
  const evaluated = (input: tf.Tensor4D): tf.Tensor =>
    batchNormInference(input, scale, offset, mean, variance, 1e-5, { activation: 'relu' });
  assert.ok(distance(evaluated(half(x)), evaluated(x)) < 0.05);
  const sides = [1, 2] as const;
  const padded = zeroPad(half(x), [[0, 0], sides, sides, [0, 0]]);
  assert.ok(isHalf(padded));
  assert.deepEqual(padded.shape, [4, 11, 11, 8]);
});

function batchOf(side: number): Batch {
  return {
    images: normal<tf.Rank.R4>([8, side, side, 3]),
    labels: tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32'),
  };
}

const MODELS: [string, ModelConfig, number][] = [
  ['ResNet-8', { kind: 'resnet-cifar', blocks: 1 }, 16],
  ['ResNet-18', { kind: 'resnet18' }, 32],
  ['EfficientNet-Lite0', { kind: 'efficientnet-lite0' }, 64],
];
for (const [name, model, side] of MODELS) {
  test(`${name} trains in bfloat16: weights float32, losses near float32's, the traced step digit for digit`, () => {
    const [uniform, balanced] = [batchOf(side), batchOf(side)];
    const optimiser = { rate: tf.scalar(0.02), momentum: 0.9, weightDecay: 2e-4 };
    const losses = (network: Network, step: typeof update): { losses: number[]; state: NetworkState } => {
      let state = network.initialize(Random.stream(1, 'weights'));
      const seen: number[] = [];
      for (let i = 0; i < 4; i++) {
        const result = step(network, state, uniform, balanced, null, optimiser);
        seen.push(result.uniformLoss.dataSync()[0], result.balancedLoss!.dataSync()[0]);
        disposeState(state);
        state = result.state;
      }
      return { losses: seen, state };
    };
    const [single, mixed] = [new Network(model, 3), new Network(model, 3, 'bfloat16')];
    const reference = losses(single, update);
    const actual = losses(mixed, update);
    // Of the first step; after it, training on eight pictures goes its own way.
    for (const i of [0, 1]) {
      assert.ok(
        Math.abs(actual.losses[i] - reference.losses[i]) < 0.1,
        `${actual.losses.join(' ')} and ${reference.losses.join(' ')}`,
      );
    }
    assert.ok(actual.losses.at(-2)! < actual.losses[0] && actual.losses.at(-1)! < actual.losses[1]);
    for (const key of STATE_NAMES) assert.ok(!isHalf(actual.state[key]), key);
    const [first, second] = [1, 2].map((seed) => mixed.initialize(Random.stream(seed, 'weights')));
    const traced = trace(update, [
      [mixed, first, uniform, balanced, null, optimiser],
      [mixed, second, balanced, uniform, null, optimiser],
    ]);
    assert.deepEqual(losses(mixed, traced).losses, actual.losses);
    const looked = [single, mixed].map((network) => extract(network, reference.state, uniform));
    assert.ok(distance(looked[1].probability, looked[0].probability) < 0.2);
  });
}
