/** Evaluation and saliency by traced functions give the digits of the plain ones, for every state and form of batch. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { Network, type NetworkState } from '../../core/models/network.ts';
import type { ModelConfig } from '../../core/training/config.ts';
import { logitsOf } from '../../core/training/evaluate.ts';
import { classify, Evaluator, look } from '../../core/training/evaluator.ts';
import { PackedPictures } from '../../core/training/pictures.ts';
import { IMAGENET_NORMALISATION, Normaliser } from '../../core/training/preprocessing.ts';
import { startTestEngine } from '../fixtures/engine.ts';

before(() => {
  startTestEngine();
});

const CLASSES = 5;
const random = Random.stream(3, 'evaluator');

/** Weights as they start and running statistics that are none of the start's. */
function makeState(network: Network, seed: number): NetworkState {
  const state = network.initialize(Random.stream(seed, 'weights'));
  const statistics = state.statistics.dataSync<'float32'>().map((value) => 0.5 * value + 0.3 + 0.2 * random.uniform());
  state.statistics.dispose();
  return { ...state, statistics: tf.tensor1d(statistics) };
}

function makeBatch(count: number, height: number, width: number): { images: tf.Tensor4D; labels: tf.Tensor1D } {
  const values = Float32Array.from({ length: count * height * width * 3 }, () => random.normal());
  const labels = Int32Array.from({ length: count }, () => random.below(CLASSES));
  return { images: tf.tensor4d(values, [count, height, width, 3]), labels: tf.tensor1d(labels, 'int32') };
}

const MODELS: ModelConfig[] = [
  { kind: 'resnet-cifar', blocks: 1 },
  { kind: 'resnet18' },
  { kind: 'efficientnet-lite0' },
];

for (const model of MODELS) {
  test(`${model.kind}: logits and saliency have the same digits, state after state`, () => {
    const network = new Network(model, CLASSES);
    using evaluator = new Evaluator(network);
    for (const seed of [1, 2, 3, 4]) {
      const state = makeState(network, seed);
      // Photographs keep their shape when they are looked at.
      const batch = makeBatch(3, 32, 48);
      const [logits, expected] = [evaluator.classify(state, batch.images), classify(network, state, batch.images)];
      assert.deepEqual(logits.uniform.dataSync(), expected.uniform.dataSync(), `state ${seed}`);
      assert.deepEqual(logits.balanced.dataSync(), expected.balanced.dataSync(), `state ${seed}`);
      const [seen, plain] = [evaluator.look(state, batch), look(network, state, batch)];
      assert.deepEqual(seen.saliency.dataSync(), plain.saliency.dataSync(), `state ${seed}`);
      assert.deepEqual(seen.probability.dataSync(), plain.probability.dataSync(), `state ${seed}`);
    }
    assert.equal(evaluator.untraceable, null);
  });
}

test('logits of a split: whole batches and the odd last one, epoch after epoch, in the order of the pictures', async () => {
  const network = new Network({ kind: 'resnet-cifar', blocks: 1 }, CLASSES);
  using evaluator = new Evaluator(network);
  const normaliser = new Normaliser(IMAGENET_NORMALISATION);
  const size = 128;
  // 16 pictures of this size go through at a time.
  const pixels = Array.from({ length: 37 }, () =>
    Uint8Array.from({ length: size * size * 3 }, () => random.below(256)),
  );
  const set = { count: pixels.length, size, read: (index: number) => pixels[index] };
  const pictures = new PackedPictures(set, { crop: 'padded', leastArea: 0.25, pad: 0, flip: false, jitter: 0 });
  for (const seed of [1, 2, 3]) {
    const state = makeState(network, seed);
    const told: number[] = [];
    const logits = await logitsOf(
      evaluator,
      state,
      pictures,
      IMAGENET_NORMALISATION,
      async (done) => void told.push(done),
    );
    assert.deepEqual(told, [16, 32, 37]);
    const expected = [0, 16, 32].map((start) => {
      const batch = pixels.slice(start, start + 16);
      const values = normaliser.apply(new Uint8Array(Buffer.concat(batch)));
      return classify(network, state, tf.tensor4d(values, [batch.length, size, size, 3]));
    });
    for (const head of ['uniform', 'balanced'] as const) {
      assert.deepEqual([...logits[head]], [...tf.concat(expected.map((part) => part[head])).dataSync()], head);
    }
  }
});
