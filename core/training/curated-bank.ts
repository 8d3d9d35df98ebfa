/**
 * The curated bank as training sees it: accepted contexts at input size. Each draw takes a fresh crop and flip, the same
 * for the picture and its mask.
 */
import { Random, type RandomState } from '../base/random.ts';
import { resampleBox } from '../data/resample.ts';
import { applyJitter, drawJitter } from './color-jitter.ts';
import type { ContextBatch } from './context-bank.ts';
import { cropInto, drawCrop, padding, type AugmentConfig } from './preprocessing.ts';
import { drawPart } from './views.ts';

export class CuratedBank {
  readonly count: number;
  readonly #pixels: Uint8Array;
  readonly #masks: Float32Array;
  readonly #labels: Int32Array;
  readonly #size: number;
  readonly #augment: AugmentConfig;
  #random: Random;

  /** @param contexts at `size`, before augmentation */
  constructor(random: Random, contexts: ContextBatch, size: number, augment: AugmentConfig) {
    this.count = contexts.labels.length;
    this.#random = random;
    this.#pixels = contexts.pixels;
    this.#masks = contexts.masks;
    this.#labels = contexts.labels;
    this.#size = size;
    this.#augment = augment;
  }

  /** `count` contexts, without repetition as long as the bank suffices. */
  draw(count: number): ContextBatch {
    const size = this.#size;
    const area = size * size;
    const pixels = new Uint8Array(count * area * 3);
    const masks = new Float32Array(count * area);
    const labels = new Int32Array(count);
    let order = new Int32Array(0);
    for (let i = 0; i < count; i++) {
      if (i % this.count === 0) order = this.#random.permutation(this.count) as Int32Array<ArrayBuffer>;
      const index = order[i % this.count];
      labels[i] = this.#labels[index];
      this.#show(
        {
          pixels: this.#pixels.subarray(index * area * 3, (index + 1) * area * 3),
          masks: this.#masks.subarray(index * area, (index + 1) * area),
        },
        { pixels: pixels.subarray(i * area * 3, (i + 1) * area * 3), masks: masks.subarray(i * area, (i + 1) * area) },
      );
    }
    return { pixels, masks, labels };
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

  get state(): RandomState {
    return this.#random.state;
  }

  restore(state: RandomState): void {
    this.#random = Random.fromState(state);
  }
}
