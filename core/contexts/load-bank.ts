/** The curated bank at input size, for training. */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Target } from '../data/decode.ts';
import { readMask, readPixels } from '../data/masked-picture.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import type { DatasetSnapshot, SnapshotPicture } from '../data/snapshot.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import type { TrainConfig } from '../training/config.ts';
import { CuratedBank, NO_LIMIT } from '../training/curated-bank.ts';
import { bankBackgrounds, NO_CLASS } from './bank-backgrounds.ts';
import { usableEntries } from './bank-pictures.ts';
import type { BankEntry } from './bank.ts';

/**
 * Read the pictures and masks of a bank, both by the same crop and resize.
 * @throws UserError 'empty' without usable contexts; 'cancelled'; 'changed', 'not-found' or 'damaged' naming the file
 */
export async function loadCuratedBank(
  entries: readonly BankEntry[],
  snapshot: DatasetSnapshot,
  blobs: BlobStore,
  config: Pick<TrainConfig, 'inputSize' | 'augment' | 'curatedUses' | 'curatedUsesPer'>,
  random: Random,
  signal: AbortSignal,
): Promise<CuratedBank> {
  const size = config.inputSize;
  const target: Target = { width: size, height: size, fit: 'cover' };
  const { roots, backgrounds } = bankBackgrounds(snapshot, entries);
  const usable: { image: SnapshotPicture; maskBlob: BlobId | null; label: number }[] = [
    ...usableEntries(entries, snapshot).map(({ entry, image }) => ({
      image,
      maskBlob: entry.maskBlob,
      label: image.label,
    })),
    ...[...backgrounds.values()].map((image) => ({ image, maskBlob: null, label: NO_CLASS })),
  ];
  if (usable.length === 0) {
    throw new UserError(
      'empty',
      'The curated bank has no context from a training image. Accept some, or set curatedShare to 0.',
    );
  }
  const pixels = new Uint8Array(usable.length * size * size * 3);
  const masks = new Float32Array(usable.length * size * size);
  const files = new SnapshotFiles(roots);
  try {
    for (const [index, { image, maskBlob }] of usable.entries()) {
      if (signal.aborted) throw new UserError('cancelled', 'Loading the curated bank was cancelled.');
      pixels.set(await readPixels(files, image, target), index * size * size * 3);
      const own = masks.subarray(index * size * size, (index + 1) * size * size);
      if (maskBlob === null) {
        own.fill(1);
        continue;
      }
      const mask = await readMask(blobs, maskBlob, target);
      for (let i = 0; i < mask.length; i++) own[i] = mask[i] / 255;
    }
  } finally {
    await files.close();
  }
  const labels = Int32Array.from(usable, ({ label }) => label);
  const { curatedUses: uses, curatedUsesPer: per } = config;
  const limit = uses === 0 ? NO_LIMIT : { uses, per };
  return new CuratedBank(random, { pixels, masks, labels }, size, config.augment, limit);
}
