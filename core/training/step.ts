/**
 * One training step as pure functions over explicit state: `extract` looks (evaluation mode, no change), `update` returns
 * a new state. The host decides between them. Everything that changes from step to step is an argument that is a tensor
 * and all shapes are fixed, so that a step can be traced into one TensorFlow function.
 *
 * The algorithm is method.md 1.2; the optimiser is SGD with momentum as PyTorch has it (weight decay added to the
 * gradient, no dampening, the rate outside the velocity).
 */
import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../engine/operations/cross-entropy.ts';
import { tidy } from '../engine/tidy.ts';
import { linearHead, type Network, type NetworkState } from '../models/network.ts';
import type { NamedTensors } from '../models/parameters.ts';
import { look, lookAtMaps } from './evaluator.ts';
import { standardised, standardisedGradient, unstandardised, type FeatureScale } from './feature-scale.ts';
import { contextMask } from './saliency.ts';

/** Share of the batch in the running statistics; PyTorch's default momentum. */
const STATISTICS_MOMENTUM = 0.1;

/** Images and labels of one stream. */
export interface Batch {
  /** [B, S, S, 3] float32, normalised. */
  images: tf.Tensor4D;
  /** [B] int32. */
  labels: tf.Tensor1D;
}

/** The same where the whole backbone is frozen, and what it makes of the images is known. */
export interface FeatureBatch {
  /** [B, F] float32, pooled. */
  pooled: tf.Tensor2D;
  labels: tf.Tensor1D;
}

/** The same for looking, where the map that the backbone's last stage begins with is known. */
export interface MapBatch {
  /** [B, h, w, C] float32. */
  map: tf.Tensor4D;
  labels: tf.Tensor1D;
}

/** Contexts to lay over the balanced batch, image by image. */
export interface Mix {
  /** [B, S, S, 3] float32, normalised. */
  contexts: tf.Tensor4D;
  /** [B, S, S, 1], 1 = context. */
  masks: tf.Tensor4D;
  /** Strength [B, 1, 1, 1] in [0, 1]. */
  lambda: tf.Tensor4D;
}

/** What training is told besides the batches. */
export interface Optimiser {
  /** Learning rate, scalar. */
  rate: tf.Scalar;
  /** Constants of the run. */
  momentum: number;
  weightDecay: number;
  /** Rate of the backbone's trained stages relative to that of the heads; 1 unless given. */
  backboneRate?: number;
  /** Where the backbone is frozen as a whole: what heads learn by, and their momentum is in terms of; none unless given. */
  scale?: FeatureScale | null;
}

export interface StepResult {
  state: NetworkState;
  /** Mean loss of each branch, scalars; null where the branch was not trained. */
  uniformLoss: tf.Scalar;
  balancedLoss: tf.Scalar | null;
  /** Loss of each uniform sample before the step [B]; exp(-loss) is its p(true class) in training mode. */
  sampleLosses: tf.Tensor1D;
}

/**
 * Context extraction (method.md 2.1): evaluation mode, current weights, ground-truth class, uniform head; in the precision
 * that the network is trained in.
 * @returns mask [B, S, S, 1], 1 = context, and p(true class) [B]
 */
export function extract(
  network: Network,
  state: NetworkState,
  batch: Batch,
): { mask: tf.Tensor4D; probability: tf.Tensor1D } {
  return tf.tidy(() => {
    const { saliency, probability } = look(network, state, batch, network.precision);
    return { mask: contextMask(saliency, batch.images.shape[1], batch.images.shape[2]), probability };
  });
}

/** The same from maps that were kept of pictures, in float32. @param size side of the pictures and masks, pixels */
export function extractKept(
  network: Network,
  state: NetworkState,
  batch: MapBatch,
  size: number,
): { mask: tf.Tensor4D; probability: tf.Tensor1D } {
  return tf.tidy(() => {
    const { saliency, probability } = lookAtMaps(network, state, batch);
    return { mask: contextMask(saliency, size, size), probability };
  });
}

/**
 * Lay contexts over images [B, S, S, 3] (method.md 2.4): x = lambda·M·x_ctx + (1 - lambda·M)·x_b, per pixel on normalised
 * images.
 */
export function mixContexts(images: tf.Tensor4D, { contexts, masks, lambda }: Mix): tf.Tensor4D {
  return tf.tidy(() => {
    const weight = tf.mul(lambda, masks);
    return tf.add(tf.mul(weight, contexts), tf.mul(tf.sub(1, weight), images)) as tf.Tensor4D;
  });
}

/**
 * One SGD step on L_u + L_b. The balanced batch, when there is one, goes through first: both passes are in training mode,
 * each normalises by its own statistics, and both update the same running averages in that order (method.md 1.2). Stages
 * that are frozen are in evaluation mode, and nothing of them changes.
 * @param balanced the batch of the balanced branch; null leaves its head untouched
 * @param mix contexts to lay over the balanced batch, if any; it must then be one of images
 * @returns a new state; the old one is not disposed
 */
