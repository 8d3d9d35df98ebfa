/** Logits of a whole split in evaluation mode. */
import * as tf from '@tensorflow/tfjs-core';
import { mapOrdered } from '../data/flow.ts';
import type { InferenceState } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import type { Evaluator } from './evaluator.ts';
import { ImageTensors } from './image-tensors.ts';
import type { Features, FrozenFeatures } from './features.ts';
import type { Pictures } from './pictures.ts';
import { normalisationOf, type Normalisation } from './preprocessing.ts';

/** [images, classes] row by row, for each head. */
export interface SplitLogits {
  uniform: Float32Array;
  balanced: Float32Array;
}

/** Pixels that go through the network at a time: large enough for speed, small enough for memory at 224 px. */
const PIXELS_A_BATCH = 256 * 32 * 32;

/** Pictures of this size that go through the network at a time. @param size side, pixels */
export const evaluationBatch = (size: number): number => Math.max(1, Math.floor(PIXELS_A_BATCH / (size * size)));

/** Features that go through the heads at a time. */
const FEATURES_A_BATCH = 1024;

/**
 * Run a network over pictures.
 * @param evaluator of the network; kept for the next time, it need not trace again
 * @param breathe called between batches, so that the process can hear a cancel
 * @throws UserError naming the file when a picture is not what was imported; whatever `breathe` throws
 */
export async function logitsOf(
  evaluator: Evaluator,
  state: InferenceState,
  pictures: Pictures,
  normalisation: Normalisation,
  breathe: (done: number) => Promise<void>,
): Promise<SplitLogits> {
  const { count, size, ahead } = pictures;
  const { classes } = evaluator.network;
  const batch = evaluationBatch(size);
  const tensors = new ImageTensors(normalisation);
  const uniform = new Float32Array(count * classes);
  const balanced = new Float32Array(count * classes);
  const starts = Array.from({ length: Math.ceil(count / batch) }, (_, i) => i * batch);
  const read = async (start: number): Promise<{ start: number; pixels: Uint8Array }> => {
    const images = Math.min(batch, count - start);
    return { start, pixels: await pictures.plain(Int32Array.from({ length: images }, (_, i) => start + i)) };
  };
  for await (const { start, pixels } of mapOrdered(starts, ahead + 1, read)) {
    tf.tidy(() => {
      const logits = evaluator.classify(state, tensors.of(pixels, size, size));
      uniform.set(logits.uniform.dataSync<'float32'>(), start * classes);
      balanced.set(logits.balanced.dataSync<'float32'>(), start * classes);
    });
    await breathe(Math.min(start + batch, count));
  }
  return { uniform, balanced };
}

/**
 * Run a network's heads over features of pictures.
 * @param evaluator of a network whose backbone is frozen
 * @param breathe as of `logitsOf`
 * @throws UserError 'damaged' when the features on disk are; whatever `breathe` throws
 */
export async function logitsOfFeatures(
  evaluator: Evaluator,
  state: InferenceState,
  features: Features,
  breathe: (done: number) => Promise<void>,
): Promise<SplitLogits> {
  const { count, width } = features;
  const { classes } = evaluator.network;
  const uniform = new Float32Array(count * classes);
  const balanced = new Float32Array(count * classes);
  for (let start = 0; start < count; start += FEATURES_A_BATCH) {
    const end = Math.min(start + FEATURES_A_BATCH, count);
    const values = features.read(Int32Array.from({ length: end - start }, (_, i) => start + i));
    tf.tidy(() => {
      const logits = evaluator.judge(state, tf.tensor2d(values, [end - start, width]));
      uniform.set(logits.uniform.dataSync<'float32'>(), start * classes);
      balanced.set(logits.balanced.dataSync<'float32'>(), start * classes);
    });
    await breathe(end);
  }
  return { uniform, balanced };
}

/** Pictures, and what a frozen backbone has made of them, where it has. */
export interface Answerable {
  pictures: Pictures;
  features: Pick<FrozenFeatures, 'pooled'> | null;
}

/**
 * Answers of a run's network, by features where there are any.
 * @param breathe as of `logitsOf`
 * @throws UserError as `logitsOf` and `logitsOfFeatures`
 */
export function answersTo(
  { pictures, features }: Answerable,
  evaluator: Evaluator,
  state: InferenceState,
  config: Pick<TrainConfig, 'model' | 'weights' | 'inputSize'>,
  breathe: (done: number) => Promise<void>,
): Promise<SplitLogits> {
  return features
    ? logitsOfFeatures(evaluator, state, features.pooled, breathe)
    : logitsOf(evaluator, state, pictures, normalisationOf(config), breathe);
}
