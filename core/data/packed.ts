/**
 * Pictures at the size that a network takes, decoded once and kept in the project's cache: shorter side resized to the
 * size or a little more, centre cut out (`coverCrop`). A pack is found by the content of its pictures, so it is good for
 * as long as they are, wherever their files lie.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '../base/json.ts';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { sha256 } from '../storage/blob-store.ts';
import { DECODER_VERSION, decodeRgb, type Target } from './decode.ts';
import { mapOrdered } from './flow.ts';
import { packBytes, PackFile, pictureBytes, type PackShape } from './pack-file.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import type { DatasetSnapshot, SnapshotImage } from './snapshot.ts';

/** Decoded pictures by index. */
export interface PackedImages {
  readonly count: number;
  /** Side, pixels. */
  readonly size: number;
  /**
   * Picture `i`: size x size x 3 bytes, RGB, rows from the top.
   * @param out where to put it; without it the bytes may be shared and must not be written to
   * @throws UserError 'damaged' when the cache on disk is
   */
  read(i: number, out?: Uint8Array): Uint8Array;
  close(): void;
}

/** How pictures are brought to size. */
export interface PackForm {
  size: number;
  enlarge?: number;
}

/** What openPacked needs of a job's port. */
export interface PackPort {
  emit(event: Progress): void;
  readonly signal: AbortSignal;
}

/** Where packs lie. @param cacheFolder `Project.cacheFolder` */
export const packFolder = (cacheFolder: string): string => join(cacheFolder, 'packed');

/** Packs up to this many bytes are held in memory; larger ones are read from disk picture by picture. */
const IN_MEMORY = 2 ** 30;

/** Pictures that cannot be packed before it gives up. */
const MOST_FAILURES = 100;

/** Milliseconds between two notes of what is there, which is what a killed job can lose. */
const SAVE_EVERY = 2000;

/**
 * Open the pictures of a snapshot at one size, decoding those that are not in the cache yet.
 * @param indices into `snapshot.images`; the pack has them in this order
 * @param form.size side of the pictures, pixels
 * @param form.enlarge as `Target.enlarge`: shorter side resized to so many times the size before the centre is cut out
 * @param cacheFolder `Project.cacheFolder`
 * @param options.inMemory largest pack that is held in memory, bytes
 * @throws UserError 'cancelled' (what is decoded is kept); 'not-found', 'changed', 'unreadable' or 'damaged' when any
 *   picture is not what was imported: a job must not silently work on something else; 'no-space'
 */
export async function openPacked(
  snapshot: DatasetSnapshot,
  indices: ArrayLike<number>,
  { size, enlarge = 1 }: PackForm,
  cacheFolder: string,
  port: PackPort,
  { inMemory = IN_MEMORY }: { inMemory?: number } = {},
): Promise<PackedImages> {
  const images = Array.from(indices, (index) => snapshot.images[index]);
  const shape: PackShape = {
    key: sha256(
      canonicalJson([DECODER_VERSION, size, ...(enlarge === 1 ? [] : [{ enlarge }]), images.map(({ hash }) => hash)]),
    ),
    count: images.length,
    recordBytes: pictureBytes(size),
  };
  const path = join(packFolder(cacheFolder), `${shape.key}.rgb`);
  const found = openFinished(path, shape, size, inMemory);
  if (found) return found;
  await pack(snapshot, images, path, shape, { size, enlarge }, port);
  const made = openFinished(path, shape, size, inMemory);
  if (made) return made;
  throw new UserError('damaged', `${path} cannot be read back after it was written. Check the disk.`);
}

/** Open a finished pack and check it; undefined when there is none or it is damaged. */
function openFinished(path: string, shape: PackShape, size: number, inMemory: number): PackedImages | undefined {
  const file = PackFile.open(path, shape, 'read');
  if (!file) return undefined;
  const { count, recordBytes: length } = shape;
  if (packBytes(shape) > inMemory) return new PackOnDisk(file, size);
  const pixels = new Uint8Array(count * length);
  file.readRaw(0, count, pixels);
  file.close();
  const view = (i: number): Uint8Array => pixels.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) if (!file.matches(i, view(i))) return undefined;
  return {
    count,
    size,
    read: (i, out) => {
      if (!out) return view(i);
      out.set(view(i));
      return out;
    },
    close: () => {},
  };
}

