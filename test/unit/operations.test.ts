/** Each operation against plain loops or against TensorFlow.js's own composition of it: values and gradients. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import {
  batchNormInference,
  batchNormTraining,
  composedBatchNorm,
  composedInference,
} from '../../core/engine/operations/batch-norm.ts';
import { convolution, depthwiseConvolution } from '../../core/engine/operations/convolution.ts';
import { composedLosses, crossEntropy } from '../../core/engine/operations/cross-entropy.ts';
import { globalAveragePool } from '../../core/engine/operations/pooling.ts';
import type { Activation, Padding } from '../../core/models/layer-plan.ts';
import { TrainingRun } from '../../core/models/layers.ts';
import { NamedTensors } from '../../core/models/parameters.ts';
import { startTestEngine } from '../fixtures/engine.ts';

before(() => {
  startTestEngine();
});

const random = Random.stream(1, 'operations');

function normal<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const length = (shape as number[]).reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length }, () => random.normal()),
    shape,
    'float32',
  );
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const limit = tolerance * Math.max(1, Math.abs(expected[i]));
    assert.ok(Math.abs(actual[i] - expected[i]) <= limit, `${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

/** The same value and, for the loss sum(y * weight), the same gradient in every input. */
function assertSame(
  ours: (...inputs: tf.Tensor[]) => tf.Tensor,
  reference: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  what: string,
  tolerance?: number,
): void {
  const y = ours(...inputs);
  const expected = reference(...inputs);
  assert.deepEqual(y.shape, expected.shape, what);
  assertClose(y.dataSync(), expected.dataSync(), what, tolerance);
  const weight = normal(y.shape as [number]);
  const gradients = (f: typeof ours): tf.Tensor[] =>
    tf.grads((...given: tf.Tensor[]) => tf.sum(tf.mul(f(...given), weight)))(inputs);
  const wanted = gradients(reference);
  for (const [i, gradient] of gradients(ours).entries()) {
    assertClose(gradient.dataSync(), wanted[i].dataSync(), `gradient ${i} of ${what}`, tolerance);
  }
}

const EPSILON = 1e-5;

/** Batch normalisation by the definition, out of TensorFlow.js's own parts. */
const definition = (activation: Activation, ...[x, gamma, beta, residual]: tf.Tensor[]): tf.Tensor => {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  const y = tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), gamma), beta);
  const added = residual ? tf.add(y, residual) : y;
  return { none: added, relu: tf.relu(added), relu6: tf.relu6(added) }[activation];
};

for (const [name, batchNorm] of [
  ['our own kernels', batchNormTraining],
  ["TensorFlow's kernels one after the other", composedBatchNorm],
] as const) {
  for (const activation of ['none', 'relu', 'relu6'] as const) {
    const ours = (...[x, gamma, beta, residual]: tf.Tensor[]): tf.Tensor => {
      const { y, statistics } = batchNorm(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, EPSILON, {
        activation,
        residual: residual as tf.Tensor4D | undefined,
      });
      tf.dispose([statistics.mean, statistics.variance]);
      return y;
    };
    for (const withResidual of [false, true]) {
      const what = `, ${activation}${withResidual ? ', residual' : ''}`;
      test(`batch normalisation in training${what}, by ${name}: values and gradients by the definition`, () => {
        // One that a block of rows holds and one that takes several, with a short last block; odd channel counts.
        for (const shape of [
          [4, 3, 5, 6],
          [3, 40, 41, 21],
        ] as [number, number, number, number][]) {
          const x = tf.add(tf.mul(normal<tf.Rank.R4>(shape), 3), 2);
          const inputs = [x, normal<tf.Rank.R1>([shape[3]]), normal<tf.Rank.R1>([shape[3]])];
          if (withResidual) inputs.push(normal<tf.Rank.R4>(shape));
          // At the very bends of an activation the last digit decides: such places are left out, with their gradient.
          const plain = definition('none', ...inputs);
          const distance = tf.minimum(tf.abs(plain), tf.abs(tf.sub(plain, activation === 'relu6' ? 6 : 0)));
          const clear = tf.cast(tf.greater(distance, 1e-3), 'float32');
          const away =
            (of: typeof ours) =>
            (...given: tf.Tensor[]) =>
              tf.mul(of(...given), clear);
          assertSame(
            away(ours),
            away((...given) => definition(activation, ...given)),
            inputs,
            'batch norm',
            5e-4,
          );
        }
      });
    }
  }
}

