import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { dealFolds } from '../../core/contexts/held-out.ts';
import { maskArea, maskFromSaliency } from '../../core/contexts/mask.ts';
import { averageMaps, mirrored as turned, saliencyInput, type SaliencyMap } from '../../core/contexts/saliency-look.ts';
import { bicubicMatrix } from '../../core/training/bicubic.ts';
import { contextMask, saliencyMap } from '../../core/training/saliency.ts';
import { startTestEngine } from '../fixtures/engine.ts';

before(() => {
  startTestEngine();
});

test("bicubic enlargement by two has PyTorch's weights (a = -0.75), borders repeated", () => {
  // Keys' kernel at distances 1.75, 0.75, 0.25 and 1.25, worked out by hand.
  const [far, near, next, other] = [-0.03515625, 0.26171875, 0.87890625, -0.10546875];
  const matrix = bicubicMatrix(4, 8);
  const row = (i: number): number[] => [...matrix.subarray(i * 4, (i + 1) * 4)];
  assert.deepEqual(row(4), [far, near, next, other]);
  assert.deepEqual(row(3), [other, next, near, far]);
  assert.deepEqual(row(2), [far + near, next, other, 0]);
  assert.deepEqual(row(0), [far + near + next, other, 0, 0]);
  assert.deepEqual(row(7), [0, 0, other, far + near + next]);
});

test('bicubic weights sum to one and treat both ends alike, at any size', () => {
  for (const [from, to] of [
    [8, 32],
    [7, 224],
    [4, 30],
    [1, 16],
    [9, 9],
    [12, 5],
  ]) {
    const matrix = bicubicMatrix(from, to);
    for (let i = 0; i < to; i++) {
      const row = matrix.subarray(i * from, (i + 1) * from);
      const mirrored = matrix.subarray((to - 1 - i) * from, (to - i) * from).toReversed();
      assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-6, `${from} to ${to}, row ${i}`);
      for (const [j, value] of row.entries()) assert.ok(Math.abs(value - mirrored[j]) < 1e-6);
    }
  }
  assert.deepEqual([...bicubicMatrix(3, 3)], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
});

test('saliency without a backward pass is Grad-CAM: gradient of the logit, averaged, ReLU, min-max', () => {
  const random = Random.stream(1, 'saliency');
  const normal = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const features = tf.relu(tf.tensor4d(normal(3 * 4 * 5 * 6), [3, 4, 5, 6]));
  const weight = tf.tensor2d(normal(6 * 2), [6, 2]);
  const labels = tf.tensor1d([1, 0, 1], 'int32');
  const score = (x: tf.Tensor): tf.Tensor =>
    tf.sum(tf.mul(tf.matMul(tf.mean(x, [1, 2]) as tf.Tensor2D, weight), tf.oneHot(labels, 2)));
  const importance = tf.mean(tf.grad(score)(features), [1, 2], true);
  const map = tf.relu(tf.sum(tf.mul(importance, features), 3));
  const [low, high] = [tf.min(map, [1, 2], true), tf.max(map, [1, 2], true)];
  const expected = tf.div(tf.sub(map, low), tf.sub(high, low)).dataSync();
  const found = saliencyMap(features as tf.Tensor4D, weight, labels).dataSync();
  assert.ok(Math.max(...expected) === 1 && Math.min(...expected) === 0);
  for (const [i, value] of found.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-5, `${value}, ${expected[i]}`);
});

test('a map without evidence is all zeros, not NaN, and its picture is all context', () => {
  const flat = saliencyMap(tf.zeros([1, 4, 4, 3]), tf.ones([3, 2]), tf.tensor1d([0], 'int32'));
  assert.deepEqual([...flat.dataSync()], Array(16).fill(0));
  assert.ok(
    contextMask(flat, 32, 32)
      .dataSync()
      .every((value) => value === 1),
  );
});

test('a mask made from stored saliency is the mask of training, within 8 bits; so is a threshold', () => {
  const random = Random.stream(2, 'masks');
  for (const [h, w, height, width] of [
    [8, 8, 32, 32],
    [4, 6, 45, 70],
    [7, 7, 13, 5],
  ]) {
    const data = Uint8Array.from({ length: h * w }, () => random.below(256));
    data[random.below(data.length)] = 255;
    data[random.below(data.length)] = 0;
    const saliency = tf.tensor3d(
      Float32Array.from(data, (value) => value / 255),
      [1, h, w],
    );
    const expected = contextMask(saliency, height, width).dataSync();
    const soft = maskFromSaliency({ width: w, height: h, data }, width, height, { form: 'soft' });
    assert.deepEqual([soft.width, soft.height], [width, height]);
    for (const [i, value] of soft.data.entries()) {
      assert.ok(Math.abs(value / 255 - expected[i]) <= 0.5 / 255 + 1e-5, `${value / 255}, not ${expected[i]}`);
    }
    const hard = maskFromSaliency({ width: w, height: h, data }, width, height, { form: 'threshold', threshold: 0.4 });
    for (const [i, value] of hard.data.entries()) {
      const enlarged = 1 - Math.sqrt(expected[i]);
      if (Math.abs(enlarged - 0.4) < 1e-4) continue;
      assert.equal(value, enlarged < 0.4 ? 255 : 0);
    }
    const mean = soft.data.reduce((sum, value) => sum + value, 0) / (255 * soft.data.length);
    assert.ok(Math.abs(maskArea(soft) - mean) < 1e-12);
  }
});

