/** When a function is traced, what happens when it cannot be, and what is left behind. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../core/engine/backend.ts';
import { record } from '../../core/engine/recorder.ts';
import { TracedFunction } from '../../core/engine/traced-function.ts';
import { startTestEngine } from '../fixtures/engine.ts';

let engine: Engine;
before(() => {
  engine = startTestEngine();
});

const vector = (...values: number[]): tf.Tensor1D => tf.tensor1d(values);

/** Operations that one call has TensorFlow do; a traced function counts as one. */
function operations<R extends tf.Tensor>(fn: TracedFunction<tf.Tensor[], R>, ...args: tf.Tensor[]): number {
  const { nodes, result } = record(engine.backend, args, () => fn.call(...args));
  result.dispose();
  return nodes.filter(({ kind }) => kind === 'operation').length;
}

const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.tidy(() => tf.add(tf.mul(x, y), tf.square(x)));

test('a form is traced when it comes for the second time, each for itself', () => {
  const fn = new TracedFunction(product);
  const [x, y] = [vector(1, 2), vector(3, 4)];
  assert.equal(operations(fn, x, y), 3);
  assert.deepEqual([...fn.call(x, y).dataSync()], [4, 12]);
  assert.equal(operations(fn, x, y), 1);
  assert.deepEqual([...fn.call(y, x).dataSync()], [12, 24]);
  const [longer, other] = [vector(1, 2, 3), vector(4, 5, 6)];
  assert.equal(operations(fn, longer, other), 3);
  assert.equal(operations(fn, x, y), 1);
  assert.deepEqual([...fn.call(longer, other).dataSync()], [5, 14, 27]);
  assert.equal(operations(fn, longer, other), 1);
  assert.equal(fn.untraceable, null);
});

test('what cannot be traced runs as it is, and the reason is kept', () => {
  const fn = new TracedFunction((x: tf.Tensor) => tf.mul(x, x.dataSync()[0]));
  for (const value of [2, 3, 4]) assert.deepEqual([...fn.call(vector(value, 1)).dataSync()], [value * value, value]);
  assert.match(fn.untraceable ?? '', /read back/);
});

test('a number that changes from call to call is found by the second example, which goes when it has served', () => {
  let factor = 1;
  const fn = new TracedFunction(
    (x: tf.Tensor, y: tf.Tensor) => tf.tidy(() => tf.mul(tf.add(x, y), factor++)),
    (x, y): [tf.Tensor, tf.Tensor] => [x, tf.add(y, 1)],
  );
  const [x, y] = [vector(1, 2), vector(3, 4)];
  fn.call(x, y).dispose();
  const handles = engine.backend.getNumOfTFTensors();
  fn.call(x, y).dispose();
  assert.match(fn.untraceable ?? '', /^Mul: a constant/);
  assert.equal(engine.backend.getNumOfTFTensors(), handles);
});

test('other failures than those of tracing are thrown', () => {
  const fn = new TracedFunction((x: tf.Tensor, y: tf.Tensor) => tf.add(x, y));
  for (let i = 0; i < 2; i++) assert.throws(() => fn.call(vector(1, 2), vector(1, 2, 3)));
  assert.equal(fn.untraceable, null);
});