test('a mean that is large beside the deviation costs the variance no digits', () => {
  const values = normal<tf.Rank.R4>([8, 16, 16, 2]);
  const { statistics } = batchNormTraining(tf.add(values, 1000), tf.ones([2]), tf.zeros([2]), EPSILON, {
    activation: 'none',
  });
  const { variance } = tf.moments(values, [0, 1, 2]);
  // The values themselves are rounded to 6e-5 up there.
  assertClose(statistics.variance.dataSync(), tf.mul(variance, 2048 / 2047).dataSync(), 'variance', 1e-4);
  assertClose(statistics.mean.dataSync(), tf.add(tf.mean(values, [0, 1, 2]), 1000).dataSync(), 'mean', 1e-6);
});

test('what is no number passes through a ReLU: a run that diverges must be seen to', () => {
  const x = normal<tf.Rank.R4>([1, 2, 2, 8]);
  const nan = tf.mul(tf.ones<tf.Rank.R1>([8]), NaN) as tf.Tensor1D;
  const [zeros, ones] = [tf.zeros<tf.Rank.R1>([8]), tf.ones<tf.Rank.R1>([8])];
  const { y } = batchNormTraining(x, nan, zeros, EPSILON, { activation: 'relu' });
  const evaluated = batchNormInference(x, ones, nan, zeros, ones, EPSILON, { activation: 'relu' });
  for (const value of [...y.dataSync(), ...evaluated.dataSync()]) assert.ok(Number.isNaN(value));
});

test('the gradient of a batch norm leaves alone what others still need', () => {
  const [x, dy] = [normal<tf.Rank.R4>([2, 4, 4, 8]), normal<tf.Rank.R4>([2, 4, 4, 8])];
  const values = dy.dataSync().slice();
  tf.grad(
    (input) => batchNormTraining(input as tf.Tensor4D, tf.ones([8]), tf.zeros([8]), EPSILON, { activation: 'relu' }).y,
  )(x, dy);
  assert.deepEqual(dy.dataSync(), values);
});

test("the statistics of a batch are its mean and its unbiased variance, as PyTorch's running averages take them", () => {
  const x = tf.add(tf.mul(normal<tf.Rank.R4>([2, 3, 2, 4]), 3), 7) as tf.Tensor4D;
  const { statistics } = batchNormTraining(x, tf.ones([4]), tf.zeros([4]), EPSILON, { activation: 'none' });
  const values = x.dataSync();
  for (let channel = 0; channel < 4; channel++) {
    const own = Array.from({ length: 12 }, (_, i) => values[i * 4 + channel]);
    const mean = own.reduce((sum, value) => sum + value, 0) / 12;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 11;
    assertClose([statistics.mean.dataSync()[channel]], [mean], 'mean');
    assertClose([statistics.variance.dataSync()[channel]], [variance], 'variance');
  }
});

test('batch normalisation in evaluation uses the given statistics', () => {
  const x = normal<tf.Rank.R4>([2, 2, 2, 3]);
  const [gamma, beta, mean] = [0, 1, 2].map(() => normal<tf.Rank.R1>([3]));
  const variance = tf.tensor1d([0.5, 2, 1e-3]);
  const plain = tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), gamma), beta);
  const residual = normal<tf.Rank.R4>([2, 2, 2, 3]);
  for (const [after, expected] of [
    [{ activation: 'none' }, plain],
    [{ activation: 'relu6' }, tf.relu6(plain)],
    [{ activation: 'relu' }, tf.relu(plain)],
    [{ activation: 'relu', residual }, tf.relu(tf.add(plain, residual))],
  ] as const) {
    const y = batchNormInference(x, gamma, beta, mean, variance, EPSILON, after);
    assertClose(y.dataSync(), expected.dataSync(), 'batch norm', 1e-4);
  }
});

