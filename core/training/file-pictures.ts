/** Pictures that are decoded anew from their files each time they are shown, on threads that work ahead of the steps. */
import type { Random } from '../base/random.ts';
import { ThreadPool } from '../base/thread-pool.ts';
import type { DatasetSnapshot, SnapshotImage } from '../data/snapshot.ts';
import type { Pictures } from './pictures.ts';
import type { AugmentConfig } from './preprocessing.ts';
import { drawView, plainView, type View } from './views.ts';

/** One picture of a batch. */
export interface ViewOrder {
  image: SnapshotImage;
  view: View;
}

/** What a thread is told at its start. */
export interface ViewThreadData {
  roots: DatasetSnapshot['roots'];
  /** Side of the pictures, pixels. */
  size: number;
}

export interface FilePicturesOptions {
  snapshot: DatasetSnapshot;
  /** Into `snapshot.images`. */
  indices: ArrayLike<number>;
  /** Side of the network input, pixels. */
  size: number;
  augment: AugmentConfig;
  /** Of what evaluation is shown; see `evaluationMargin`. */
  enlarge: number;
  /** That decode side by side. */
  threads: number;
}

/** Pictures that a thread is given at a time: few, so that a batch is soon there and threads end at about the same time. */
const SHARE = 8;

export class FilePictures implements Pictures, AsyncDisposable {
  readonly count: number;
  readonly size: number;
  /** One lies ready when a step ends, and the next is in the making: threads never have to wait for a step. */
  readonly ahead = 2;
  readonly #images: SnapshotImage[];
  readonly #augment: AugmentConfig;
  readonly #enlarge: number;
  readonly #threads: ThreadPool<ViewOrder[], Uint8Array>;

  constructor({ snapshot, indices, size, augment, enlarge, threads }: FilePicturesOptions) {
    this.count = indices.length;
    this.size = size;
    this.#images = Array.from(indices, (index) => snapshot.images[index]);
    this.#augment = augment;
    this.#enlarge = enlarge;
    const data: ViewThreadData = { roots: snapshot.roots, size };
    this.#threads = new ThreadPool(new URL('view-thread.ts', import.meta.url), { threads, data });
  }

  augmented(indices: Int32Array, random: Random): Promise<Uint8Array> {
    return this.#make(indices, (image) => drawView(random, this.#augment, image, this.size));
  }

  plain(indices: Int32Array, mirrored?: Uint8Array): Promise<Uint8Array> {
    return this.#make(indices, (_, i) => plainView(this.#enlarge, mirrored?.[i] === 1));
  }

  /** Batches that are not made yet are dropped and never settle. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#threads.close();
  }

  async #make(indices: Int32Array, viewOf: (image: SnapshotImage, i: number) => View): Promise<Uint8Array> {
    const orders = Array.from(indices, (index, i): ViewOrder => {
      const image = this.#images[index];
      return { image, view: viewOf(image, i) };
    });
    const length = this.size * this.size * 3;
    const pixels = new Uint8Array(orders.length * length);
    const starts = Array.from({ length: Math.ceil(orders.length / SHARE) }, (_, i) => i * SHARE);
    await Promise.all(
      starts.map(async (start) => {
        pixels.set(await this.#threads.run(orders.slice(start, start + SHARE)), start * length);
      }),
    );
    return pixels;
  }
}
