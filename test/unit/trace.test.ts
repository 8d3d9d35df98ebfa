/** A traced function does what the function does, and what would make it do something else is refused by name. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../core/engine/backend.ts';
import { Random } from '../../core/base/random.ts';
import { groupInputs } from '../../core/engine/op-definition.ts';
import { trace, TraceError, type Traced } from '../../core/engine/trace.ts';
import { tensorsOf } from '../../core/engine/tree.ts';
import { Network, type NetworkState } from '../../core/models/network.ts';
import { disposeState, extract, update, type Batch, type Optimiser } from '../../core/training/step.ts';
import { startTestEngine } from '../fixtures/engine.ts';

let engine: Engine;
before(() => {
  engine = startTestEngine();
});

const random = Random.stream(5, 'trace');
const normal = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
const vector = (...values: number[]): tf.Tensor1D => tf.tensor1d(values);
const handles = (): number => engine.backend.getNumOfTFTensors();

/** @throws what `trace` throws */
function refusal(fn: (...args: never[]) => unknown, examples: [unknown[], unknown[]]): TraceError {
  try {
    trace(fn as (...args: unknown[]) => unknown, examples);
  } catch (error) {
    assert.ok(error instanceof TraceError, String(error));
    return error;
  }
  return assert.fail('it was traced');
}

const NETWORK = new Network({ kind: 'resnet-cifar', blocks: 1 }, 4);
const BATCH = 8;
const makeBatch = (): Batch => ({
  images: tf.tensor4d(normal(BATCH * 16 * 16 * 3), [BATCH, 16, 16, 3]),
  labels: tf.tensor1d(
    Int32Array.from({ length: BATCH }, () => random.below(4)),
    'int32',
  ),
});
const optimiser = (rate: number): Optimiser => ({ rate: tf.scalar(rate), momentum: 0.9, weightDecay: 2e-4 });
const initial = (seed: number): NetworkState => NETWORK.initialize(Random.stream(seed, 'weights'));
const digits = (state: NetworkState): number[] => tensorsOf(state).flatMap(({ tensor }) => [...tensor.dataSync()]);

test('a traced training step gives the digits of the eager one, with another rate at each step', () => {
  for (const both of [false, true]) {
    const second = (): Batch | null => (both ? makeBatch() : null);
    const step = trace(update, [
      [NETWORK, initial(1), makeBatch(), second(), null, optimiser(0.1)],
      [NETWORK, initial(2), makeBatch(), second(), null, optimiser(0.3)],
    ]);
    assert.ok(step.operations > 100);
    let eager = initial(3);
    let traced = initial(3);
    for (const rate of [0.1, 0.05, 0.7, 0]) {
      const [uniform, balanced] = [makeBatch(), second()];
      const expected = update(NETWORK, eager, uniform, balanced, null, optimiser(rate));
      const actual = step(NETWORK, traced, uniform, balanced, null, optimiser(rate));
      assert.deepEqual(digits(actual.state), digits(expected.state), `rate ${rate}`);
      assert.deepEqual(actual.sampleLosses.dataSync(), expected.sampleLosses.dataSync());
      assert.deepEqual(actual.balancedLoss?.dataSync(), expected.balancedLoss?.dataSync());
      eager = expected.state;
      traced = actual.state;
    }
    step.dispose();
  }
});

test('traced extraction gives the digits of the eager one', () => {
  const step = trace(extract, [
    [NETWORK, initial(1), makeBatch()],
    [NETWORK, initial(2), makeBatch()],
  ]);
  const [state, batch] = [initial(4), makeBatch()];
  const expected = extract(NETWORK, state, batch);
  const actual = step(NETWORK, state, batch);
  assert.deepEqual(actual.mask.dataSync(), expected.mask.dataSync());
  assert.deepEqual(actual.probability.dataSync(), expected.probability.dataSync());
});