for (const [name, batchNorm] of [
  ['our own kernels', batchNormInference],
  ["TensorFlow's kernels one after the other", composedInference],
] as const) {
  test(`batch normalisation by given statistics, by ${name}: values and gradients by the definition`, () => {
    for (const shape of [
      [4, 3, 5, 6],
      [3, 40, 41, 21],
    ] as [number, number, number, number][]) {
      const [gamma, beta, mean] = [0, 1, 2].map(() => normal<tf.Rank.R1>([shape[3]]));
      const variance = tf.add(tf.abs(normal<tf.Rank.R1>([shape[3]])), 0.1) as tf.Tensor1D;
      const inputs = [tf.add(tf.mul(normal<tf.Rank.R4>(shape), 3), 2), gamma, beta, normal<tf.Rank.R4>(shape)];
      const plain = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor =>
        tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), scale), offset);
      for (const [activation, cut] of [
        ['none', (x: tf.Tensor) => tf.clone(x)],
        ['relu', tf.relu],
        ['relu6', tf.relu6],
      ] as const) {
        const [x, , , residual] = inputs;
        const sum = tf.add(plain(x, gamma, beta), residual);
        const distance = tf.minimum(tf.abs(sum), tf.abs(tf.sub(sum, activation === 'relu6' ? 6 : 0)));
        const clear = tf.cast(tf.greater(distance, 1e-3), 'float32');
        assertSame(
          (...[input, scale, offset, added]) =>
            tf.mul(
              batchNorm(input as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D, mean, variance, EPSILON, {
                activation,
                residual: added as tf.Tensor4D,
              }),
              clear,
            ),
          (...[input, scale, offset, added]) => tf.mul(cut(tf.add(plain(input, scale, offset), added)), clear),
          inputs,
          `${activation}, ${shape.join('x')}`,
          1e-3,
        );
      }
    }
  });
}

test('cross entropy equals its composition from log-softmax, sample by sample, with its gradient', () => {
  const logits = tf.mul(normal<tf.Rank.R2>([6, 5]), 4);
  const labels = tf.tensor1d([0, 4, 2, 2, 1, 3], 'int32');
  const sampleLosses = (input: tf.Tensor): tf.Tensor =>
    tf.neg(tf.sum(tf.mul(tf.logSoftmax(input), tf.oneHot(labels, 5)), 1));
  const ours = (input: tf.Tensor): tf.Tensor => {
    const { loss, sampleLosses: kept } = crossEntropy(input as tf.Tensor2D, labels);
    kept.dispose();
    return loss;
  };
  assertSame(ours, (input) => tf.mean(sampleLosses(input)), [logits], 'cross entropy');
  const { sampleLosses: kept } = crossEntropy(logits as tf.Tensor2D, labels);
  assertClose(kept.dataSync(), sampleLosses(logits).dataSync(), 'sample losses');
});

test('cross entropy as a GPU computes it equals the fused operation, logits far apart included', () => {
  const labels = tf.tensor1d([0, 4, 2, 2, 1, 3], 'int32');
  for (const scale of [1, 1000]) {
    const logits = tf.mul(normal<tf.Rank.R2>([6, 5]), scale) as tf.Tensor2D;
    const { each, gradient } = composedLosses(logits, labels);
    const { sampleLosses } = crossEntropy(logits, labels);
    assertClose(each.dataSync(), sampleLosses.dataSync(), 'sample losses');
    const expected = tf.grad((input) => tf.mul(crossEntropy(input as tf.Tensor2D, labels).loss, 6))(logits);
    assertClose(gradient.dataSync(), expected.dataSync(), 'gradient');
  }
});

