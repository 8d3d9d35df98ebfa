/** From 8-bit pixels to what a network sees, on the host: random crop, flip, normalisation. */
import type { Random } from '../base/random.ts';
import { backboneOf } from '../models/backbones.ts';
import type { TrainConfig } from './config.ts';

/** How pixels are normalised: (value / 255 - mean) / deviation, for each of R, G, B. */
export interface Normalisation {
  mean: readonly [number, number, number];
  deviation: readonly [number, number, number];
}

/** The constants that CIFAR work uses (method.md 3.1), for small pictures. */
export const CIFAR_NORMALISATION: Normalisation = {
  mean: [0.4914, 0.4822, 0.4465],
  deviation: [0.2023, 0.1994, 0.201],
};

/** ImageNet's, for photographs. */
export const IMAGENET_NORMALISATION: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
};

/** How a run's pictures are normalised: as its weights expect them, else by the input size. */
export function normalisationOf({
  model,
  weights,
  inputSize,
}: Pick<TrainConfig, 'model' | 'weights' | 'inputSize'>): Normalisation {
  const bySize = inputSize <= 64 ? CIFAR_NORMALISATION : IMAGENET_NORMALISATION;
  return weights?.normalisation ?? backboneOf(model).normalisation ?? bySize;
}

/** Normalises pixels by a table of 3 x 256 values. */
export class Normaliser {
  readonly #table: Float32Array;

  constructor({ mean, deviation }: Normalisation) {
    this.#table = Float32Array.from({ length: 768 }, (_, i) => {
      const channel = i >> 8;
      return ((i & 255) / 255 - mean[channel]) / deviation[channel];
    });
  }

  /**
   * @param pixels RGB, R first
   * @param values as many float32 values, overwritten; a fresh array unless given
   * @returns `values`
   */
  apply(pixels: Uint8Array, values: Float32Array = new Float32Array(pixels.length)): Float32Array {
    const table = this.#table;
    for (let i = 0; i < pixels.length; i += 3) {
      values[i] = table[pixels[i]];
      values[i + 1] = table[256 + pixels[i + 1]];
      values[i + 2] = table[512 + pixels[i + 2]];
    }
    return values;
  }
}

/** How pictures are changed at random when training is shown them. */
export type AugmentConfig = TrainConfig['augment'];

/**
 * How many times larger than it need be evaluation makes a picture before it cuts out the centre: ImageNet's 256 for 224
 * where training saw random parts, which show things larger (method.md 3.1).
 */
export function evaluationMargin({ crop }: Pick<AugmentConfig, 'crop'>): number {
  return crop === 'resized' ? 256 / 224 : 1;
}

/** One draw: where the crop starts in the padded picture (0 … 2·pad), and whether it is mirrored. */
export interface Crop {
  dy: number;
  dx: number;
  flip: boolean;
}

/** The whole picture, as it is and in a mirror. */
export const WHOLE: Crop = { dy: 0, dx: 0, flip: false };
export const MIRRORED: Crop = { dy: 0, dx: 0, flip: true };

/** Padding in pixels. */
export function padding(config: Pick<AugmentConfig, 'pad'>, size: number): number {
  return Math.round(config.pad * size);
}

/** Draw a crop. Always the same number of draws, so that streams stay in step whatever the settings. */
export function drawCrop(random: Random, config: Pick<AugmentConfig, 'pad' | 'flip'>, size: number): Crop {
  const range = 2 * padding(config, size) + 1;
  return { dy: random.below(range), dx: random.below(range), flip: random.below(2) === 1 && config.flip };
}

/**
 * Cut a crop out of a zero-padded square picture or mask.
 * @param source [size, size, channels]
 * @param target [size, size, channels], overwritten
 * @param pad zero pixels on each side
 */
export function cropInto(
  source: Uint8Array | Float32Array,
  target: Uint8Array | Float32Array,
  size: number,
  channels: number,
  pad: number,
  { dy, dx, flip }: Crop,
): void {
  target.fill(0);
  const top = dy - pad;
  const left = dx - pad;
  const first = Math.max(0, -left);
  const length = (Math.min(size, size - left) - first) * channels;
  for (let y = Math.max(0, -top); y < Math.min(size, size - top); y++) {
    let from = ((y + top) * size + first + left) * channels;
    if (!flip) {
      target.set(source.subarray(from, from + length), (y * size + first) * channels);
      continue;
    }
    let to = (y * size + size - 1 - first) * channels;
    for (const end = from + length; from < end; from += channels, to -= channels) {
      for (let c = 0; c < channels; c++) target[to + c] = source[from + c];
    }
  }
}
