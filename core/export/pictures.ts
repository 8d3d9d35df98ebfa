/** The pictures and masks that an export is made of, read from where they lie and brought to size. */
import { UserError } from '../base/errors.ts';
import { decodeGrey, decodeRgb, resizeGrey, type GreyImage } from '../data/decode.ts';
import type { CoverCrop, Size } from '../data/geometry.ts';
import type { SnapshotPicture, SnapshotRoot } from '../data/snapshot.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MaskReference } from './item.ts';
import { maskKey, pictureKey, type Shelf } from './shelf.ts';

export class Pictures {
  readonly #files: SnapshotFiles;
  readonly #blobs: BlobStore;
  /** What is being made, so that who wants the same meanwhile waits for it. */
  readonly #making = new Map<string, Promise<Uint8Array>>();

  constructor(roots: SnapshotRoot[], blobs: BlobStore) {
    this.#files = new SnapshotFiles(roots);
    this.#blobs = blobs;
  }

  /**
   * A picture, upright, resized and cut.
   * @param crop null for the picture as it is
   * @returns output.height x output.width x 3 bytes, RGB; not to be changed
   * @throws UserError 'not-found', 'unreadable', 'changed' or 'damaged', naming the file
   */
  async picture(image: SnapshotPicture, crop: CoverCrop | null, output: Size, shelf: Shelf): Promise<Uint8Array> {
    const { width, height } = crop?.resized ?? output;
    const pixels = await this.#shelved(pictureKey(image, { width, height }), shelf, async () => {
      const bytes = await this.#files.read(image);
      try {
        return await decodeRgb(bytes, { width, height, fit: 'fill' }, image);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        throw new UserError('damaged', `${this.#files.name(image)}: ${error.message}. Exclude it.`, { cause: error });
      }
    });
    return crop ? cut(pixels, 3, crop, output) : pixels;
  }

  /**
   * A mask with the same geometry as its picture.
   * @param image the picture it belongs to
   * @returns output.height x output.width bytes; not to be changed
   * @throws UserError 'not-found' or 'damaged'
   */
  async mask(
    mask: MaskReference,
    image: SnapshotPicture,
    crop: CoverCrop,
    output: Size,
    shelf: Shelf,
  ): Promise<Uint8Array> {
    const { resized } = crop;
    if (mask.kind === 'whole') return new Uint8Array(output.width * output.height).fill(255);
    const make = async (): Promise<Uint8Array> =>
      resizeGrey(await this.#maskOf(mask, image), { ...resized, fit: 'fill' });
    const key = maskKey(mask, resized);
    return cut(key === null ? await make() : await this.#shelved(key, shelf, make), 1, crop, output);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  async #maskOf(mask: Exclude<MaskReference, { kind: 'whole' }>, image: SnapshotPicture): Promise<GreyImage> {
    if (mask.kind === 'rectangle') return rectangleMask(mask, image);
    const grey = await decodeGrey(this.#blobs.get(mask.blob));
    if (grey.width === image.width && grey.height === image.height) return grey;
    const sizes = `${grey.width} x ${grey.height}, its picture ${image.width} x ${image.height}`;
    throw new UserError(
      'damaged',
      `Mask ${mask.id} of ${this.#files.name(image)} is ${sizes}. Make the context anew or reject it.`,
    );
  }

  async #shelved(key: string, shelf: Shelf, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const there = shelf.get(key);
    if (there) return there;
    let making = this.#making.get(key);
    if (!making) {
      making = make().finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    const pixels = await making;
    shelf.set(key, pixels);
    return pixels;
  }
}

function rectangleMask(region: Size & { x: number; y: number }, { width, height }: Size): GreyImage {
  const data = new Uint8Array(width * height);
  for (let row = region.y; row < region.y + region.height; row++) {
    data.fill(255, row * width + region.x, row * width + region.x + region.width);
  }
  return { width, height, data };
}

/** Cut a window out of packed pixels. */
function cut(pixels: Uint8Array, channels: number, crop: CoverCrop, { width, height }: Size): Uint8Array {
  const from = crop.resized.width * channels;
  if (crop.resized.width === width && crop.resized.height === height) return pixels;
  const window = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const start = (crop.top + row) * from + crop.left * channels;
    window.set(pixels.subarray(start, start + width * channels), row * width * channels);
  }
  return window;
}
