/**
 * The published weights of EfficientNet-Lite in our network: the same logits and gradients as PyTorch has with them
 * (test/fixtures/backbone-reference.ts). The weights come from the user's cache, or are fetched; without a network the
 * tests are skipped.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { decodeSafetensors } from '../../core/base/safetensors.ts';
import { crossEntropy } from '../../core/engine/operations/cross-entropy.ts';
import { Network } from '../../core/models/network.ts';
import { findBackbone, getBackbone } from '../../core/services/backbones.ts';
import { GRADIENTS, PICTURES, readReference, referencePictures, REFERENCES } from '../fixtures/backbone-reference.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

before(() => {
  startTestEngine();
});

/** The path of a pack, or why there is none. */
async function packPath(name: string): Promise<{ path: string } | { reason: string }> {
  try {
    return findBackbone(name);
  } catch (error) {
    if (!(error instanceof UserError && error.code === 'not-found')) throw error;
  }
  const cache = process.env.CONTEXTURE_CACHE;
  process.env.CONTEXTURE_CACHE = temporaryFolder();
  try {
    await getBackbone(name, { onEvent: () => {}, signal: new AbortController().signal });
    return findBackbone(name);
  } catch (error) {
    if (error instanceof UserError && error.code === 'not-found') return { reason: error.message };
    throw error;
  } finally {
    if (cache === undefined) delete process.env.CONTEXTURE_CACHE;
    else process.env.CONTEXTURE_CACHE = cache;
  }
}

/** [out, in, h, w] as [h, w, in, out]; a vector as it is. */
function inOurLayout(values: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length !== 4) return values;
  return tf.tidy(() => tf.transpose(tf.tensor(values, [...shape]), [2, 3, 1, 0]).dataSync<'float32'>());
}

/** Largest difference as a share of the largest value. */
function distance(actual: ArrayLike<number>, expected: Float32Array): number {
  assert.equal(actual.length, expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(actual[i] - value)), 0) / scale;
}

for (const kind of ['efficientnet-lite0', 'efficientnet-lite2'] as const) {
  test(`${kind} with its published weights has PyTorch's logits and gradients`, async (t) => {
    const found = await packPath(kind);
    if ('reason' in found) return t.skip(found.reason);
    const { tensors } = decodeSafetensors(readFileSync(found.path), found.path);
    const weights = new Map(Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array]));
    const network = new Network({ kind }, 1000);
    const state = network.initialize(
      Random.stream(1, 'weights'),
      new Map([
        ...weights,
        ['uniform.weight', weights.get('classifier.weight')!],
        ['uniform.bias', weights.get('classifier.bias')!],
      ]),
    );
    const side = REFERENCES[kind];
    const images = tf.tensor4d(referencePictures(kind), [PICTURES, side, side, 3]);
    const labels = tf.tensor1d([0, 1], 'int32');
    const reference = readReference(kind);
    let logits: tf.Tensor2D | undefined;
    const gradient = tf.grad((trunk) => {
      const inference = network.inference({ ...state, trunk: trunk as tf.Tensor1D });
      logits = tf.keep(inference.logits(inference.features(images)).uniform);
      return crossEntropy(logits, labels).loss;
    })(state.trunk);
    const expected = reference.logits.data as Float32Array;
    const values = logits!.dataSync();
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i] - value)), 0);
    t.diagnostic(`logits differ by at most ${worst}`);
    assert.ok(worst < 1e-4, `logits are off by ${worst}`);
    const gradients = new Map(
      network.trunk.views(gradient.dataSync<'float32'>()).map((view) => [view.name, view.values] as const),
    );
    for (const [name, shape, ours] of GRADIENTS[kind]) {
      const off = distance(gradients.get(ours)!, inOurLayout(reference[name].data as Float32Array, shape));
      t.diagnostic(`the gradient in ${ours} differs by ${off} of its largest value`);
      // Where a value lies at a bend of a ReLU6, the last digit decides whether its gradient passes: one that does not moves
      // the gradients of all layers below by up to a thousandth. The last layers have hardly any such place below the loss.
      const limit = /^(last|uniform)\./.test(ours) ? 1e-5 : 5e-3;
      assert.ok(off < limit, `the gradient in ${ours} is off by ${off}`);
    }
  });
}
