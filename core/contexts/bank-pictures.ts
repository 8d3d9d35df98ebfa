/** The pictures of a frozen bank with their masks, as a network is shown them. */
import type { Target } from '../data/decode.ts';
import { readMask, readPixels, type MaskedPicture } from '../data/masked-picture.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import type { SnapshotImage, SnapshotPicture, SnapshotRoot, DatasetSnapshot } from '../data/snapshot.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { contextsOf, type BankEntry, type ContextEntry } from './bank.ts';

/** A context of the bank whose image is a training image. */
export interface UsableEntry {
  entry: ContextEntry;
  image: SnapshotImage;
}

/** The contexts of training images: one whose image has left the training split since is not used. In order of the bank. */
export function usableEntries(bank: readonly BankEntry[], snapshot: DatasetSnapshot): UsableEntry[] {
  const images = new Map(snapshot.images.map((image) => [image.id, image]));
  return contextsOf(bank).flatMap((entry) => {
    const image = images.get(entry.imageId);
    return image?.split === 'train' ? [{ entry, image }] : [];
  });
}

export class BankPictures {
  readonly #files: SnapshotFiles;
  readonly #blobs: BlobStore;
  readonly #target: Target;

  /**
   * @param roots of the snapshot; with the folders of plain backgrounds where these are read, too (`bankBackgrounds`)
   * @param target the size that pictures and masks are brought to
   */
  constructor(roots: SnapshotRoot[], blobs: BlobStore, target: Target) {
    this.#files = new SnapshotFiles(roots);
    this.#blobs = blobs;
    this.#target = target;
  }

  /**
   * A picture and its mask.
   * @throws UserError 'not-found', 'unreadable', 'changed' or 'damaged', naming the file
   */
  async read({ entry, image }: UsableEntry): Promise<MaskedPicture> {
    return {
      pixels: await readPixels(this.#files, image, this.#target),
      mask: await readMask(this.#blobs, entry.maskBlob, this.#target),
    };
  }

  /**
   * A plain background (RGB, 8 bits), all of it context.
   * @throws UserError as `read`
   */
  readPlain(background: SnapshotPicture): Promise<Uint8Array> {
    return readPixels(this.#files, background, this.#target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.close();
  }
}
