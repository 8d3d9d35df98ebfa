/**
 * A network in evaluation mode: pure functions over its state, as a trace wants them, and the traced functions of one
 * job, which are made once a batch size and serve every state that the network comes to.
 */
import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../engine/operations/cross-entropy.ts';
import { globalAveragePool } from '../engine/operations/pooling.ts';
import { tidy } from '../engine/tidy.ts';
import { TracedFunction } from '../engine/traced-function.ts';
import { headLogits, type Inference, type InferenceState, type Logits, type Network } from '../models/network.ts';
import type { Precision } from './config.ts';
import { saliencyMap } from './saliency.ts';
import type { Batch, MapBatch } from './step.ts';

/** What a network sees of the true class in each picture. */
export interface Look {
  /** [N, h, w] on the feature grid, each map from 0 to 1. */
  saliency: tf.Tensor3D;
  /** p(true class) by the uniform head [N]. */
  probability: tf.Tensor1D;
}

/** What heads alone need. */
type HeadState = Pick<InferenceState, 'trunk' | 'balanced'>;

/** Logits of both heads. @param images [N, H, W, 3] float32, normalised */
export function classify(network: Network, state: InferenceState, images: tf.Tensor4D): Logits {
  return tidy(() => {
    const inference = network.inference(state);
    return inference.logits(inference.features(images));
  });
}

/** Pooled features [N, F]. @param images [N, H, W, 3] float32, normalised */
export function pool(network: Network, state: InferenceState, images: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => network.inference(state).pooled(images));
}

/** What is kept of pictures whose backbone is frozen. */
export interface Kept {
  /** Pooled features [N, F]. */
  pooled: tf.Tensor2D;
  /** The map that the last stage begins with [N, h, w, C]; smaller than the last one, which costs little to make of it. */
  map: tf.Tensor4D;
}

/** Pooled features, and the map that they are made of. @param images [N, H, W, 3] float32, normalised */
export function keep(network: Network, state: InferenceState, images: tf.Tensor4D): Kept {
  return tidy(() => {
    const inference = network.inference(state);
    const map = inference.beforeLast(images);
    return { map, pooled: globalAveragePool(inference.lastStage(map)) };
  });
}

/** Logits of both heads by features that are known, of a network whose backbone is frozen. @param pooled [N, F] */
export function judge(network: Network, { trunk, balanced }: HeadState, pooled: tf.Tensor2D): Logits {
  return tidy(() => headLogits(network.tuned.trunk.split(trunk), network.balanced.split(balanced), pooled));
}

/**
 * Saliency and probability of the true classes, from one forward pass (method.md 2.1).
 * @param precision of the maps between layers
 */
export function look(
  network: Network,
  state: InferenceState,
  { images, labels }: Batch,
  precision: Precision = 'float32',
): Look {
  return tidy(() => {
    const inference = network.inference(state, precision);
    return lookAtFeatures(inference, inference.features(images), labels);
  });
}

/** The same from maps that were kept: the last stage is all that they go through. */
export function lookAtMaps(network: Network, state: InferenceState, { map, labels }: MapBatch): Look {
  return tidy(() => {
    const inference = network.inference(state);
    return lookAtFeatures(inference, inference.lastStage(map), labels);
  });
}

/** @param features last feature map */
function lookAtFeatures(inference: Inference, features: tf.Tensor4D, labels: tf.Tensor1D): Look {
  return tidy(() => {
    const { sampleLosses } = crossEntropy(inference.logits(features).uniform, labels);
    const probability: tf.Tensor1D = tf.exp(tf.neg(sampleLosses));
    sampleLosses.dispose();
    return { saliency: saliencyMap(features, inference.trunk.get('uniform.weight'), labels), probability };
  });
}

/** These functions, traced for each form of batch that comes more than once. Dispose it: `using`. */
export class Evaluator implements Disposable {
  readonly network: Network;
  readonly #classify = new TracedFunction(classify);
  readonly #pool = new TracedFunction(pool);
  readonly #keep = new TracedFunction(keep);
  readonly #judge = new TracedFunction(judge);
  readonly #look = new TracedFunction(look);

  constructor(network: Network) {
    this.network = network;
  }

  /** As `classify`; the caller disposes the result. */
  classify(state: InferenceState, images: tf.Tensor4D): Logits {
    return this.#classify.call(this.network, inferenceState(state), images);
  }

  /** As `pool`; the caller disposes the result. */
  pool(state: InferenceState, images: tf.Tensor4D): tf.Tensor2D {
    return this.#pool.call(this.network, inferenceState(state), images);
  }

  /** As `keep`; the caller disposes the result. */
  keep(state: InferenceState, images: tf.Tensor4D): Kept {
    return this.#keep.call(this.network, inferenceState(state), images);
  }

  /** As `judge`; the caller disposes the result. */
  judge({ trunk, balanced }: HeadState, pooled: tf.Tensor2D): Logits {
    return this.#judge.call(this.network, { trunk, balanced }, pooled);
  }

  /** As `look`; the caller disposes the result. */
  look(state: InferenceState, batch: Batch): Look {
    return this.#look.call(this.network, inferenceState(state), batch);
  }

  /** Why a batch runs operation by operation, slower than need be; null when it is traced. */
  get untraceable(): string | null {
    return this.#traced.map((fn) => fn.untraceable).find(Boolean) ?? null;
  }

  [Symbol.dispose](): void {
    for (const fn of this.#traced) fn.dispose();
  }

  get #traced(): readonly Pick<TracedFunction<never, unknown>, 'untraceable' | 'dispose'>[] {
    return [this.#classify, this.#pool, this.#keep, this.#judge, this.#look];
  }
}

/** Of a state in training, what evaluation looks at: a trace has no other arguments. */
function inferenceState({ frozen = null, trunk, balanced, statistics }: InferenceState): InferenceState {
  return { frozen, trunk, balanced, statistics };
}
