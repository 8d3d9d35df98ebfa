/**
 * Masks and saliency maps as small layers to be laid over a picture: WebP, white, with the value as opacity. The page
 * gives them a colour, or cuts the picture by them.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { decodeGrey, resizeGrey, type GreyImage } from './decode.ts';
import { Turns } from './flow.ts';
import type { Size } from './geometry.ts';
import { keep, readKept } from './webp-cache.ts';

/** "area": as it is · "outline": the border between what is more and what is less than half. */
export type LayerForm = 'area' | 'outline';

/** Largest layers that are kept; larger ones are made for the asking. */
const LARGEST_KEPT = 512;

export class MaskLayers {
  readonly #blobs: BlobStore;
  readonly #folder: string;
  readonly #turns = new Turns(2 * availableParallelism());

  /** @param cacheFolder `Project.cacheFolder` */
  constructor(blobs: BlobStore, cacheFolder: string) {
    this.#blobs = blobs;
    this.#folder = join(cacheFolder, 'masks');
  }

  /**
   * A layer.
   * @param blob of an 8-bit grey PNG
   * @param picture upright size of the picture that it lies over; its shape is the layer's
   * @param options.size longer side in pixels; never larger than the picture
   * @throws UserError 'not-found' or 'damaged'
   */
  async get(blob: BlobId, picture: Size, { form, size }: { form: LayerForm; size: number }): Promise<Buffer> {
    const target = within(picture, size);
    const name = `${blob.slice(2)}-${target.width}x${target.height}.webp`;
    const path = join(this.#folder, form, blob.slice(0, 2), name);
    const kept = size <= LARGEST_KEPT ? await readKept(path) : undefined;
    if (kept) return kept;
    return this.#turns.take(async () => {
      const grey = await decodeGrey(this.#blobs.get(blob));
      const data = await resizeGrey(grey, { ...target, fit: 'fill' });
      const layer = form === 'area' ? data : outlineOf({ ...target, data });
      const made = await encodeOpacity(layer, target);
      if (size <= LARGEST_KEPT) await keep(path, made);
      return made;
    });
  }
}

/** The picture's shape with its longer side at most `size`. */
export function within({ width, height }: Size, size: number): Size {
  const scale = Math.min(1, size / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Pixels of more than half that have a neighbour of less, above, below, left or right: 255; all others 0. */
export function outlineOf({ width, height, data }: GreyImage): Uint8Array {
  const outline = new Uint8Array(data.length);
  const inside = (x: number, y: number): boolean =>
    x < 0 || y < 0 || x >= width || y >= height || data[y * width + x] >= 128;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] < 128) continue;
      const border = !inside(x - 1, y) || !inside(x + 1, y) || !inside(x, y - 1) || !inside(x, y + 1);
      if (border) outline[y * width + x] = 255;
    }
  }
  return outline;
}

function encodeOpacity(opacity: Uint8Array, { width, height }: Size): Promise<Buffer> {
  const pixels = new Uint8Array(opacity.length * 4).fill(255);
  for (let i = 0; i < opacity.length; i++) pixels[4 * i + 3] = opacity[i];
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .webp({ quality: 1, alphaQuality: 90, effort: 1 })
    .toBuffer();
}
