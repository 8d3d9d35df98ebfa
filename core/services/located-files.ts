/** Frozen data sets and banks with their files where they lie now. */
import { backgroundsOf, locateBackgrounds, putBank, readBank } from '../contexts/bank.ts';
import { putSnapshot, readSnapshot } from '../data/snapshot.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId } from '../storage/records.ts';

/**
 * A data set that was frozen before its project moved, or a source was relinked, for a job that reads its files. Its
 * `datasetHash` is the same: that names no folder.
 * @returns the blob itself where nothing has moved, else one that nobody refers to, for the clean-up to take
 * @throws UserError 'not-found' or 'damaged'
 */
export function locatedSnapshot({ store, blobs }: Project, blob: BlobId): BlobId {
  const snapshot = readSnapshot(blobs, blob);
  const roots = snapshot.roots.map((root, index) => {
    const one = snapshot.images.find((image) => image.root === index);
    const image = one && store.images.get(one.id);
    const source = image && store.sources.get(image.sourceId);
    return { ...root, path: source?.path ?? root.path };
  });
  const moved = roots.some(({ path }, index) => path !== snapshot.roots[index].path);
  return moved ? putSnapshot(blobs, { ...snapshot, roots }) : blob;
}

/**
 * The same of a bank that was frozen, for its plain backgrounds. Its `bankHash` is the same, too.
 * @throws UserError 'not-found' or 'damaged'
 */
export function locatedBank({ store, blobs }: Project, blob: BlobId): BlobId {
  const bank = readBank(blobs, blob);
  // A large bank takes its time to be written again, and most have no background.
  return backgroundsOf(bank).length === 0 ? blob : putBank(blobs, locateBackgrounds(store, bank));
}