test('traced gradients through given statistics, ReLU6 and depthwise kernels have the digits of the eager ones', () => {
  const network = new Network({ kind: 'efficientnet-lite0' }, 3);
  const gradient = (trunk: tf.Tensor1D, balanced: tf.Tensor1D, statistics: tf.Tensor1D, images: tf.Tensor4D) =>
    tf.valueAndGrad((weights) =>
      tf.mean(network.inference({ trunk: weights as tf.Tensor1D, balanced, statistics }).features(images)),
    )(trunk);
  const args = (seed: number): Parameters<typeof gradient> => {
    const { trunk, balanced, statistics } = network.initialize(Random.stream(seed, 'weights'));
    return [trunk, balanced, tf.add(statistics, 0.01 * seed), tf.tensor4d(normal(2 * 64 * 64 * 3), [2, 64, 64, 3])];
  };
  const traced = trace(gradient, [args(1), args(2)]);
  const given = args(3);
  const [expected, actual] = [gradient(...given), traced(...given)];
  assert.deepEqual(actual.value.dataSync(), expected.value.dataSync());
  assert.deepEqual(actual.grad.dataSync(), expected.grad.dataSync());
  assert.ok(expected.grad.dataSync().some((value) => value !== 0));
  traced.dispose();
});

test('tracing and calling leave no tensor behind but the results', () => {
  const [uniform, state, other, rate] = [makeBatch(), initial(1), initial(2), optimiser(0.1)];
  for (const { tensor } of tensorsOf([uniform, rate, state, other])) {
    tensor.dataSync();
  }
  const settle = trace(update, [
    [NETWORK, state, uniform, null, null, rate],
    [NETWORK, other, uniform, null, null, rate],
  ]);
  const level = handles();
  settle.dispose();
  const step = trace(update, [
    [NETWORK, state, uniform, null, null, rate],
    [NETWORK, other, uniform, null, null, rate],
  ]);
  assert.equal(handles(), level);
  for (let i = 0; i < 3; i++) {
    const result = step(NETWORK, state, uniform, null, null, rate);
    disposeState(result.state);
    tf.dispose([result.uniformLoss, result.sampleLosses]);
    assert.equal(handles(), level);
  }
});

function everyKindOfResult(x: tf.Tensor, options: { factor: number }): object {
  const y = tf.mul(x, options.factor);
  return { x, twice: [y, y], constant: tf.scalar(7), factor: options.factor, none: null };
}

test('results may be arguments, the same tensor twice, constants and values that are no tensors', () => {
  const factor = { factor: 2 };
  const traced = trace(everyKindOfResult, [
    [vector(1, 2), factor],
    [vector(3, 4), factor],
  ]) as Traced<[tf.Tensor, { factor: number }], { x: tf.Tensor; twice: tf.Tensor[]; constant: tf.Tensor }>;
  const input = vector(5, 6);
  const result = traced(input, factor);
  assert.deepEqual(
    { ...result, x: [...result.x.dataSync()], twice: 0, constant: result.constant.dataSync()[0] },
    {
      x: [5, 6],
      twice: 0,
      constant: 7,
      factor: 2,
      none: null,
    },
  );
  assert.deepEqual([...result.twice[0].dataSync()], [10, 12]);
  tf.dispose([result.x, result.twice[0]]);
  assert.deepEqual([...result.twice[1].dataSync(), ...input.dataSync()], [10, 12, 5, 6]);
  assert.throws(() => traced(input, { factor: 3 }), /argument 1\.factor has another value than when traced/);
});

test('what TensorFlow does not need is left out', () => {
  const traced = trace(
    (x: tf.Tensor): tf.Tensor => {
      tf.exp(x);
      return tf.neg(x);
    },
    [[vector(1)], [vector(2)]],
  );
  assert.equal(traced.operations, 1);
});

test('a number that changes between calls is refused, with the operation that it went into', () => {
  let rate = 0.1;
  assert.match(
    refusal((x: tf.Tensor) => tf.mul(x, (rate *= 2)), [[vector(1)], [vector(2)]]).message,
    /^Mul: a constant \(0\.2\S* and 0\.4\S*\) differs between the two examples/,
  );
  let offset = 0;
  assert.match(
    refusal((x: tf.Tensor) => tf.slice(x, [offset++], [1]), [[vector(1, 2, 3)], [vector(2, 3, 4)]]).message,
    /^Slice: a constant \(0 and 1\) differs/,
  );
  let axis = 1;
  assert.match(
    refusal((x: tf.Tensor) => tf.cumsum(x, 0, axis-- > 0), [[vector(1, 2)], [vector(2, 3)]]).message,
    /^Cumsum: an attribute differs/,
  );
  assert.match(
    refusal(
      (x: tf.Tensor, by: number) => tf.mul(x, by),
      [
        [vector(1), 2],
        [vector(2), 3],
      ],
    ).message,
    /^argument 1 is no tensor and differs between the two examples/,
  );
});

