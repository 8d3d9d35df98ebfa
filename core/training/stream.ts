/** An endless stream of augmented batches, made ahead of time where that pays. */
import { Random, type RandomState } from '../base/random.ts';
import type { Pictures } from './pictures.ts';
import type { Sampler, SamplerState } from './samplers.ts';

/** One batch of a stream, augmented. */
export interface StreamBatch {
  /** Index of each image among the training images [B]. */
  indices: Int32Array;
  labels: Int32Array;
  /** [B, S, S, 3] 8-bit RGB. */
  pixels: Uint8Array;
}

/** What the batches to come follow from. */
export interface StreamState {
  sampler: SamplerState;
  augment: RandomState;
}

export interface StreamOptions {
  pictures: Pictures;
  /** Class of each picture. */
  labels: Int32Array;
  batchSize: number;
  /** Makes the sampler, the same each time it is called. */
  makeSampler: () => Sampler;
  /** Draws crops and the like. */
  random: Random;
}

/** A batch that has been drawn and is being made. */
interface Drawn {
  indices: Int32Array;
  pixels: Promise<Uint8Array>;
  /** Generator after the draws of this batch. */
  after: RandomState;
}

/**
 * Batches are drawn in order, each with its crops, so that what a batch holds does not depend on when it is made. The
 * state is that of the last batch that was handed out: batches made ahead are drawn anew after a restart.
 */
export class Stream {
  readonly #options: StreamOptions;
  /** Draws batches, as far ahead as they are made. */
  readonly #drawing: Sampler;
  #random: Random;
  /** Follows what has been handed out. */
  readonly #handedOut: Sampler;
  #augment: RandomState;
  #drawn: Drawn[] = [];

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#drawing = options.makeSampler();
    this.#handedOut = options.makeSampler();
    this.#random = options.random;
    this.#augment = options.random.state;
  }

  /** @throws UserError naming the file when a picture is not what was imported */
  async next(): Promise<StreamBatch> {
    const { pictures, labels, batchSize } = this.#options;
    while (this.#drawn.length <= pictures.ahead) this.#draw();
    const { indices, pixels, after } = this.#drawn.shift()!;
    const batch = { indices, labels: indices.map((index) => labels[index]), pixels: await pixels };
    this.#handedOut.take(batchSize);
    this.#augment = after;
    return batch;
  }

  get state(): StreamState {
    return { sampler: this.#handedOut.state, augment: this.#augment };
  }

  restore({ sampler, augment }: StreamState): void {
    this.#drawing.restore(sampler);
    this.#handedOut.restore(sampler);
    this.#random = Random.fromState(augment);
    this.#augment = augment;
    this.#drawn = [];
  }

  #draw(): void {
    const { pictures, batchSize } = this.#options;
    const indices = this.#drawing.take(batchSize);
    const pixels = pictures.augmented(indices, this.#random);
    // Whoever is handed the batch sees the failure; until then it must not count as unhandled.
    pixels.catch(() => {});
    this.#drawn.push({ indices, pixels, after: this.#random.state });
  }
}