class PackOnDisk implements PackedImages {
  readonly count: number;
  readonly size: number;
  readonly #file: PackFile;

  constructor(file: PackFile, size: number) {
    this.count = file.shape.count;
    this.size = size;
    this.#file = file;
  }

  read(i: number, out: Uint8Array = new Uint8Array(pictureBytes(this.size))): Uint8Array {
    this.#file.readRaw(i, 1, out);
    if (this.#file.matches(i, out)) return out;
    throw new UserError('damaged', `${this.#file.path} is damaged. Delete it; it is made anew from the pictures.`);
  }

  close(): void {
    this.#file.close();
  }
}

/** Decode all pictures that are not in the pack yet. */
async function pack(
  snapshot: DatasetSnapshot,
  images: readonly SnapshotImage[],
  path: string,
  shape: PackShape,
  { size, enlarge }: Required<PackForm>,
  port: PackPort,
): Promise<void> {
  const file = PackFile.begin(path, shape);
  const files = new SnapshotFiles(snapshot.roots);
  const failures: UserError[] = [];
  try {
    const missing = findMissing(file);
    const meter = new ProgressMeter((event) => port.emit(event), {
      stage: 'Preparing pictures',
      unit: 'images',
      total: images.length,
      done: images.length - missing.length,
    });
    const decode = async (i: number): Promise<{ i: number; pixels: Uint8Array } | undefined> => {
      if (port.signal.aborted || failures.length >= MOST_FAILURES) return undefined;
      try {
        return { i, pixels: await decodeImage(files, images[i], { width: size, height: size, fit: 'cover', enlarge }) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failures.push(error);
        return undefined;
      }
    };
    let saved = performance.now();
    for await (const result of mapOrdered(missing, availableParallelism() * 4, decode)) {
      if (port.signal.aborted || failures.length >= MOST_FAILURES) break;
      if (!result) continue;
      file.write(result.i, result.pixels);
      meter.add();
      if (performance.now() - saved < SAVE_EVERY) continue;
      file.saveTable();
      saved = performance.now();
    }
    if (port.signal.aborted) throw new UserError('cancelled', 'Preparing the pictures was cancelled.');
    if (failures.length > 0) throw together(failures, images.length);
    meter.finish();
    file.finish(path);
  } finally {
    file.close();
    await files.close();
  }
}

/** Indices of the pictures that an unfinished pack lacks; what it says it has is read and checked. */
function findMissing(file: PackFile): number[] {
  const pixels = new Uint8Array(file.shape.recordBytes);
  const missing: number[] = [];
  for (let i = 0; i < file.shape.count; i++) {
    if (file.has(i)) file.readRaw(i, 1, pixels);
    if (!file.matches(i, pixels)) {
      file.forget(i);
      missing.push(i);
    }
  }
  return missing;
}

async function decodeImage(files: SnapshotFiles, image: SnapshotImage, target: Target): Promise<Uint8Array> {
  const bytes = await files.read(image);
  try {
    return await decodeRgb(bytes, target, image);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('damaged', `${files.name(image)}: ${error.message}.`, { cause: error });
  }
}

/** One error for all pictures that failed, with the code of the first. */
function together(failures: readonly UserError[], count: number): UserError {
  const [first] = failures;
  const many = failures.length >= MOST_FAILURES ? `At least ${failures.length}` : String(failures.length);
  const what = failures.length === 1 ? '1 picture is' : `${many} pictures are`;
  const advice =
    first.code === 'damaged' ? 'Exclude what is damaged.' : 'Bring the files back, or scan their source again.';
  return new UserError(first.code, `${what} of no use among ${count}; the first: ${first.message} ${advice}`, {
    cause: first,
  });
}
