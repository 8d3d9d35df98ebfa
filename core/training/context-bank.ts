/**
 * The method's own bank: the newest contexts, first in, first out (method.md 2.3). Pictures are kept as 8-bit pixels after
 * augmentation, so that normalising them again gives the very values that were looked at.
 */
import type { Random } from '../base/random.ts';

/** Contexts ready to be laid over a batch. */
export interface ContextBatch {
  /** [n, S, S, 3] 8-bit RGB. */
  pixels: Uint8Array;
  /** [n, S, S] in [0, 1], 1 = context. */
  masks: Float32Array;
  /** Class of each context [n]; `NO_CLASS` (core/contexts/bank-backgrounds.ts) for a plain background. */
  labels: Int32Array;
}

/** Everything a bank holds, oldest first. */
export type BankState = ContextBatch;

export class ContextBank {
  readonly capacity: number;
  readonly #area: number;
  readonly #pixels: Uint8Array;
  readonly #masks: Float32Array;
  readonly #labels: Int32Array;
  /** Slot of the oldest context. */
  #start = 0;
  #count = 0;

  /**
   * @param capacity contexts it holds at most
   * @param size side of a picture, pixels
   */
  constructor(capacity: number, size: number) {
    this.capacity = capacity;
    this.#area = size * size;
    this.#pixels = new Uint8Array(capacity * this.#area * 3);
    this.#masks = new Float32Array(capacity * this.#area);
    this.#labels = new Int32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** Contexts of each class. */
  classCounts(classes: number): number[] {
    const counts = Array.from({ length: classes }, () => 0);
    for (let i = 0; i < this.#count; i++) counts[this.#labels[this.#slot(i)]]++;
    return counts;
  }

  /** Mean of all masks, 0 to 1; null for an empty bank. */
  meanArea(): number | null {
    if (this.#count === 0) return null;
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      const begin = this.#slot(i) * this.#area;
      for (let j = begin; j < begin + this.#area; j++) sum += this.#masks[j];
    }
    return sum / (this.#count * this.#area);
  }

  /** Add a context; the oldest one goes when the bank is full. Copies. */
  push(pixels: Uint8Array, mask: Float32Array, label: number): void {
    let slot: number;
    if (this.#count < this.capacity) {
      slot = this.#slot(this.#count++);
    } else {
      slot = this.#start;
      this.#start = (this.#start + 1) % this.capacity;
    }
    this.#pixels.set(pixels, slot * this.#area * 3);
    this.#masks.set(mask, slot * this.#area);
    this.#labels[slot] = label;
  }

  clear(): void {
    this.#start = 0;
    this.#count = 0;
  }

  /**
   * The first `count` of a random order of the whole bank: without repetition.
   * @throws RangeError when the bank holds fewer
   */
  draw(random: Random, count: number): ContextBatch {
    if (count > this.#count) throw new RangeError(`cannot draw ${count} of ${this.#count} contexts`);
    return this.#copy(random.permutation(this.#count).subarray(0, count));
  }

  get state(): BankState {
    return this.#copy(Int32Array.from({ length: this.#count }, (_, i) => i));
  }

  restore({ pixels, masks, labels }: BankState): void {
    this.clear();
    this.#count = labels.length;
    this.#pixels.set(pixels);
    this.#masks.set(masks);
    this.#labels.set(labels);
  }

  #slot(index: number): number {
    return (this.#start + index) % this.capacity;
  }

  #copy(indices: Int32Array): ContextBatch {
    const area = this.#area;
    const pixels = new Uint8Array(indices.length * area * 3);
    const masks = new Float32Array(indices.length * area);
    for (const [at, index] of indices.entries()) {
      const slot = this.#slot(index);
      pixels.set(this.#pixels.subarray(slot * area * 3, (slot + 1) * area * 3), at * area * 3);
      masks.set(this.#masks.subarray(slot * area, (slot + 1) * area), at * area);
    }
    return { pixels, masks, labels: indices.map((index) => this.#labels[this.#slot(index)]) };
  }
}
