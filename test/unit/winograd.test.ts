/**
 * Our convolutions of 3x3 against the definition in double precision, TensorFlow's own error beside ours, and the
 * promises that no digit depends on the instruction set, the threads, the batch or a trace.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { engine, type OpAttribute } from '../../core/engine/backend.ts';
import { convolution } from '../../core/engine/operations/convolution.ts';
import { toPrecision } from '../../core/engine/operations/precision.ts';
import { trace } from '../../core/engine/trace.ts';
import { PRECISIONS, type Precision } from '../../core/training/config.ts';
import { startTestEngine } from '../fixtures/engine.ts';

const DIGESTS = fileURLToPath(new URL('../fixtures/convolution-digests.ts', import.meta.url));
/** Largest error over largest value; float32 has 6e-8, and 64 channels of 3x3 are sums of 576 products. */
const TOLERANCE = 5e-6;
/**
 * In bfloat16, which has 8 significant bits, a result is rounded (2e-3 of it), and before, the numbers that a tile and a
 * filter become.
 */
const TOLERANCE_BFLOAT16 = 2e-2;

before(() => {
  startTestEngine();
});

const random = Random.stream(1, 'winograd');

function normal(shape: [number, number, number, number]): tf.Tensor4D {
  return tf.tensor4d(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
}

/** Lanes that this processor has, the most first. */
function lanesHere(): number[] {
  return [16, 8].filter((lanes) => lanes <= engine().backend.binding.winogradLanes);
}

/** A convolution and its gradients for sum(y * weight): [y, dx, dKernel]. */
type Results = [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];

function byOurKernels(x: tf.Tensor4D, kernel: tf.Tensor4D, weight: tf.Tensor4D, lanes: number): Results {
  const { backend } = engine();
  const { TF_ATTR_BOOL, TF_ATTR_INT, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const type: OpAttribute = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const width = [type, { name: 'lanes', type: TF_ATTR_INT, value: lanes }];
  const transposed = (value: boolean): OpAttribute => ({ name: 'transposed', type: TF_ATTR_BOOL, value });
  return [
    backend.executeSingleOutput('ContextureWinograd', [...width, transposed(false)], [x, kernel]).dataSync(),
    backend.executeSingleOutput('ContextureWinograd', [...width, transposed(true)], [weight, kernel]).dataSync(),
    backend.executeSingleOutput('ContextureWinogradFilterGrad', width, [x, weight]).dataSync(),
  ];
}

function byTensorFlow(x: tf.Tensor4D, kernel: tf.Tensor4D, weight: tf.Tensor4D): Results {
  const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
    tf.sum(tf.mul(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'), weight)),
  )([x, kernel]);
  return [tf.conv2d(x, kernel, 1, 'same').dataSync(), gradients[0].dataSync(), gradients[1].dataSync()];
}

/** y[n, p, q, o] = sum of x[n, p + a - 1, q + b - 1, i] k[a, b, i, o], zero outside, in double precision. */
function byDefinition(x: tf.Tensor4D, kernel: tf.Tensor4D, weight: tf.Tensor4D): Results {
  const [batch, height, width, channels] = x.shape;
  const out = kernel.shape[3];
  const [xs, ks, ws] = [x.dataSync(), kernel.dataSync(), weight.dataSync()];
  const [y, dx, dk] = [weight.size, x.size, kernel.size].map((length) => new Float64Array(length));
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < height; p++) {
      for (let q = 0; q < width; q++) {
        for (let k = 0; k < 9; k++) {
          const [v, u] = [p + Math.floor(k / 3) - 1, q + (k % 3) - 1];
          if (v < 0 || v >= height || u < 0 || u >= width) continue;
          const [atX, atY] = [((n * height + v) * width + u) * channels, ((n * height + p) * width + q) * out];
          for (let i = 0; i < channels; i++) {
            for (let o = 0; o < out; o++) {
              const atK = (k * channels + i) * out + o;
              y[atY + o] += xs[atX + i] * ks[atK];
              dx[atX + i] += ws[atY + o] * ks[atK];
              dk[atK] += ws[atY + o] * xs[atX + i];
            }
          }
        }
      }
    }
  }
  return [y, dx, dk];
}

/** Largest error, and the root of the mean square of all, over the largest value. */
function errors(actual: ArrayLike<number>, expected: ArrayLike<number>): { largest: number; usual: number } {
  assert.equal(actual.length, expected.length);
  let [largest, squares, value] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    assert.ok(!Number.isNaN(error), `[${i}] is not a number`);
    largest = Math.max(largest, error);
    squares += error * error;
    value = Math.max(value, Math.abs(expected[i]));
  }
  return { largest: largest / value, usual: Math.sqrt(squares / expected.length) / value };
}

const SIZES: readonly (readonly [batch: number, height: number, width: number, channels: number, out: number])[] = [
  [1, 1, 1, 16, 16],
  [1, 2, 2, 16, 32],
  [2, 5, 3, 32, 16],
  [3, 7, 9, 16, 48],
  [1, 8, 6, 48, 64],
  [5, 4, 17, 80, 16],
  [4, 16, 16, 32, 32],
  [2, 32, 32, 16, 16],
  [3, 8, 8, 64, 64],
];

