/** An endless stream of augmented batches, made ahead of time where that pays. */
import { Random, type RandomState } from '../base/random.ts';
import type { FrozenFeatures } from './features.ts';
import type { Pictures } from './pictures.ts';
import type { Sampler, SamplerState } from './samplers.ts';

/** One batch of a stream, augmented. */
export interface StreamBatch {
  /** Index of each image among the training images [B]. */
  indices: Int32Array;
  labels: Int32Array;
  /** [B, S, S, 3] 8-bit RGB; empty where only features are asked for. */
  pixels: Uint8Array;
  /** [B, F], of the same views; null where the network is to look at the pixels. */
  features: Float32Array | null;
  /** [B, h, w, C], the maps that the frozen backbone's last stage makes them of; null where they are not wanted or kept. */
  maps: Float32Array | null;
  /** 1 for each picture that is seen in a mirror [B]; null where pictures augment themselves. */
  mirrored: Uint8Array | null;
}

/** What the batches to come follow from. */
export interface StreamState {
  sampler: SamplerState;
  augment: RandomState;
}

export interface StreamOptions {
  pictures: Pictures;
  /** Where the backbone is frozen; else pictures are shown as they augment themselves. */
  frozen?: FrozenViews | null;
  /** Class of each picture. */
  labels: Int32Array;
  batchSize: number;
  /** Makes the sampler, the same each time it is called. */
  makeSampler: () => Sampler;
  /** Draws crops and the like. */
  random: Random;
}

/** Views that features are known of: a picture as it is, or in a mirror. */
export interface FrozenViews {
  features: FrozenFeatures;
  flip: boolean;
  /** Whether their pixels are wanted, too, and their maps where they are kept. */
  pixels: boolean;
  maps: boolean;
}

/** A batch that has been drawn and is being made. */
interface Drawn extends Omit<StreamBatch, 'labels' | 'pixels'> {
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
    const { pixels, after, ...known } = this.#drawn.shift()!;
    const batch = { ...known, labels: known.indices.map((index) => labels[index]), pixels: await pixels };
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
    const indices = this.#drawing.take(this.#options.batchSize);
    const shown = this.#show(indices);
    // Whoever is handed the batch sees the failure; until then it must not count as unhandled.
    shown.pixels.catch(() => {});
    this.#drawn.push({ indices, ...shown, after: this.#random.state });
  }

  /** What is random is drawn before this returns. */
  #show(indices: Int32Array): Omit<Drawn, 'indices' | 'after'> {
    const { pictures, frozen } = this.#options;
    if (!frozen) {
      return { pixels: pictures.augmented(indices, this.#random), features: null, maps: null, mirrored: null };
    }
    const mirrored = Uint8Array.from(indices, () => (this.#random.below(2) === 1 && frozen.flip ? 1 : 0));
    return {
      pixels: frozen.pixels ? pictures.plain(indices, mirrored) : Promise.resolve(new Uint8Array()),
      features: frozen.features.pooled.read(indices, mirrored),
      maps: (frozen.maps && frozen.features.maps?.read(indices, mirrored)) || null,
      mirrored,
    };
  }
}
