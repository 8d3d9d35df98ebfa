/**
 * The curated bank as training sees it: accepted contexts at input size. Each draw takes a fresh crop and flip, the same
 * for the picture and its mask. A context that has been drawn as often as the limit allows rests.
 */
import { Random, type RandomState } from '../base/random.ts';
import { resampleBox } from '../data/resample.ts';
import { applyJitter, drawJitter } from './color-jitter.ts';
import type { ContextBatch } from './context-bank.ts';
import { cropInto, drawCrop, padding, type AugmentConfig } from './preprocessing.ts';
import { drawPart } from './views.ts';

/** How often one context may be drawn. */
export interface DrawLimit {
  /** Infinity for any number of times. */
  uses: number;
  per: 'run' | 'epoch';
}

export const NO_LIMIT: DrawLimit = { uses: Infinity, per: 'run' };

/** Fits JSON. */
export interface CuratedState {
  random: RandomState;
  /** How often each context was drawn since the limit began to count; of runs without a limit, too. */
  times: number[];
  /** Contexts drawn in the epoch in progress. */
  drawn: number;
}

export class CuratedBank {
  readonly count: number;
  readonly limit: DrawLimit;
  readonly #pixels: Uint8Array;
  readonly #masks: Float32Array;
  readonly #labels: Int32Array;
  readonly #size: number;
  readonly #augment: AugmentConfig;
  readonly #times: Int32Array;
  #drawn = 0;
  #random: Random;

  /** @param contexts at `size`, before augmentation */
  constructor(
    random: Random,
    contexts: ContextBatch,
    size: number,
    augment: AugmentConfig,
    limit: DrawLimit = NO_LIMIT,
  ) {
    this.count = contexts.labels.length;
    this.#random = random;
    this.#pixels = contexts.pixels;
    this.#masks = contexts.masks;
    this.#labels = contexts.labels;
    this.#size = size;
    this.#augment = augment;
    this.limit = limit;
    this.#times = new Int32Array(this.count);
  }

  /** Contexts drawn in the epoch in progress. */
  get drawn(): number {
    return this.#drawn;
  }

  /** How many can still be drawn within the limit. */
  get left(): number {
    const { uses } = this.limit;
    return uses === Infinity ? Infinity : this.#times.reduce((sum, times) => sum + uses - times, 0);
  }

  /** Call at an epoch's start. */
  beginEpoch(): void {
    this.#drawn = 0;
    if (this.limit.per === 'epoch') this.#times.fill(0);
  }

  /**
   * `count` contexts, without repetition as long as those within the limit suffice.
   * @throws RangeError for more than are `left`
   */
  draw(count: number): ContextBatch {
    if (count > this.left) throw new RangeError(`cannot draw ${count} contexts of ${this.left} that are left`);
    const size = this.#size;
    const area = size * size;
    const pixels = new Uint8Array(count * area * 3);
    const masks = new Float32Array(count * area);
    const labels = new Int32Array(count);
    let order: number[] = [];
    for (let i = 0; i < count; i++) {
      if (order.length === 0) order = this.#order();
      const index = order.pop()!;
      this.#times[index]++;
      labels[i] = this.#labels[index];
      this.#show(
        {
          pixels: this.#pixels.subarray(index * area * 3, (index + 1) * area * 3),
          masks: this.#masks.subarray(index * area, (index + 1) * area),
        },
        { pixels: pixels.subarray(i * area * 3, (i + 1) * area * 3), masks: masks.subarray(i * area, (i + 1) * area) },
      );
    }
    this.#drawn += count;
    return { pixels, masks, labels };
  }

  /** All contexts within the limit in a random order, the next one last. Before any rests, the order is that of a run without a limit. */
  #order(): number[] {
    const open = [...this.#times.keys()].filter((index) => this.#times[index] < this.limit.uses);
    return Array.from(this.#random.permutation(open.length), (at) => open[at]).toReversed();
  }

  /** A picture and its mask by one draw. */
  #show(from: Omit<ContextBatch, 'labels'>, to: Omit<ContextBatch, 'labels'>): void {
    const size = this.#size;
    const augment = this.#augment;
    if (augment.crop === 'resized') {
      const whole = { width: size, height: size };
      const { box, flip, jitter } = drawPart(this.#random, augment, whole);
      resampleBox({ ...whole, channels: 3, data: from.pixels }, box, size, to.pixels, flip);
      resampleBox({ ...whole, channels: 1, data: from.masks }, box, size, to.masks, flip);
      applyJitter(to.pixels, jitter);
      return;
    }
    const crop = drawCrop(this.#random, augment, size);
    const pad = padding(augment, size);
    cropInto(from.pixels, to.pixels, size, 3, pad, crop);
    // Outside the picture the mask is 0: padding is nobody's context.
    cropInto(from.masks, to.masks, size, 1, pad, crop);
    if (augment.jitter > 0) applyJitter(to.pixels, drawJitter(this.#random, augment.jitter));
  }

  get state(): CuratedState {
    return { random: this.#random.state, times: [...this.#times], drawn: this.#drawn };
  }

  restore({ random, times, drawn }: CuratedState): void {
    this.#random = Random.fromState(random);
    this.#times.set(times);
    this.#drawn = drawn;
  }
}