for (const [batch, height, width, channels, out] of SIZES) {
  test(`${batch} maps of ${height}x${width}, ${channels} to ${out} channels: the definition, about as exact as TensorFlow`, (t) => {
    if (lanesHere().length === 0) return t.skip('this processor has no AVX2');
    const x = normal([batch, height, width, channels]);
    const kernel = normal([3, 3, channels, out]);
    const weight = normal([batch, height, width, out]);
    const expected = byDefinition(x, kernel, weight);
    const theirs = byTensorFlow(x, kernel, weight);
    const [ours, ...others] = lanesHere().map((lanes) => byOurKernels(x, kernel, weight, lanes));
    for (const [k, what] of ['y', 'gradient in x', 'gradient in the kernel'].entries()) {
      const [error, reference] = [errors(ours[k], expected[k]), errors(theirs[k], expected[k])];
      assert.ok(error.largest < TOLERANCE, `${what} is off by ${error.largest} of the largest`);
      // Sums of few terms are exact in TensorFlow, hence the second term.
      assert.ok(
        error.usual < 4 * reference.usual + 1e-7,
        `${what} is usually off by ${error.usual}, TensorFlow's by ${reference.usual}`,
      );
      for (const other of others) assert.deepEqual(other[k], ours[k], `${what} with fewer lanes`);
    }
  });
}

/** Rounded to bfloat16, and the same numbers as float32. */
function rounded(shape: [number, number, number, number]): { half: tf.Tensor4D; exact: tf.Tensor4D } {
  const half = toPrecision(normal(shape), 'bfloat16');
  return { half, exact: toPrecision(half, 'float32') };
}

for (const [batch, height, width, channels, out] of SIZES) {
  test(`${batch} maps of ${height}x${width}, ${channels} to ${out} channels in bfloat16: close to the definition`, (t) => {
    const { binding } = engine().backend;
    if (!binding.winogradBfloat16) return t.skip('this processor has no AVX512_BF16');
    const x = rounded([batch, height, width, channels]);
    const weight = rounded([batch, height, width, out]);
    const kernel = normal([3, 3, channels, out]);
    const expected = byDefinition(x.exact, kernel, weight.exact);
    const ours = byOurKernels(x.half, kernel, weight.half, binding.winogradLanes);
    for (const [k, what] of ['y', 'gradient in x', 'gradient in the kernel'].entries()) {
      const { largest, usual } = errors(ours[k], expected[k]);
      assert.ok(largest < TOLERANCE_BFLOAT16, `${what} is off by ${largest} of the largest`);
      assert.ok(usual < TOLERANCE_BFLOAT16 / 4, `${what} is usually off by ${usual} of the largest`);
    }
  });
}

test('convolutions of 3x3 take our kernel where channels fit, and not where they do not', (t) => {
  if (lanesHere().length === 0) return t.skip('this processor has no AVX2');
  const [lanes] = lanesHere();
  for (const [channels, out, fits] of [
    [16, 32, true],
    [16, 24, false],
    [3, 16, false],
  ] as const) {
    const x = normal([2, 9, 9, channels]);
    const kernel = normal([3, 3, channels, out]);
    const y = convolution(x, kernel, 1, 1).dataSync();
    const expected = fits
      ? byOurKernels(x, kernel, normal([2, 9, 9, out]), lanes)[0]
      : tf.conv2d(x, kernel, 1, 'same').dataSync();
    assert.deepEqual(y, expected, `${channels} to ${out}`);
  }
});

function withGradients(x: tf.Tensor, kernel: tf.Tensor): tf.Tensor[] {
  return [
    convolution(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 1),
    ...tf.grads((a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.square(toPrecision(convolution(a as tf.Tensor4D, b as tf.Tensor4D, 1, 1), 'float32'))),
    )([x, kernel]),
  ];
}

/** Why our kernel is not what convolutions of this precision take here. */
function notOurs(precision: Precision): string | null {
  const { winogradLanes, winogradBfloat16Pays } = engine().backend.binding;
  if (precision === 'float32') return winogradLanes > 0 ? null : 'this processor has no AVX2';
  return winogradBfloat16Pays ? null : 'this processor has no AVX512_BF16, or AMX besides';
}

for (const precision of PRECISIONS) {
  const given = (shape: [number, number, number, number]): tf.Tensor4D => toPrecision(normal(shape), precision);
  const example = (): [tf.Tensor, tf.Tensor] => [given([2, 10, 7, 16]), normal([3, 3, 16, 16])];

  test(`a map has the same digits alone and in a batch, in ${precision}`, (t) => {
    const reason = notOurs(precision);
    if (reason !== null) return t.skip(reason);
    const x = given([5, 7, 9, 16]);
    const kernel = normal([3, 3, 16, 32]);
    const all = convolution(x, kernel, 1, 'same');
    for (let n = 0; n < 5; n++) {
      const alone = convolution(tf.slice(x, [n, 0, 0, 0], [1, 7, 9, 16]), kernel, 1, 'same');
      assert.deepEqual(alone.dataSync(), tf.slice(all, [n, 0, 0, 0], [1, 7, 9, 32]).dataSync(), `map ${n}`);
    }
  });

  test(`a traced convolution with its gradients has the digits of plain calls, in ${precision}`, (t) => {
    const reason = notOurs(precision);
    if (reason !== null) return t.skip(reason);
    const traced = trace(withGradients, [example(), example()]);
    const inputs = example();
    const [plain, fast] = [withGradients(...inputs), traced(...inputs)];
    for (const [i, tensor] of plain.entries()) assert.deepEqual(fast[i].dataSync(), tensor.dataSync(), `result ${i}`);
    traced.dispose();
  });
}

function digest(threads: number): string {
  return execFileSync(process.execPath, [DIGESTS, String(threads)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

test('no digit depends on the number of threads or the process', () => {
  const one = digest(1);
  assert.match(one, /^[0-9a-f]{64}$/);
  assert.deepEqual([digest(2), digest(3), digest(2)], [one, one, one]);
});
