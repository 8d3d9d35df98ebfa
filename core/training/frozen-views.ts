/** When features and maps of a frozen backbone are kept, and of which views; knows nothing of TensorFlow. */
import { packBytes } from '../data/pack-file.ts';
import { mapBeforeLast } from '../models/backbones.ts';
import type { TrainConfig } from './config.ts';
import { METHODS_BY_NAME } from './methods/index.ts';

/** Whether a run's heads are trained on features, its backbone being frozen as a whole. */
export const usesFeatures = ({ tune }: Pick<TrainConfig, 'tune'>): boolean => tune.stages === 0;

/** Views of each picture that are kept: as it is and, where training flips pictures, in a mirror. */
export const featureViews = ({ augment }: Pick<TrainConfig, 'augment'>, use: 'train' | 'evaluate'): 1 | 2 =>
  use === 'train' && augment.flip ? 2 : 1;

/** Whether contexts are looked for in maps of a frozen backbone, which are kept where there is space for them. */
export const looksAtMaps = (config: Pick<TrainConfig, 'tune' | 'method'>): boolean =>
  usesFeatures(config) && METHODS_BY_NAME[config.method].looks;

/** Bytes that the maps of so many training pictures take in a pack. */
export function mapsBytes(config: Pick<TrainConfig, 'model' | 'inputSize' | 'augment'>, images: number): number {
  const { height, width, channels } = mapBeforeLast(config.model, config.inputSize);
  const values = featureViews(config, 'train') * height * width * channels;
  return packBytes({ count: images, recordBytes: values * Float32Array.BYTES_PER_ELEMENT });
}

/** Most that maps of a run's pictures may take, bytes: of EfficientNet-Lite0 and mirrored, some 17,000 pictures. */
export const MOST_KEPT_MAPS = 2 * 2 ** 30;

/** Whether there is space to keep the maps of so many training pictures. */
export const keepsMaps = (config: Parameters<typeof mapsBytes>[0], images: number): boolean =>
  mapsBytes(config, images) <= MOST_KEPT_MAPS;
