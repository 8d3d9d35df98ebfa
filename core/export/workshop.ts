/** Where the pictures of one export are made. */
import { availableParallelism } from 'node:os';
import { UserError } from '../base/errors.ts';
import type { Size } from '../data/geometry.ts';
import type { SnapshotImage, SnapshotPicture } from '../data/snapshot.ts';
import type { PlanItem } from './item.ts';
import { LocalMaker, type PictureMaker, type Rendered, type RenderSettings } from './render.ts';
import { ThreadedMaker } from './render-threads.ts';

type PlannedContext = NonNullable<PlanItem['context']>;

/** Bytes of resized pictures and masks that are kept for the next use. */
const SHELF_BYTES = 512 * 2 ** 20;

/** Pictures for which it pays to start one more thread. */
const PICTURES_A_THREAD = 100;

export class Workshop {
  readonly #images: ReadonlyMap<number, SnapshotImage>;
  readonly #backgrounds: ReadonlyMap<number, SnapshotPicture>;
  readonly #maker: PictureMaker;

  /**
   * @param images the data set's, by id
   * @param backgrounds plain ones, by id
   * @param pictures about how many will be made
   */
  constructor(
    images: ReadonlyMap<number, SnapshotImage>,
    backgrounds: ReadonlyMap<number, SnapshotPicture>,
    settings: RenderSettings,
    pictures: number,
  ) {
    this.#images = images;
    this.#backgrounds = backgrounds;
    const threads = Math.min(availableParallelism(), Math.floor(pictures / PICTURES_A_THREAD));
    this.#maker =
      threads > 1 ? new ThreadedMaker(settings, SHELF_BYTES, threads) : new LocalMaker(settings, SHELF_BYTES);
  }

  /**
   * Make a picture of the plan.
   * @param path file to write; null to know the hash only
   * @throws UserError as `PictureMaker.make`, or 'not-found' for an image that is not in the data set, a background that
   *   is not in the bank
   */
  async make(item: PlanItem, path: string | null): Promise<Rendered> {
    const source = this.#images.get(item.source.id);
    if (!source) throw new UserError('not-found', `Image ${item.source.id} is not in the data set.`);
    const context = item.context && this.#contextOf(item.context);
    return this.#maker.make({ item, source, context, path });
  }

  /** Bytes of pixels that are in memory while a picture is made. */
  memoryFor({ source, context, width, height }: PlanItem): number {
    const laidOver = context && this.#find(context);
    return 3 * (areaOf(this.#images.get(source.id)) + areaOf(laidOver) + 4 * width * height);
  }

  close(): Promise<void> {
    return this.#maker.close();
  }

  #contextOf(context: PlannedContext): SnapshotPicture {
    const picture = this.#find(context);
    if (picture) return picture;
    const { background, image } = context;
    throw new UserError(
      'not-found',
      background === undefined
        ? `Image ${image.id} is not in the data set.`
        : `The plain background ${image.path} is not in the bank.`,
    );
  }

  #find({ background, image }: PlannedContext): SnapshotPicture | undefined {
    return background === undefined ? this.#images.get(image.id!) : this.#backgrounds.get(background);
  }
}

function areaOf(picture: Size | undefined | null): number {
  return picture ? picture.width * picture.height : 0;
}
