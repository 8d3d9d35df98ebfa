/** How the learning rate and the branches follow the epochs. */
import type { TrainConfig } from './config.ts';

/** Learning rate of a 0-based epoch: linear warm-up, then tenfold drops (method.md 3.1; the peer's form). */
export function learningRate(
  config: Pick<TrainConfig, 'learningRate' | 'warmupEpochs' | 'dropEpochs'>,
  epoch: number,
): number {
  if (epoch < config.warmupEpochs) return (config.learningRate * (epoch + 1)) / config.warmupEpochs;
  const drops = config.dropEpochs.filter((drop) => epoch >= drop).length;
  return config.learningRate * 0.1 ** drops;
}

/**
 * Where a schedule of `epochs` changes: the paper's shape for 200, scaled as the peer does for shorter ones; but a single epoch
 * trains the balanced branch too, which a run is judged by.
 */
export function scaledSchedule(epochs: number): Pick<TrainConfig, 'warmupEpochs' | 'startBalanced' | 'dropEpochs'> {
  return {
    warmupEpochs: epochs >= 100 ? 5 : Math.max(1, Math.round(epochs * 0.05)),
    startBalanced: epochs >= 100 ? 10 : Math.min(epochs - 1, Math.max(1, Math.round(epochs * 0.1))),
    dropEpochs: [Math.round(epochs * 0.8), Math.round(epochs * 0.9)],
  };
}

/** Steps of an epoch: one pass over the training images, but at least the configured number. */
export function stepsPerEpoch(config: Pick<TrainConfig, 'batchSize' | 'minSteps'>, trainImages: number): number {
  return Math.max(config.minSteps, Math.floor(trainImages / config.batchSize));
}
