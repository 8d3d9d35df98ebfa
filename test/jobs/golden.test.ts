/**
 * Twenty CSA steps against the PyTorch peer: same weights, batches, permutations and lambdas, and at every step the same
 * losses, probabilities and masks; at the end the same weights, running statistics and evaluation-mode logits.
 * The numbers were written down by test/fixtures/golden/make_golden.py.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { decodeSafetensors, type StoredTensor } from '../../core/base/safetensors.ts';
import { Network, type NetworkState } from '../../core/models/network.ts';
import type { Layout } from '../../core/models/parameters.ts';
import { ContextBank } from '../../core/training/context-bank.ts';
import { CIFAR_NORMALISATION, Normaliser } from '../../core/training/preprocessing.ts';
import { TracedFunction } from '../../core/engine/traced-function.ts';
import { disposeState, extract, update, type Batch, type Mix } from '../../core/training/step.ts';
import { startTestEngine } from '../fixtures/engine.ts';

const FILE = fileURLToPath(new URL('../fixtures/golden/csa-steps.safetensors', import.meta.url));
const TOLERANCE = 1e-3;
const SIDE = 32;
const PICTURE = SIDE * SIDE * 3;

before(() => {
  startTestEngine();
});

/** Largest difference, so that a failure says how far off it is. */
function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    assert.ok(!Number.isNaN(difference), `${what}[${i}] is not a number`);
    worst = Math.max(worst, difference);
  }
  assert.ok(worst <= TOLERANCE, `${what} is off by ${worst}`);
}

test('20 CSA steps equal the PyTorch peer', () => {
  comparePeer(extract, update);
});

test('20 traced CSA steps equal the PyTorch peer', () => {
  const traced = { extract: new TracedFunction(extract), update: new TracedFunction(update) };
  comparePeer(
    (...args) => traced.extract.call(...args),
    (...args) => traced.update.call(...args),
  );
  assert.deepEqual([traced.extract.untraceable, traced.update.untraceable], [null, null]);
});

function comparePeer(look: typeof extract, step: typeof update): void {
  const { tensors, metadata } = decodeSafetensors(readFileSync(FILE), FILE);
  const floats = (name: string): Float32Array => tensors[name].data as Float32Array;
  const ints = (name: string): Int32Array => tensors[name].data as Int32Array;
  const setting = (name: string): number => Number(metadata[name]);
  const [classes, batchSize, bankSize] = [setting('classes'), setting('batch'), setting('bank')];

  const network = new Network({ kind: 'resnet-cifar', blocks: 1 }, classes);
  const vector = (layout: Layout, prefix: string): Float32Array =>
    layout.join(new Map(layout.specs.map(({ name }) => [name, floats(`${prefix}.${name}`)])));
  let state: NetworkState = {
    frozen: null,
    trunk: tf.tensor1d(vector(network.trunk, 'before')),
    trunkMomentum: tf.zeros([network.trunk.size]),
    balanced: tf.tensor1d(vector(network.balanced, 'before')),
    balancedMomentum: tf.zeros([network.balanced.size]),
    statistics: tf.tensor1d(vector(network.statistics, 'before')),
  };
  const normaliser = new Normaliser(CIFAR_NORMALISATION);
  const bank = new ContextBank(bankSize, SIDE);
  const pool = tensors.pixels.data as Uint8Array;
  const labels = ints('labels');
  const pixelsOf = (indices: Int32Array): Uint8Array =>
    new Uint8Array(Buffer.concat([...indices].map((i) => pool.subarray(i * PICTURE, (i + 1) * PICTURE))));
  const images = (pixels: Uint8Array): tf.Tensor4D =>
    tf.tensor4d(normaliser.apply(pixels), [pixels.length / PICTURE, SIDE, SIDE, 3]);
  const batchOf = (indices: Int32Array): { images: tf.Tensor4D; labels: tf.Tensor1D } => ({
    images: images(pixelsOf(indices)),
    labels: tf.tensor1d(
      indices.map((i) => labels[i]),
      'int32',
    ),
  });
  const rate = tf.scalar(setting('rate'));
  const optimiser = { rate, momentum: setting('momentum'), weightDecay: setting('decay') };
  let mixedSteps = 0;

  for (let n = 0; n < ints('bank_counts').length; n++) {
    const row = (name: string): Int32Array => ints(name).slice(n * batchSize, (n + 1) * batchSize);
    const uniform = batchOf(row('uniform'));
    const { mask, probability } = look(network, state, uniform);
    const p = probability.dataSync<'float32'>();
    const masks = mask.dataSync<'float32'>();
    assertClose(p, floats('probabilities').slice(n * batchSize, (n + 1) * batchSize), `p of step ${n}`);
    const writtenMasks = tensors[`masks.${n}`] as StoredTensor | undefined;
    if (writtenMasks) assertClose(masks, writtenMasks.data as Float32Array, `masks of step ${n}`);
    const uniformPixels = pixelsOf(row('uniform'));
    for (let i = 0; i < batchSize; i++) {
      if (p[i] < setting('delta')) continue;
      bank.push(
        uniformPixels.subarray(i * PICTURE, (i + 1) * PICTURE),
        masks.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE),
        labels[row('uniform')[i]],
      );
    }
    assert.equal(bank.count, ints('bank_counts')[n], `bank after step ${n}`);
    const lambda = floats('lambdas')[n];
    let balanced: Batch | null = null;
    let mix: Mix | null = null;
    if (lambda >= 0) {
      mixedSteps++;
      balanced = batchOf(row('balanced'));
      const held = bank.state;
      const order = row('orders');
      const pick = <A extends Uint8Array | Float32Array>(from: A, size: number): A[] =>
        [...order].map((i) => from.subarray(i * size, (i + 1) * size) as A);
      const contexts = images(new Uint8Array(Buffer.concat(pick(held.pixels, PICTURE))));
      const contextMasks = Float32Array.from(pick(held.masks, SIDE * SIDE).flatMap((part) => [...part]));
      const strength = tf.tensor4d(new Float32Array(batchSize).fill(lambda), [batchSize, 1, 1, 1]);
      mix = { contexts, masks: tf.tensor4d(contextMasks, [batchSize, SIDE, SIDE, 1]), lambda: strength };
    }
    const result = step(network, state, uniform, balanced, mix, optimiser);
    const [uniformLoss, balancedLoss] = floats('losses').slice(n * 2, n * 2 + 2);
    assertClose([result.uniformLoss.dataSync()[0]], [uniformLoss], `uniform loss of step ${n}`);
    assert.equal(result.balancedLoss === null, balanced === null);
    if (result.balancedLoss) {
      assertClose([result.balancedLoss.dataSync()[0]], [balancedLoss], `balanced loss of step ${n}`);
    }
    disposeState(state);
    state = result.state;
  }
  assert.equal(mixedSteps, 15, 'steps with contexts laid on');
  assertClose(state.trunk.dataSync(), vector(network.trunk, 'after'), 'trunk weights');
  assertClose(state.balanced.dataSync(), vector(network.balanced, 'after'), 'balanced head');
  assertClose(state.statistics.dataSync(), vector(network.statistics, 'after'), 'running statistics');
  const inference = network.inference(state);
  const logits = inference.logits(inference.features(images(pool)));
  assertClose(logits.uniform.dataSync(), floats('logits.uniform'), 'uniform logits');
  assertClose(logits.balanced.dataSync(), floats('logits.balanced'), 'balanced logits');
}
