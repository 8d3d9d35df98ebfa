/**
 * What a network is built from. A network is described twice by one function: called with a `LayerPlan` it declares its
 * parameters, called with a `LayerRun` it computes. So names and shapes cannot drift apart.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  batchNormInference,
  batchNormTraining,
  type AfterNorm,
  type BatchStatistics,
} from '../engine/operations/batch-norm.ts';
import { convolution, depthwiseConvolution, zeroPad } from '../engine/operations/convolution.ts';
import { subsample } from '../engine/operations/pooling.ts';
import { toPrecision } from '../engine/operations/precision.ts';
import type { Precision } from '../training/config.ts';
import type { Layers, Padding } from './layer-plan.ts';
import type { NamedTensors } from './parameters.ts';

export interface RunOptions {
  /** Added to the variance in batch normalisation. */
  epsilon: number;
  /** Of the maps between layers. */
  precision: Precision;
}

/** Computes a network. */
export abstract class LayerRun implements Layers<tf.Tensor4D> {
  protected readonly weights: NamedTensors;
  protected readonly epsilon: number;
  readonly #precision: Precision;

  constructor(weights: NamedTensors, { epsilon, precision }: RunOptions) {
    this.weights = weights;
    this.epsilon = epsilon;
    this.#precision = precision;
  }

  abstract batchNorm(name: string, x: tf.Tensor4D, after: AfterNorm): tf.Tensor4D;

  convolution(name: string, x: tf.Tensor4D, { stride, padding }: { stride: number; padding: Padding }): tf.Tensor4D {
    const kernel = this.weights.get<tf.Tensor4D>(`${name}.weight`);
    return convolution(toPrecision(x, this.#precision), kernel, stride, padding);
  }

  depthwise(name: string, x: tf.Tensor4D, { stride, padding }: { stride: number; padding: Padding }): tf.Tensor4D {
    const kernel = this.weights.get<tf.Tensor4D>(`${name}.weight`);
    return depthwiseConvolution(toPrecision(x, this.#precision), toPrecision(kernel, this.#precision), stride, padding);
  }

  shortcutA(x: tf.Tensor4D, out: number, stride: number): tf.Tensor4D {
    const side = (out - x.shape[3]) / 2;
    return zeroPad(subsample(x, stride), [
      [0, 0],
      [0, 0],
      [0, 0],
      [side, side],
    ]);
  }

  maxPool(x: tf.Tensor4D, { size, stride, padding }: { size: number; stride: number; padding: number }): tf.Tensor4D {
    // Zero padding equals PyTorch's minus infinity here: the input comes from a ReLU and is never negative.
    const sides: [number, number] = [padding, padding];
    return tf.maxPool(zeroPad(x, [[0, 0], sides, sides, [0, 0]]), size, stride, 'valid');
  }
}

/** Training mode: normalises by the batch's statistics and collects them in the order of the plan. */
export class TrainingRun extends LayerRun {
  /** Mean and unbiased variance of each batch norm. Kept past the gradient tape; the caller disposes them. */
  readonly batchStatistics: BatchStatistics[] = [];

  override batchNorm(name: string, x: tf.Tensor4D, after: AfterNorm): tf.Tensor4D {
    const gamma = this.weights.get<tf.Tensor1D>(`${name}.weight`);
    const beta = this.weights.get<tf.Tensor1D>(`${name}.bias`);
    const { y, statistics } = batchNormTraining(x, gamma, beta, this.epsilon, after);
    this.batchStatistics.push(statistics);
    return y;
  }
}

/** Normalises by the running statistics: evaluation, and training that leaves them as they are. */
export class InferenceRun extends LayerRun {
  readonly #statistics: NamedTensors;

  constructor(weights: NamedTensors, statistics: NamedTensors, options: RunOptions) {
    super(weights, options);
    this.#statistics = statistics;
  }

  override batchNorm(name: string, x: tf.Tensor4D, after: AfterNorm): tf.Tensor4D {
    return batchNormInference(
      x,
      this.weights.get(`${name}.weight`),
      this.weights.get(`${name}.bias`),
      this.#statistics.get(`${name}.running_mean`),
      this.#statistics.get(`${name}.running_var`),
      this.epsilon,
      after,
    );
  }
}