test('global average pooling', () => {
  assertSame(
    (x) => globalAveragePool(x as tf.Tensor4D),
    (x) => tf.mean(x, [1, 2]),
    [normal<tf.Rank.R4>([2, 3, 5, 4])],
    'pool',
  );
});

/**
 * y[n, p, q, o] = sum over a, b, i of x[n, p·s + a - top, q·s + b - left, i] · k[a, b, i, o], zero outside, and the
 * gradients of sum(y * weight), by the definition.
 */
function naiveConvolution(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  padding: Padding,
): {
  shape: [number, number, number, number];
  y: Float64Array;
  gradients: (weight: ArrayLike<number>) => [Float64Array, Float64Array];
} {
  const [batch, height, width, inputs] = x.shape;
  const [rows, columns, , outputs] = kernel.shape;
  const [xs, ks] = [x.dataSync(), kernel.dataSync()];
  const [tall, wide] = [
    [height, rows],
    [width, columns],
  ].map(([length, size]) =>
    padding === 'same' ? Math.ceil(length / stride) : Math.floor((length + 2 * padding - size) / stride) + 1,
  );
  const leading = (length: number, results: number, size: number): number =>
    padding === 'same' ? Math.floor(Math.max(0, (results - 1) * stride + size - length) / 2) : padding;
  const [top, left] = [leading(height, tall, rows), leading(width, wide, columns)];
  const y = new Float64Array(batch * tall * wide * outputs);
  const visit = (each: (atY: number, atX: number, atK: number) => void): void => {
    for (let n = 0; n < batch; n++) {
      for (let p = 0; p < tall; p++) {
        for (let q = 0; q < wide; q++) {
          for (let a = 0; a < rows; a++) {
            for (let b = 0; b < columns; b++) {
              const [v, u] = [p * stride + a - top, q * stride + b - left];
              if (v < 0 || v >= height || u < 0 || u >= width) continue;
              for (let i = 0; i < inputs; i++) {
                for (let o = 0; o < outputs; o++) {
                  each(
                    ((n * tall + p) * wide + q) * outputs + o,
                    ((n * height + v) * width + u) * inputs + i,
                    ((a * columns + b) * inputs + i) * outputs + o,
                  );
                }
              }
            }
          }
        }
      }
    }
  };
  visit((atY, atX, atK) => {
    y[atY] += xs[atX] * ks[atK];
  });
  return {
    shape: [batch, tall, wide, outputs],
    y,
    gradients: (weight) => {
      const [dx, dk] = [new Float64Array(xs.length), new Float64Array(ks.length)];
      visit((atY, atX, atK) => {
        dx[atX] += weight[atY] * ks[atK];
        dk[atK] += weight[atY] * xs[atX];
      });
      return [dx, dk];
    },
  };
}

for (const [what, side, size, stride, padding] of [
  ['3x3, stride 1', 6, 3, 1, 1],
  ['3x3, stride 2, even side', 8, 3, 2, 1],
  ['3x3, stride 2, odd side', 7, 3, 2, 1],
  ['7x7, stride 2, padding 3', 12, 7, 2, 3],
  ['1x1, stride 2', 6, 1, 2, 0],
  ['1x1, stride 1', 5, 1, 1, 0],
  ['3x3, stride 1, SAME', 5, 3, 1, 'same'],
  ['3x3, stride 2, even side, SAME', 8, 3, 2, 'same'],
  ['3x3, stride 2, odd side, SAME', 7, 3, 2, 'same'],
  ['5x5, stride 2, less than a kernel, SAME', 2, 5, 2, 'same'],
] as const) {
  test(`convolution ${what}: values and gradients by the definition`, () => {
    const x = normal<tf.Rank.R4>([2, side, side + 2, 3]);
    const kernel = normal<tf.Rank.R4>([size, size, 3, 8]);
    const expected = naiveConvolution(x, kernel, stride, padding);
    const y = convolution(x, kernel, stride, padding);
    assert.deepEqual(y.shape, expected.shape);
    assertClose(y.dataSync(), expected.y, 'value', 1e-4);
    const weight = normal<tf.Rank.R4>(expected.shape);
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.mul(convolution(a as tf.Tensor4D, b as tf.Tensor4D, stride, padding), weight)),
    )([x, kernel]);
    const [dx, dk] = expected.gradients(weight.dataSync());
    assertClose(gradients[0].dataSync(), dx, 'gradient in x', 1e-4);
    assertClose(gradients[1].dataSync(), dk, 'gradient in the kernel', 1e-4);
  });
}

