/** Makes masks from saliency on threads: decoding, filtering and compressing of large pictures take seconds. */
import { availableParallelism } from 'node:os';
import { ThreadPool } from '../base/thread-pool.ts';
import type { GreyImage } from '../data/decode.ts';
import type { SnapshotFile } from '../data/snapshot-files.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import type { MaskRule } from './mask.ts';

/** The picture that a mask is made for; its file is read only where the rule refines. */
export type MaskedPicture = SnapshotFile & { width: number; height: number };

export interface MaskOrder {
  saliency: GreyImage;
  picture: MaskedPicture;
  rule: MaskRule;
}

export interface MadeMask {
  /** 8-bit grey PNG of the picture's upright size. */
  png: Uint8Array;
  /** Mean, 0 to 1. */
  area: number;
}

/** What a thread is told at its start. */
export interface MaskThreadData {
  roots: SnapshotRoot[];
  /** Of a `SharedByteBudget`. */
  memory: SharedArrayBuffer;
}

/** Bytes that pictures and masks of all threads take together; a picture that needs more is worked on alone. */
export const MASK_MEMORY = 2 ** 30;

/** Masks that a thread is given at a time: a small one is made in less time than a message takes. */
const SHARE = 8;
const MOST_THREADS = 16;

export class MaskMakers implements AsyncDisposable {
  readonly #threads: ThreadPool<MaskOrder[], MadeMask[]>;

  /** @param roots where the pictures lie */
  constructor(roots: readonly SnapshotRoot[]) {
    const data: MaskThreadData = { roots: [...roots], memory: new SharedArrayBuffer(4) };
    const threads = Math.min(availableParallelism(), MOST_THREADS);
    this.#threads = new ThreadPool(new URL('mask-thread.ts', import.meta.url), { threads, data });
  }

  /**
   * Make masks.
   * @returns in the order asked for
   * @throws UserError 'not-found', 'unreadable', 'changed' or 'damaged', naming the file of a picture
   */
  async make(orders: readonly MaskOrder[]): Promise<MadeMask[]> {
    const starts = Array.from({ length: Math.ceil(orders.length / SHARE) }, (_, i) => i * SHARE);
    const made = await Promise.all(starts.map((start) => this.#threads.run(orders.slice(start, start + SHARE))));
    return made.flat();
  }

  /** Masks that are not made yet are dropped and never settle. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#threads.close();
  }
}
