/** A picture and its mask as a network is shown them: brought to one size by the same crop and resize. */
import type { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { decodeGrey, decodeRgb, resizeGrey, type Target } from './decode.ts';
import type { SizedFile, SnapshotFiles } from './snapshot-files.ts';

export interface MaskedPicture {
  /** RGB, 3 bytes a pixel. */
  pixels: Uint8Array;
  /** 1 byte a pixel, 255 = context. */
  mask: Uint8Array;
}

/** @returns RGB, 3 bytes a pixel. @throws UserError 'not-found', 'unreadable', 'changed' or 'damaged', naming the file */
export async function readPixels(files: SnapshotFiles, picture: SizedFile, target: Target): Promise<Uint8Array> {
  return decodeRgb(await files.read(picture), target, picture);
}

/** @returns 1 byte a pixel, 255 = context. @throws UserError 'not-found' or 'damaged', naming the blob's file */
export async function readMask(blobs: BlobStore, blob: BlobId, target: Target): Promise<Uint8Array> {
  return resizeGrey(await decodeGrey(blobs.get(blob)), target);
}