for (const [what, side, size, channels, stride, padding] of [
  ['3x3, by our kernel', 6, 3, 32, 1, 'same'],
  ['3x3, stride 2, even side', 8, 3, 16, 2, 'same'],
  ['3x3, stride 2, odd side', 7, 3, 16, 2, 'same'],
  ['5x5', 7, 5, 16, 1, 'same'],
  ['5x5, stride 2, even side', 10, 5, 48, 2, 'same'],
  ['5x5, wider than the picture', 1, 5, 16, 1, 'same'],
  ['3x3, stride 2, a pixel on each side', 8, 3, 16, 2, 1],
  ["3x3, by TensorFlow's kernel", 6, 3, 5, 1, 'same'],
  ["7x7, stride 2, by TensorFlow's kernel", 9, 7, 16, 2, 'same'],
] as const) {
  test(`depthwise convolution ${what}: values and gradients by the definition`, () => {
    const x = normal<tf.Rank.R4>([9, side, side + 2, channels]);
    const kernel = normal<tf.Rank.R4>([size, size, channels, 1]);
    // The same as a convolution whose kernel is zero between different channels.
    const own = tf.eye(channels);
    const expected = naiveConvolution(x, tf.mul<tf.Tensor4D>(kernel, own), stride, padding);
    const y = depthwiseConvolution(x, kernel, stride, padding);
    assert.deepEqual(y.shape, expected.shape);
    assertClose(y.dataSync(), expected.y, 'value', 1e-4);
    const weight = normal<tf.Rank.R4>(expected.shape);
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.mul(depthwiseConvolution(a as tf.Tensor4D, b as tf.Tensor4D, stride, padding), weight)),
    )([x, kernel]);
    const [dx, dk] = expected.gradients(weight.dataSync());
    assertClose(gradients[0].dataSync(), dx, 'gradient in x', 1e-4);
    const diagonal = Float64Array.from({ length: kernel.size }, (_, at) => dk[at * channels + (at % channels)]);
    assertClose(gradients[1].dataSync(), diagonal, 'gradient in the kernel', 1e-4);
  });
}

