/** Small pictures for lists, made when they are first asked for and kept in the project's cache by content. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { ImageRecord } from '../storage/records.ts';
import { openPicture } from './decode.ts';
import { Turns } from './flow.ts';

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
    const kept = await readWhole(path);
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

/** A kept thumbnail; undefined when there is none, or a power loss left a part of one. */
async function readWhole(path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(path);
    // RIFF files say their own length (without the first 8 bytes, padded to even).
    return bytes.length >= 12 && bytes.readUInt32LE(4) + 8 === bytes.length ? bytes : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read a thumbnail', path);
  }
}

/** Not synced: it is checked when it is read, and made anew for the asking. */
async function keep(path: string, bytes: Buffer): Promise<void> {
  const part = `${path}.${randomUUID()}${TEMPORARY_SUFFIX}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, bytes);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw fileError(error, 'keep a thumbnail', path);
  }
}
