/**
 * The curated bank: the accepted contexts that are not retired, with the mask versions they have now, and the plain
 * backgrounds that are not retired; frozen when a job is made and kept as a blob, so that a run or an export can always say
 * what it drew from.
 */
import { canonicalJson } from '../base/json.ts';
import type { SnapshotPicture } from '../data/snapshot.ts';
import { sha256, type BlobStore } from '../storage/blob-store.ts';
import type { BackgroundTable, ProjectStore } from '../storage/project-store.ts';
import type { Background, BlobId } from '../storage/records.ts';

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
  const placeOf = placesIn(backgrounds);
  const held = backgrounds.list().filter(({ retiredAt }) => retiredAt === null);
  return held.map((background) => {
    const { id, hash, size, width, height, orientation } = background;
    return { backgroundId: id, ...placeOf(background), hash, size, width, height, orientation };
  });
}

/** A frozen bank with its plain backgrounds where their files lie now: a folder may have moved since, or a file in it. */
export function locateBackgrounds({ backgrounds }: ProjectStore, bank: readonly BankEntry[]): BankEntry[] {
  const placeOf = placesIn(backgrounds);
  return bank.map((entry) => {
    if (isContext(entry)) return entry;
    const { backgroundId, hash, size, width, height, orientation } = entry;
    // By content first: where the file was changed in its place, what it held may be another background's by now.
    const known = backgrounds.withHash(hash) ?? backgrounds.get(backgroundId);
    return known ? { backgroundId, ...placeOf(known), hash, size, width, height, orientation } : entry;
  });
}

/** Says where the file of a background lies. */
function placesIn(
  table: BackgroundTable,
): (background: Background) => Pick<BackgroundEntry, 'folder' | 'path' | 'pathBytes'> {
  const paths = new Map(table.folders().map(({ id, path }) => [id, path]));
  return ({ folderId, path, pathBytes }) => ({
    folder: paths.get(folderId)!,
    path,
    ...(pathBytes ? { pathBytes: Buffer.from(pathBytes).toString('base64') } : {}),
  });
}

/** Hash of what matters: which content is masked how. */
export function bankHash(bank: readonly BankEntry[]): BlobId {
  return sha256(
    canonicalJson(
      bank.map((entry) => (isContext(entry) ? [entry.imageHash, entry.maskBlob] : [entry.hash, entry.orientation])),
    ),
  );
}

/** Keep a bank as a blob (canonical JSON). @throws UserError 'no-space', … naming the file */
export function putBank(blobs: BlobStore, bank: readonly BankEntry[]): BlobId {
  return blobs.put(Buffer.from(canonicalJson(bank)));
}

/**
 * Read a bank that was kept by `putBank`. The blob's hash proves that it is what we wrote.
 * @throws UserError 'not-found' or 'damaged'
 */
export function readBank(blobs: BlobStore, id: BlobId): BankEntry[] {
  return JSON.parse(blobs.get(id).toString()) as BankEntry[];
}
