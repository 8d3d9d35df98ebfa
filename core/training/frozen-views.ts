/** When features of a frozen backbone are kept, and of which views; knows nothing of TensorFlow. */
import type { TrainConfig } from './config.ts';

/** Whether a run's heads are trained on features, its backbone being frozen as a whole. */
export const usesFeatures = ({ tune }: Pick<TrainConfig, 'tune'>): boolean => tune.stages === 0;

/** Views of each picture that are kept: as it is and, where training flips pictures, in a mirror. */
export const featureViews = ({ augment }: Pick<TrainConfig, 'augment'>, use: 'train' | 'evaluate'): 1 | 2 =>
  use === 'train' && augment.flip ? 2 : 1;

/** Most that maps of a run's pictures may take, bytes: of EfficientNet-Lite0 and mirrored, some 17,000 pictures. */
export const MOST_KEPT_MAPS = 2 * 2 ** 30;