const inputOf = (width: number, height: number, shorter: number, step = 8): number[] => {
  const size = saliencyInput({ width, height }, shorter, step);
  return [size.width, size.height];
};

test('a picture goes through the network whole, in nearly its own shape, sides multiples of eight', () => {
  assert.deepEqual(inputOf(500, 500, 64), [64, 64]);
  assert.deepEqual(inputOf(500, 375, 64), [88, 64]);
  assert.deepEqual(inputOf(375, 500, 64), [64, 88]);
  assert.deepEqual(inputOf(5000, 100, 64), [128, 64], 'a long one is squeezed to two to one');
  assert.deepEqual(inputOf(28, 28, 33), [40, 40]);
  assert.deepEqual(inputOf(33, 32, 32), [32, 32]);
  assert.deepEqual(inputOf(500, 375, 260, 32), [384, 288], 'or of the stride of a backbone for photographs');
});

test('maps of two sizes are averaged on the finer grid, evidence from 0 to 1; one alone stays as it is', () => {
  const random = Random.stream(3, 'scales');
  const mapOf = (width: number, height: number): SaliencyMap => {
    const data = Float32Array.from({ length: width * height }, () => random.uniform());
    data[random.below(data.length)] = 0;
    data[random.below(data.length)] = 1;
    return { width, height, data };
  };
  const [coarse, fine] = [mapOf(3, 4), mapOf(6, 9)];
  assert.equal(averageMaps([fine]), fine);
  const average = averageMaps([coarse, fine]);
  assert.deepEqual([average.width, average.height], [6, 9]);
  assert.deepEqual([Math.min(...average.data), Math.max(...average.data)], [0, 1]);
  // Enlarged as two matrices, averaged and scaled by hand.
  const [columns, rows] = [bicubicMatrix(3, 6), bicubicMatrix(4, 9)];
  const mean = Array.from({ length: 54 }, (_, i) => {
    let sum = 0;
    for (let v = 0; v < 4; v++) {
      for (let u = 0; u < 3; u++)
        sum += rows[Math.floor(i / 6) * 4 + v] * columns[(i % 6) * 3 + u] * coarse.data[v * 3 + u];
    }
    return (Math.min(1, Math.max(0, sum)) + fine.data[i]) / 2;
  });
  const [low, high] = [Math.min(...mean), Math.max(...mean)];
  for (const [i, value] of average.data.entries()) {
    assert.ok(Math.abs(value - (mean[i] - low) / (high - low)) < 1e-5, `${value}`);
  }
  const flat = { width: 2, height: 2, data: new Float32Array(4) };
  assert.deepEqual([...averageMaps([flat, flat]).data], [0, 0, 0, 0], 'no evidence stays none');
  const { data } = turned({ width: 3, height: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  assert.deepEqual([...data], [3, 2, 1, 6, 5, 4]);
});

test('folds: every class is spread evenly, and so is the whole', () => {
  // Odd and even classes by turns: dealing each from the first fold on would fill that one.
  const sizes = [40, 31, 20, 11, 6, 5, 2, 1, 1];
  const labels = Random.stream(1, 'labels').shuffle(sizes.flatMap((size, label) => Array<number>(size).fill(label)));
  for (const folds of [2, 3, 5]) {
    const fold = dealFolds(labels, folds, 7);
    const spread = (positions: number[]): number => {
      const counts = Array.from({ length: folds }, (_, k) => positions.filter((p) => fold[p] === k).length);
      return Math.max(...counts) - Math.min(...counts);
    };
    const all = [...labels.keys()];
    assert.ok(all.every((position) => fold[position] >= 0 && fold[position] < folds));
    assert.ok(spread(all) <= 1, `${folds} folds differ by ${spread(all)}`);
    for (const label of sizes.keys()) {
      assert.ok(spread(all.filter((position) => labels[position] === label)) <= 1, `class ${label} of ${folds} folds`);
    }
    assert.deepEqual(dealFolds(labels, folds, 7), fold);
    assert.notDeepEqual(dealFolds(labels, folds, 8), fold);
  }
});
