/** A trainer on random pictures that lie ready, so that a measurement is of the steps alone. */
import { Random } from '../../core/base/random.ts';
import { networkOf } from '../../core/models/network.ts';
import type { TrainConfig } from '../../core/training/config.ts';
import type { Pictures } from '../../core/training/pictures.ts';
import { startingState } from '../../core/training/starting-state.ts';
import { Trainer } from '../../core/training/trainer.ts';

const CLASSES = 10;

/** @param images pictures to draw from. The engine has to be started */
export function noiseTrainer(config: TrainConfig, images: number): Trainer {
  const { inputSize: size } = config;
  const length = size * size * 3;
  const random = Random.stream(1, 'noise');
  const pixels = Uint8Array.from({ length: images * length }, () => random.below(256));
  const labels = Int32Array.from({ length: images }, (_, i) => i % CLASSES);
  const plain = async (indices: Int32Array): Promise<Uint8Array> => {
    const batch = new Uint8Array(indices.length * length);
    for (const [i, index] of indices.entries()) {
      batch.set(pixels.subarray(index * length, (index + 1) * length), i * length);
    }
    return batch;
  };
  const pictures: Pictures = { count: images, size, ahead: 0, plain, augmented: plain };
  const network = networkOf(config, CLASSES);
  const state = startingState(network, config);
  const admitted = Array.from({ length: CLASSES }, () => true);
  return new Trainer({ config, network, state, pictures, labels, admitted, curated: null });
}
