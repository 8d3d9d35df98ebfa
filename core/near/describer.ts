/**
 * Makes descriptions of pictures: by their pixels alone (`pixel-descriptor`), or by these and a backbone's pooled features,
 * half and half. A backbone hardly minds a crop or a shift and takes pictures of one kind for alike; pixels hardly mind
 * light and coding and take pictures with the same coarse layout for alike. Copies are alike to both.
 */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { canonicalJson } from '../base/json.ts';
import { Random } from '../base/random.ts';
import { DECODER_VERSION } from '../data/decode.ts';
import { packFolder } from '../data/packed.ts';
import { UserError } from '../base/errors.ts';
import { tidyRead } from '../engine/tidy.ts';
import { backbonePath, findPack, readBackbonePack } from '../models/backbone-pack.ts';
import { Network } from '../models/network.ts';
import { sha256 } from '../storage/blob-store.ts';
import { evaluationBatch } from '../training/evaluate.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';
import { IMAGENET_NORMALISATION } from '../training/preprocessing.ts';
import { describedBy, PIXELS } from './descriptors.ts';
import { describePixels, PIXEL_EVEN, PIXEL_SIDE, PIXEL_WIDTH } from './pixel-descriptor.ts';

export interface Describer extends Disposable {
  /** As `DescriptorInfo`. */
  readonly title: string;
  /** SHA-256 of what descriptions follow from beside the pictures. */
  readonly key: string;
  /** Pictures are squeezed to this, pixels each way. */
  readonly side: number;
  /** Pictures that are described at a time. */
  readonly batch: number;
  /** Numbers of a description, and how many of them a mirror leaves as they are; see `Rows`. */
  readonly width: number;
  readonly even: number;
  /** @param pixels [n, side, side, 3] 8-bit RGB @returns [n, width], each of length 1, or 0 for an empty picture */
  describe(pixels: Uint8Array): Float32Array;
}

/** Changes whenever the same picture could give another description. */
const VERSION = 'near 1';

/** @throws UserError as `describedBy`; 'changed' where the backbone goes meanwhile */
export function openDescriber(name: string): Describer {
  const { title } = describedBy(name);
  if (name === PIXELS) return new PixelDescriber(title);
  return new BackboneDescriber(name, title);
}

/** Where descriptions are kept: with the packs. */
export const vectorPath = (cacheFolder: string, { key }: Describer): string =>
  join(packFolder(cacheFolder), `${key}.vectors`);

const keyOf = (...parts: readonly (string | number)[]): string =>
  sha256(canonicalJson([VERSION, DECODER_VERSION, ...parts]));

const pictureOf = (pixels: Uint8Array, i: number, side: number): Uint8Array =>
  pixels.subarray(i * side * side * 3, (i + 1) * side * side * 3);

class PixelDescriber implements Describer {
  readonly title: string;
  readonly key = keyOf(PIXELS);
  readonly side = PIXEL_SIDE;
  readonly batch = 64;
  readonly width = PIXEL_WIDTH;
  readonly even = PIXEL_EVEN;

  constructor(title: string) {
    this.title = title;
  }

  describe(pixels: Uint8Array): Float32Array {
    const count = pixels.length / (PIXEL_SIDE * PIXEL_SIDE * 3);
    const rows = new Float32Array(count * PIXEL_WIDTH);
    for (let i = 0; i < count; i++) rows.set(describePixels(pictureOf(pixels, i, PIXEL_SIDE)), i * PIXEL_WIDTH);
    return rows;
  }

  [Symbol.dispose](): void {}
}

/** Both parts have this length, so that the cosine of two descriptions is the mean of those of the parts. */
const HALF = Math.SQRT1_2;

class BackboneDescriber implements Describer {
  readonly title: string;
  readonly key: string;
  readonly side = 4 * PIXEL_SIDE;
  readonly batch = evaluationBatch(this.side);
  readonly width: number;
  readonly even: number;
  readonly #network: Network;
  readonly #evaluator: Evaluator;
  readonly #state: ReturnType<Network['initialize']>;
  readonly #tensors: ImageTensors;

  constructor(name: string, title: string) {
    const found = findPack(name);
    if (!found) throw new UserError('changed', `The backbone ${name} is not here any more: choose another one.`);
    this.title = title;
    this.#network = new Network(found.model, 1);
    const { weights, hash } = readBackbonePack(backbonePath(name), found.model);
    this.key = keyOf(hash, this.side);
    this.width = this.#network.features + PIXEL_WIDTH;
    this.even = this.#network.features + PIXEL_EVEN;
    // The heads are drawn, and not looked at.
    this.#state = this.#network.initialize(Random.stream(1, 'weights'), weights);
    this.#evaluator = new Evaluator(this.#network);
    this.#tensors = new ImageTensors(
      found.normalisation ?? this.#network.backbone.normalisation ?? IMAGENET_NORMALISATION,
    );
  }

  describe(pixels: Uint8Array): Float32Array {
    const { features } = this.#network;
    const { side, width } = this;
    const pooled = tidyRead(() =>
      this.#evaluator.pool(this.#state, this.#tensors.of(pixels, side, side)).dataSync<'float32'>(),
    );
    const count = pooled.length / features;
    const rows = new Float32Array(count * width);
    for (let i = 0; i < count; i++) {
      const seen = pooled.subarray(i * features, (i + 1) * features);
      const length = Math.sqrt(seen.reduce((sum, value) => sum + value * value, 0));
      const row = rows.subarray(i * width, (i + 1) * width);
      if (length > 0) row.set(seen.map((value) => (HALF * value) / length));
      const small = describePixels(shrunk(pictureOf(pixels, i, side), side));
      // Numbers whose sign a mirror changes come last.
      row.set(
        small.map((value) => HALF * value),
        features,
      );
    }
    return rows;
  }

  [Symbol.dispose](): void {
    this.#evaluator[Symbol.dispose]();
    const { frozen, ...tensors } = this.#state;
    tf.dispose([frozen?.trunk, frozen?.statistics, ...Object.values(tensors)].filter((tensor) => tensor !== undefined));
  }
}

/** Means of the blocks that make it `PIXEL_SIDE` wide. @param side a multiple of that */
function shrunk(pixels: Uint8Array, side: number): Uint8Array {
  const times = side / PIXEL_SIDE;
  const result = new Uint8Array(PIXEL_SIDE * PIXEL_SIDE * 3);
  for (let y = 0; y < PIXEL_SIDE; y++) {
    for (let x = 0; x < PIXEL_SIDE; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < times; dy++) {
          for (let dx = 0; dx < times; dx++) sum += pixels[((y * times + dy) * side + x * times + dx) * 3 + c];
        }
        result[(y * PIXEL_SIDE + x) * 3 + c] = Math.round(sum / (times * times));
      }
    }
  }
  return result;
}
