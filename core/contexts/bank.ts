/**
 * The curated bank: the accepted contexts that are not retired, with the mask versions they have now, frozen when a job is made and kept as a
 * blob, so that a run or an export can always say what it drew from.
 */
import { canonicalJson } from '../base/json.ts';
import { sha256, type BlobStore } from '../storage/blob-store.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { BlobId } from '../storage/records.ts';

export interface BankEntry {
  /** `Context.id`. */
  contextId: number;
  /** `ImageRecord.id` and the content hash of its file. */
  imageId: number;
  imageHash: BlobId;
  /** `Mask.id` and its PNG, on the image's upright pixel grid. */
  maskId: number;
  maskBlob: BlobId;
  /** Mean of the mask, 0 to 1. */
  area: number;
}

/** What is accepted and not retired, in order of context. */
export function takeBank(store: ProjectStore): BankEntry[] {
  const accepted = store.contexts.list({ state: 'accepted', retired: false }).toSorted((a, b) => a.id - b.id);
  return accepted.map(({ id, imageId, maskId }) => {
    const image = store.images.get(imageId);
    const mask = store.masks.get(maskId);
    if (!image || !mask) throw new Error(`context ${id} has lost its image or mask`);
    return { contextId: id, imageId, imageHash: image.hash, maskId, maskBlob: mask.blob, area: mask.area };
  });
}

/** Hash of what matters: which content is masked how. */
export function bankHash(bank: readonly BankEntry[]): BlobId {
  return sha256(canonicalJson(bank.map(({ imageHash, maskBlob }) => [imageHash, maskBlob])));
}

/**
 * Read a bank that was kept as a blob (canonical JSON). The blob's hash proves that it is what we wrote.
 * @throws UserError 'not-found' or 'damaged'
 */
export function readBank(blobs: BlobStore, id: BlobId): BankEntry[] {
  return JSON.parse(blobs.get(id).toString()) as BankEntry[];
}
