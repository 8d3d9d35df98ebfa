/** Where a run's pictures come from: decoded once and kept, or from their files each time. */
import { availableParallelism } from 'node:os';
import { packBytes, pictureBytes } from '../data/pack-file.ts';
import { openPacked, type PackPort } from '../data/packed.ts';
import type { DatasetSnapshot } from '../data/snapshot.ts';
import type { TrainConfig } from './config.ts';
import { FilePictures } from './file-pictures.ts';
import { PackedPictures, type Pictures } from './pictures.ts';
import { evaluationMargin } from './preprocessing.ts';

/** Largest pack that is made, bytes: more is decoded from the files each time. */
const MOST_PACKED = 4 * 2 ** 30;

/** Decoding threads beyond which the one thread that hands out batches has no time for more. */
const MOST_THREADS = 16;

/** Pictures with what has to be closed: `await using`. */
export type OpenPictures = Pictures & AsyncDisposable;

/**
 * Open pictures of a snapshot for a run.
 * @param indices into `snapshot.images`
 * @param use `train`: to be augmented too · `evaluate`: plain only
 * @param options.mostPacked largest pack that is made, bytes
 * @throws UserError as `openPacked`
 */
export async function openPictures(
  snapshot: DatasetSnapshot,
  indices: ArrayLike<number>,
  config: Pick<TrainConfig, 'inputSize' | 'augment'> & Partial<Pick<TrainConfig, 'tune'>>,
  use: 'train' | 'evaluate',
  cacheFolder: string,
  port: PackPort,
  { mostPacked = MOST_PACKED }: { mostPacked?: number } = {},
): Promise<OpenPictures> {
  const { inputSize: size, augment } = config;
  const enlarge = evaluationMargin(augment);
  // A random part is cut from all the pixels that the file has; features are of pictures as evaluation sees them.
  const fromFiles = use === 'train' && augment.crop === 'resized' && config.tune?.stages !== 0;
  if (fromFiles || packBytes({ count: indices.length, recordBytes: pictureBytes(size) }) > mostPacked) {
    const threads = Math.min(MOST_THREADS, availableParallelism());
    return new FilePictures({ snapshot, indices, size, augment, enlarge, threads });
  }
  const packed = await openPacked(snapshot, indices, { size, enlarge }, cacheFolder, port);
  return Object.assign(new PackedPictures(packed, augment), { [Symbol.asyncDispose]: async () => packed.close() });
}
