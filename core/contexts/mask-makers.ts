/** Makes masks from saliency on threads: decoding, filtering and compressing of large pictures take seconds. */
import { availableParallelism } from 'node:os';
import { ThreadPool } from '../base/thread-pool.ts';
import type { GreyImage } from '../data/decode.ts';
import type { SizedFile } from '../data/snapshot-files.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import type { MaskRule } from './mask.ts';

export interface MaskOrder {
  saliency: GreyImage;
  /** What the mask is made for; its file is read only where the rule refines. */
  picture: SizedFile;
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

/** Pixels that a thread is given at a time, unless one mask has more: a small one takes less time than a message. */
const SHARE_PIXELS = 64 * 64 * 64;
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
    const made = await Promise.all(sharesOf(orders).map((share) => this.#threads.run(share)));
    return made.flat();
  }

  /** Masks that are not made yet are dropped and never settle. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#threads.close();
  }
}

/** The orders in pieces of about equal work. */
function sharesOf(orders: readonly MaskOrder[]): MaskOrder[][] {
  const shares: MaskOrder[][] = [];
  let room = 0;
  for (const order of orders) {
    const pixels = order.picture.width * order.picture.height;
    if (pixels > room) {
      shares.push([]);
      room = SHARE_PIXELS;
    }
    shares.at(-1)!.push(order);
    room -= pixels;
  }
  return shares;
}
