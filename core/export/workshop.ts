/** Where the pictures of one export are made. */
import { availableParallelism } from 'node:os';
import { UserError } from '../base/errors.ts';
import type { SnapshotImage } from '../data/snapshot.ts';
import type { PlanItem } from './item.ts';
import { LocalMaker, type PictureMaker, type Rendered, type RenderSettings } from './render.ts';
import { ThreadedMaker } from './render-threads.ts';

/** Bytes of resized pictures and masks that are kept for the next use. */
const SHELF_BYTES = 512 * 2 ** 20;

/** Pictures for which it pays to start one more thread. */
const PICTURES_A_THREAD = 100;

export class Workshop {
  readonly #images: ReadonlyMap<number, SnapshotImage>;
  readonly #maker: PictureMaker;

  /**
   * @param images the data set's, by id
   * @param pictures about how many will be made
   */
  constructor(images: ReadonlyMap<number, SnapshotImage>, settings: RenderSettings, pictures: number) {
    this.#images = images;
    const threads = Math.min(availableParallelism(), Math.floor(pictures / PICTURES_A_THREAD));
    this.#maker =
      threads > 1 ? new ThreadedMaker(settings, SHELF_BYTES, threads) : new LocalMaker(settings, SHELF_BYTES);
  }

  /**
   * Make a picture of the plan.
   * @param path file to write; null to know the hash only
   * @throws UserError as `PictureMaker.make`, or 'not-found' for an image that is not in the data set
   */
  async make(item: PlanItem, path: string | null): Promise<Rendered> {
    const source = this.#imageOf(item.source.id);
    const context = item.context && this.#imageOf(item.context.image.id);
    return this.#maker.make({ item, source, context, path });
  }

  /** Bytes of pixels that are in memory while a picture is made. */
  memoryFor({ source, context, width, height }: PlanItem): number {
    const pixels = (id: number): number => {
      const image = this.#images.get(id);
      return image ? image.width * image.height : 0;
    };
    return 3 * (pixels(source.id) + (context ? pixels(context.image.id) : 0) + 4 * width * height);
  }

  close(): Promise<void> {
    return this.#maker.close();
  }

  #imageOf(id: number): SnapshotImage {
    const image = this.#images.get(id);
    if (!image) throw new UserError('not-found', `Image ${id} is not in the data set.`);
    return image;
  }
}