test("our gradient in the kernel equals TensorFlow's: strides, paddings, odd sizes and channel counts", (t) => {
  const { backend } = startTestEngine();
  const { binding } = backend;
  // Whoever has AVX-512 does not use it, but can.
  if (!/\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return t.skip('this processor has no AVX2');
  for (const [batch, side, channels, out, size, stride, padding] of [
    [3, 7, 5, 8, 3, 1, 1],
    [9, 12, 16, 16, 3, 1, 1],
    [2, 33, 3, 24, 3, 1, 1],
    [4, 18, 13, 40, 3, 2, 0],
    [1, 21, 3, 16, 7, 2, 0],
    [2, 6, 1, 8, 5, 1, 2],
  ]) {
    const outSide = Math.floor((side + 2 * padding - size) / stride) + 1;
    const x = normal<tf.Rank.R4>([batch, side, side, channels]);
    const dy = normal<tf.Rank.R4>([batch, outSide, outSide, out]);
    const integer = (name: string, value: number | number[]) => ({ name, type: binding.TF_ATTR_INT, value });
    const ours = backend.executeSingleOutput(
      'ContextureFilterGrad',
      [integer('size', size), integer('stride', stride), integer('padding', padding)],
      [x, dy],
    );
    const theirs = backend.executeSingleOutput(
      'Conv2DBackpropFilter',
      [
        { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
        integer('strides', [1, stride, stride, 1]),
        { name: 'padding', type: binding.TF_ATTR_STRING, value: padding > 0 ? 'SAME' : 'VALID' },
      ],
      [x, tf.tensor1d([size, size, channels, out], 'int32'), dy],
    );
    assert.deepEqual(ours.shape, [size, size, channels, out]);
    assertClose(ours.dataSync(), theirs.dataSync(), `${size}x${size}, stride ${stride}, ${channels} to ${out}`, 1e-4);
  }
});

test("ResNet-18's max pool (3x3, stride 2, padding 1) after a ReLU: the largest pixel, and its gradient goes there", () => {
  const layers = new TrainingRun(new NamedTensors(new Map()), { epsilon: EPSILON, precision: 'float32' });
  for (const side of [6, 7]) {
    // Different positive values, as a ReLU may give.
    const values = Float32Array.from(random.permutation(side * side * 2), (value) => value + 1);
    const x = tf.tensor4d(values, [1, side, side, 2]);
    const pool = (input: tf.Tensor): tf.Tensor4D =>
      layers.maxPool(input as tf.Tensor4D, { size: 3, stride: 2, padding: 1 });
    const out = Math.floor((side - 1) / 2) + 1;
    const y = pool(x);
    assert.deepEqual(y.shape, [1, out, out, 2]);
    const weight = normal<tf.Rank.R4>([1, out, out, 2]);
    const weights = weight.dataSync();
    const largest = new Float64Array(y.size);
    const gradient = new Float64Array(values.length);
    for (let at = 0; at < largest.length; at++) {
      const [p, q, channel] = [Math.floor(at / (out * 2)), Math.floor(at / 2) % out, at % 2];
      let best = -1;
      for (let v = Math.max(0, 2 * p - 1); v <= Math.min(side - 1, 2 * p + 1); v++) {
        for (let u = Math.max(0, 2 * q - 1); u <= Math.min(side - 1, 2 * q + 1); u++) {
          const index = (v * side + u) * 2 + channel;
          if (best < 0 || values[index] > values[best]) best = index;
        }
      }
      largest[at] = values[best];
      gradient[best] += weights[at];
    }
    assertClose(y.dataSync(), largest, 'largest');
    assertClose(
      tf
        .grad((input) => tf.sum(tf.mul(pool(input), weight)))(x)
        .dataSync(),
      gradient,
      'gradient',
    );
  }
});

test('the shortcut without weights takes every second pixel and puts zero channels on both sides', () => {
  const layers = new TrainingRun(new NamedTensors(new Map()), { epsilon: EPSILON, precision: 'float32' });
  const x = normal<tf.Rank.R4>([2, 6, 6, 4]);
  const shortcut = (input: tf.Tensor): tf.Tensor => layers.shortcutA(input as tf.Tensor4D, 8, 2);
  const y = shortcut(x);
  const weight = normal<tf.Rank.R4>([2, 3, 3, 8]);
  const gradient = tf.grad((input) => tf.sum(tf.mul(shortcut(input), weight)))(x);
  assert.deepEqual(y.shape, [2, 3, 3, 8]);
  const [xs, ys, ws, gs] = [x, y, weight, gradient].map((tensor) => tensor.dataSync());
  const expected = new Float32Array(ys.length);
  const expectedGradient = new Float32Array(xs.length);
  for (let at = 0; at < ys.length; at++) {
    const [n, p, q, channel] = [Math.floor(at / 72), Math.floor(at / 24) % 3, Math.floor(at / 8) % 3, at % 8];
    if (channel < 2 || channel >= 6) continue;
    const from = ((n * 6 + 2 * p) * 6 + 2 * q) * 4 + channel - 2;
    expected[at] = xs[from];
    expectedGradient[from] = ws[at];
  }
  assertClose(ys, expected, 'shortcut');
  assertClose(gs, expectedGradient, 'gradient');
});