test('a function that goes another way for another example is refused', () => {
  let calls = 0;
  assert.match(
    refusal((x: tf.Tensor) => (calls++ === 0 ? tf.exp(x) : tf.sin(x)), [[vector(1)], [vector(2)]]).message,
    /^Exp: the two examples do not run the same operations/,
  );
  assert.match(
    refusal((x: tf.Tensor) => (calls++ === 2 ? tf.exp(x) : tf.exp(tf.exp(x))), [[vector(1)], [vector(2)]]).message,
    /do not run the same operations/,
  );
  assert.match(
    refusal((x: tf.Tensor) => tf.exp(x), [[vector(1)], [vector(2, 3)]]).message,
    /^Exp: (an input's shape or type|the shape of its result) differs between the two examples/,
  );
});

test('a value read back, a tensor from outside, one tensor for two arguments and a promise are refused', () => {
  assert.match(
    refusal((x: tf.Tensor) => tf.mul(x, tf.exp(x).dataSync()[0]), [[vector(1)], [vector(2)]]).message,
    /^Exp: its value is read back while the function runs/,
  );
  assert.match(
    refusal((x: tf.Tensor) => tf.mul(x, x.dataSync()[0]), [[vector(1)], [vector(2)]]).message,
    /^argument tensor 1: its value is read back/,
  );
  const outside = vector(3);
  for (const state of ['held back by TensorFlow.js', 'known to TensorFlow']) {
    assert.match(
      refusal((x: tf.Tensor) => tf.add(x, outside), [[vector(1)], [vector(2)]]).message,
      /^Add: input 2 is a tensor from outside; pass it as an argument/,
      state,
    );
    tf.neg(outside);
  }
  assert.match(
    refusal((x: tf.Tensor) => [tf.neg(x), outside], [[vector(1)], [vector(2)]]).message,
    /^result 1: a tensor/,
  );
  const one = vector(1);
  assert.match(
    refusal(
      (x: tf.Tensor, y: tf.Tensor) => tf.add(x, y),
      [
        [one, one],
        [vector(1), vector(2)],
      ],
    ).message,
    /^argument tensors 1 and 2 are one; give two/,
  );
  assert.match(
    refusal((x: tf.Tensor) => Promise.resolve(tf.neg(x)), [[vector(1)], [vector(2)]]).message,
    /the function is asynchronous/,
  );
  assert.deepEqual([...tf.add(outside, 1).dataSync()], [4], 'the engine works on after a refusal');
});

test('an argument of another shape, type or form is refused by its path', () => {
  const traced = trace(
    ({ images }: { images: tf.Tensor }): tf.Tensor => tf.neg(images),
    [[{ images: vector(1, 2) }], [{ images: vector(2, 3) }]],
  );
  assert.throws(
    () => traced({ images: vector(1) }),
    /^TraceError: argument 0\.images was traced with float32 \[2\] and is float32 \[1\]/,
  );
  assert.throws(() => traced({ images: tf.tensor1d([1, 2], 'int32') }), /traced with float32 \[2\] and is int32 \[2\]/);
  assert.throws(() => traced({ pixels: vector(1, 2) } as never), /argument 0\.pixels was not there when traced/);
  assert.throws(() => traced({ images: vector(1, 2), more: 1 } as never), /another form than when traced/);
  traced.dispose();
  assert.throws(() => traced({ images: vector(1, 2) }));
});

test('the inputs of an operation are grouped as its definition says', () => {
  assert.deepEqual(groupInputs('ConcatV2', ['a', 'b', 'axis']), [['a', 'b'], 'axis']);
  assert.deepEqual(groupInputs('Split', ['axis', 'value']), ['axis', 'value']);
  assert.deepEqual(groupInputs('AddN', ['a']), [['a']]);
  assert.throws(() => groupInputs('NoSuchOperation', []), /NoSuchOperation/);
});
