/**
 * The curated bank: the accepted contexts that are not retired, with the mask versions they have now, and the plain
 * backgrounds that are not retired; frozen when a job is made and kept as a blob, so that a run or an export can always say
 * what it drew from.
 */
import { canonicalJson } from '../base/json.ts';
import type { SnapshotPicture } from '../data/snapshot.ts';
import { sha256, type BlobStore } from '../storage/blob-store.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { BlobId } from '../storage/records.ts';

/** A context: an image of the data set with its mask. */
export interface ContextEntry {
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

/** A plain background: all of it is context. No snapshot knows it, so its entry says where its file lies. */
export interface BackgroundEntry extends Pick<
  SnapshotPicture,
  'path' | 'pathBytes' | 'hash' | 'size' | 'width' | 'height' | 'orientation'
> {
  /** `Background.id`. */
  backgroundId: number;
  /** Absolute path of the folder that `path` is relative to. */
  folder: string;
}

export type BankEntry = ContextEntry | BackgroundEntry;

export const isContext = (entry: BankEntry): entry is ContextEntry => 'contextId' in entry;

/** In order of the bank. */
export function contextsOf(bank: readonly BankEntry[]): ContextEntry[] {
  return bank.filter(isContext);
}

/** In order of the bank. */
export function backgroundsOf(bank: readonly BankEntry[]): BackgroundEntry[] {
  return bank.filter((entry): entry is BackgroundEntry => !isContext(entry));
}

/** What is accepted and not retired in order of context, then the plain backgrounds in theirs. */
export function takeBank(store: ProjectStore): BankEntry[] {
  const accepted = store.contexts.list({ state: 'accepted', retired: false }).toSorted((a, b) => a.id - b.id);
  const contexts = accepted.map(({ id, imageId, maskId }) => {
    const image = store.images.get(imageId);
    const mask = store.masks.get(maskId);
    if (!image || !mask) throw new Error(`context ${id} has lost its image or mask`);
    return { contextId: id, imageId, imageHash: image.hash, maskId, maskBlob: mask.blob, area: mask.area };
  });
  return [...contexts, ...takeBackgrounds(store)];
}

function takeBackgrounds({ backgrounds }: ProjectStore): BackgroundEntry[] {
  const folders = new Map(backgrounds.folders().map(({ id, path }) => [id, path]));
  const held = backgrounds.list().filter(({ retiredAt }) => retiredAt === null);
  return held.map(({ id, folderId, path, pathBytes, hash, size, width, height, orientation }) => ({
    backgroundId: id,
    folder: folders.get(folderId)!,
    path,
    ...(pathBytes ? { pathBytes: Buffer.from(pathBytes).toString('base64') } : {}),
    hash,
    size,
    width,
    height,
    orientation,
  }));
}

/** Hash of what matters: which content is masked how. */
export function bankHash(bank: readonly BankEntry[]): BlobId {
  return sha256(
    canonicalJson(
      bank.map((entry) => (isContext(entry) ? [entry.imageHash, entry.maskBlob] : [entry.hash, entry.orientation])),
    ),
  );
}

/**
 * Read a bank that was kept as a blob (canonical JSON). The blob's hash proves that it is what we wrote.
 * @throws UserError 'not-found' or 'damaged'
 */
export function readBank(blobs: BlobStore, id: BlobId): BankEntry[] {
  return JSON.parse(blobs.get(id).toString()) as BankEntry[];
}
