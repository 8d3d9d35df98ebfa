/**
 * Heads on a frozen backbone learn as if its pooled features had mean 0 and deviation 1: z = (f - m) / s. Features differ a
 * hundredfold in how much they vary, and one learning rate for all of them leaves most of what they tell unlearned. Heads
 * are stored for the features as they are; only a step sees them otherwise, W_s = s W and b_s = b + m W, so that saliency,
 * evaluation and model files know nothing of it.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from './features.ts';

/** Of each pooled feature over the training pictures, as columns [F, 1]. */
export interface FeatureScale {
  mean: tf.Tensor2D;
  deviation: tf.Tensor2D;
}

/** Added to each deviation: a feature that hardly varies is not blown up to the size of the others, which vary by some 0.3. */
const LEAST_DEVIATION = 0.01;

/** Pictures that are read at a time. */
const BATCH = 256;

/** Measure features. @param views as `featureViews` @returns tensors that the caller disposes */
export function scaleOf(features: Features, views: 1 | 2): FeatureScale {
  const { count, width } = features;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let view = 0; view < views; view++) {
    for (let start = 0; start < count; start += BATCH) {
      const indices = Int32Array.from({ length: Math.min(BATCH, count - start) }, (_, i) => start + i);
      const values = features.read(indices, new Uint8Array(indices.length).fill(view));
      for (const [i, value] of values.entries()) {
        sum[i % width] += value;
        squares[i % width] += value ** 2;
      }
    }
  }
  const n = views * count;
  const mean = Float32Array.from(sum, (value) => value / n);
  const variance = Float64Array.from(squares, (value, i) => Math.max(0, value / n - (sum[i] / n) ** 2));
  const deviation = Float32Array.from(variance, (value) => Math.sqrt(value) + LEAST_DEVIATION);
  return { mean: tf.tensor2d(mean, [width, 1]), deviation: tf.tensor2d(deviation, [width, 1]) };
}

/** A head's vector (weight [F, C], then bias [C]) for standardised features. */
export function standardised(head: tf.Tensor1D, { mean, deviation }: FeatureScale): tf.Tensor1D {
  const { weight, bias } = cut(head, mean.shape[0]);
  return joined(tf.mul(weight, deviation), tf.add(bias, tf.matMul(mean, weight, true)));
}

/** The reverse of `standardised`. */
export function unstandardised(head: tf.Tensor1D, { mean, deviation }: FeatureScale): tf.Tensor1D {
  const { weight, bias } = cut(head, mean.shape[0]);
  const raw: tf.Tensor2D = tf.div(weight, deviation);
  return joined(raw, tf.sub(bias, tf.matMul(mean, raw, true)));
}

/** A gradient in a head's vector as that in the standardised one: dL/dW_s = (dL/dW - m dL/db) / s. */
export function standardisedGradient(gradient: tf.Tensor1D, { mean, deviation }: FeatureScale): tf.Tensor1D {
  const { weight, bias } = cut(gradient, mean.shape[0]);
  return joined(tf.div(tf.sub(weight, tf.matMul(mean, bias)), deviation), bias);
}

/** @returns weight [F, C] and bias [1, C] */
function cut(head: tf.Tensor1D, features: number): { weight: tf.Tensor2D; bias: tf.Tensor2D } {
  const classes = head.size / (features + 1);
  const [weight, bias] = tf.split(head, [features * classes, classes]);
  return { weight: tf.reshape(weight, [features, classes]), bias: tf.reshape(bias, [1, classes]) };
}

const joined = (weight: tf.Tensor, bias: tf.Tensor): tf.Tensor1D =>
  tf.concat1d([tf.reshape(weight, [weight.size]), tf.reshape(bias, [bias.size])]);