export function update(
  network: Network,
  state: NetworkState,
  uniform: Batch | FeatureBatch,
  balanced: Batch | FeatureBatch | null,
  mix: Mix | null,
  optimiser: Optimiser,
): StepResult {
  return tidy(() => {
    // Outside the gradient tape: nobody asks for the gradient of a picture, or in a frozen stage.
    const frozenStages = network.frozenStages(state.frozen);
    const prepare = (batch: Batch | FeatureBatch, contexts: Mix | null): TrainedInput => {
      if ('pooled' in batch) {
        if (contexts) throw new Error('contexts are laid over images, not over features');
        return batch;
      }
      const images = contexts ? mixContexts(batch.images, contexts) : batch.images;
      return { map: frozenStages(images), labels: batch.labels };
    };
    const second = balanced && prepare(balanced, mix);
    const first = prepare(uniform, null);
    const batchStatistics: tf.Tensor1D[] = [];
    const sampleLosses: tf.Tensor1D[] = [];
    const losses: tf.Scalar[] = [];
    const pool = (trunk: NamedTensors, input: TrainedInput): tf.Tensor2D => {
      if ('pooled' in input) return input.pooled;
      const forward = network.pooledTraining(trunk, state.statistics, input.map);
      if (forward.batchStatistics) batchStatistics.push(forward.batchStatistics);
      return forward.pooled;
    };
    /** Forward pass and loss of one branch; what is kept past the tape goes to the lists above. */
    const branch = (trunk: NamedTensors, heads: NamedTensors, name: string, input: TrainedInput): tf.Scalar => {
      const result = crossEntropy(linearHead(heads, name, pool(trunk, input)), input.labels);
      sampleLosses.push(result.sampleLosses);
      losses.push(tf.keep(tf.clone(result.loss)));
      return result.loss;
    };
    const total = (trunkWeights: tf.Tensor1D, balancedWeights: tf.Tensor1D): tf.Scalar => {
      const trunk = network.tuned.trunk.split(trunkWeights);
      if (second === null) return branch(trunk, trunk, 'uniform', first);
      const balancedLoss = branch(trunk, network.balanced.split(balancedWeights), 'balanced', second);
      return tf.add(branch(trunk, trunk, 'uniform', first), balancedLoss);
    };

    let trunkGradient: tf.Tensor1D;
    let balancedHead = { weights: state.balanced, momentum: state.balancedMomentum };
    if (balanced === null) {
      trunkGradient = tf.grad((weights: tf.Tensor) => total(weights as tf.Tensor1D, state.balanced))(
        state.trunk,
      ) as tf.Tensor1D;
    } else {
      const gradients = tf.grads((...weights: tf.Tensor[]) =>
        total(weights[0] as tf.Tensor1D, weights[1] as tf.Tensor1D),
      )([state.trunk, state.balanced]) as tf.Tensor1D[];
      trunkGradient = gradients[0];
      balancedHead = descend(state.balanced, state.balancedMomentum, gradients[1], optimiser);
    }
    const trunk = descend(state.trunk, state.trunkMomentum, trunkGradient, optimiser, network.tunedBackboneSize);
    let { statistics } = state;
    for (const seen of batchStatistics) {
      statistics = tf.add(tf.mul(statistics, 1 - STATISTICS_MOMENTUM), tf.mul(seen, STATISTICS_MOMENTUM));
    }
    tf.dispose(batchStatistics);
    if (balanced !== null) sampleLosses.shift()!.dispose();
    const balancedLoss = balanced === null ? null : losses.shift()!;
    return {
      state: {
        // Clones share memory; without them tidy and the caller would dispose tensors of the old state.
        frozen: state.frozen && {
          trunk: tf.clone(state.frozen.trunk),
          statistics: tf.clone(state.frozen.statistics),
        },
        trunk: trunk.weights,
        trunkMomentum: trunk.momentum,
        balanced: tf.clone(balancedHead.weights),
        balancedMomentum: tf.clone(balancedHead.momentum),
        statistics: tf.clone(statistics),
      },
      uniformLoss: losses[0],
      balancedLoss,
      sampleLosses: sampleLosses[0],
    };
  });
}

/** What trained stages, or heads alone, begin with. */
type TrainedInput = FeatureBatch | { map: tf.Tensor4D; labels: tf.Tensor1D };

/**
 * v' = momentum·v + (g + weightDecay·w), w' = w - rate·v' (torch.optim.SGD). All flat, of one size.
 * @param backbone how many of them, from the first on, are the backbone's and have its rate
 */
function descend(
  weights: tf.Tensor1D,
  momentum: tf.Tensor1D,
  gradient: tf.Tensor1D,
  optimiser: Optimiser,
  backbone = 0,
): { weights: tf.Tensor1D; momentum: tf.Tensor1D } {
  const { rate, backboneRate = 1, scale } = optimiser;
  if (scale) {
    const next = descend(standardised(weights, scale), momentum, standardisedGradient(gradient, scale), {
      ...optimiser,
      scale: null,
    });
    return { weights: unstandardised(next.weights, scale), momentum: next.momentum };
  }
  const decayed = tf.add(gradient, tf.mul(weights, optimiser.weightDecay));
  const velocity: tf.Tensor1D = tf.add(tf.mul(momentum, optimiser.momentum), decayed);
  if (backbone === 0 || backboneRate === 1) {
    return { weights: tf.sub(weights, tf.mul(velocity, rate)), momentum: velocity };
  }
  const [slow, fast] = tf.split(velocity, [backbone, velocity.size - backbone]);
  const change = tf.concat1d([tf.mul(slow, tf.mul(rate, backboneRate)), tf.mul(fast, rate)]);
  return { weights: tf.sub(weights, change), momentum: velocity };
}

/** Free a state that is no longer needed. */
export function disposeState(state: NetworkState): void {
  tf.dispose([state.trunk, state.trunkMomentum, state.balanced, state.balancedMomentum, state.statistics]);
  if (state.frozen) tf.dispose([state.frozen.trunk, state.frozen.statistics]);
}
