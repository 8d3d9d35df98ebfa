/** Small pictures for lists, made when they are first asked for and kept in the project's cache by content. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { ImageRecord } from '../storage/records.ts';
import { openPicture } from './decode.ts';
import { Turns } from './flow.ts';
import { keep, readKept } from './webp-cache.ts';

/** Pictures under way for each core: those at the disk must not leave the threads that decode without work. */
const EACH_CORE = 4;

type Picture = Pick<ImageRecord, 'hash' | 'path'>;

/** The thumbnails of one project. However many are asked for at once, only a few pictures are in memory. */
export class Thumbnails {
  readonly #folder: string;
  readonly #turns = new Turns(availableParallelism() * EACH_CORE);
  /** Being made, by where they will lie: whoever asks again meanwhile waits for the same. */
  readonly #making = new Map<string, Promise<Buffer>>();

  /** @param cacheFolder `Project.cacheFolder` */
  constructor(cacheFolder: string) {
    this.#folder = join(cacheFolder, 'thumbnails');
  }

  /**
   * A thumbnail as WebP: upright, first frame, whole picture within size x size, never larger than the picture.
   * @param read gives the picture's bytes; called only when there is no thumbnail yet
   * @param options.size longer side in pixels
   * @throws UserError 'changed' when the bytes are not those that were imported; 'damaged' when they cannot be decoded
   */
  async get(image: Picture, read: () => Promise<Buffer>, { size }: { size: number }): Promise<Buffer> {
    const path = join(this.#folder, String(size), image.hash.slice(0, 2), `${image.hash.slice(2)}.webp`);
    const kept = await readKept(path);
    if (kept) return kept;
    const making = this.#making.get(path) ?? this.#make(path, image, read, size);
    this.#making.set(path, making);
    try {
      return await making;
    } finally {
      this.#making.delete(path);
    }
  }

  /**
   * The same at once and without keeping it, for large sizes. Errors as `get`.
   * @param options.size longer side in pixels
   */
  render(image: Picture, read: () => Promise<Buffer>, { size }: { size: number }): Promise<Buffer> {
    return this.#turns.take(async () => shrink(await checked(image, read), image.path, size));
  }

  /**
   * The file itself.
   * @throws UserError 'changed' when its bytes are not those that were imported
   */
  original(image: Picture, read: () => Promise<Buffer>): Promise<Buffer> {
    return this.#turns.take(() => checked(image, read));
  }

  #make(path: string, image: Picture, read: () => Promise<Buffer>, size: number): Promise<Buffer> {
    return this.#turns.take(async () => {
      const made = await shrink(await checked(image, read), image.path, size);
      await keep(path, made);
      return made;
    });
  }
}

/** A picture's bytes, when they are those that were imported. */
async function checked(image: Picture, read: () => Promise<Buffer>): Promise<Buffer> {
  const bytes = await read();
  if (sha256(bytes) === image.hash) return bytes;
  throw new UserError('changed', `${image.path} is not the file that was imported. Scan its source again.`);
}

async function shrink(bytes: Buffer, path: string, size: number): Promise<Buffer> {
  const picture = await openPicture(bytes, { keepProfile: true });
  try {
    return await picture
      .resize(size, size, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 82 })
      .toBuffer();
  } catch (error) {
    throw new UserError('damaged', `${path} cannot be decoded. Exclude it.`, { cause: error });
  }
}
