/** From an item of the plan to the bytes of its file. */
import sharp from 'sharp';
import type { Size } from '../data/geometry.ts';
import type { SnapshotImage, SnapshotRoot } from '../data/snapshot.ts';
import { BlobStore, sha256 } from '../storage/blob-store.ts';
import { writeWhole } from './files.ts';
import type { PlanItem } from './item.ts';
import { binarize, mixPixels } from './mix.ts';
import { Pictures } from './pictures.ts';
import type { ExportFormat, ExportRecipe } from './recipe.ts';

/** What every picture of an export is made with. */
export interface RenderSettings {
  roots: SnapshotRoot[];
  /** Folder of the project's blobs, where the masks are. */
  blobFolder: string;
  mask: ExportRecipe['mask'];
  format: ExportFormat;
  /** Bytes of resized pictures and masks that are kept for the next use. */
  cacheBytes: number;
}

/** One picture to be made. */
export interface RenderOrder {
  item: PlanItem;
  source: SnapshotImage;
  context: SnapshotImage | null;
  /** File to write; null to know the hash only. */
  path: string | null;
}

/** What came of it. */
export interface Rendered {
  sha256: string;
  bytes: number;
}

/** Makes pictures, several at a time. */
export interface PictureMaker {
  /**
   * Make one picture. Equal orders give equal bytes with the same version of the picture library.
   * @throws UserError as `Pictures`, or 'no-space', 'no-permission'
   */
  make(order: RenderOrder): Promise<Rendered>;
  close(): Promise<void>;
}

/** Makes pictures in this thread (decoding and encoding run on the threads of libuv). */
export class LocalMaker implements PictureMaker {
  readonly #settings: RenderSettings;
  readonly #pictures: Pictures;

  constructor(settings: RenderSettings) {
    this.#settings = settings;
    this.#pictures = new Pictures(settings.roots, new BlobStore(settings.blobFolder), settings.cacheBytes);
  }

  async make(order: RenderOrder): Promise<Rendered> {
    const target = await this.#pictures.picture(order.source, order.item.crop, order.item);
    const bytes = await encodePicture(await this.#mix(target, order), order.item, this.#settings.format);
    if (order.path !== null) await writeWhole(order.path, bytes);
    return { sha256: sha256(bytes), bytes: bytes.length };
  }

  close(): Promise<void> {
    return this.#pictures.close();
  }

  async #mix(target: Uint8Array, { item, context: image }: RenderOrder): Promise<Uint8Array> {
    if (!item.context || !image) return target;
    const { crop, mask, lambda } = item.context;
    const context = await this.#pictures.picture(image, crop, item);
    const soft = await this.#pictures.mask(mask, image, crop, item);
    const { mask: rule } = this.#settings;
    return mixPixels(target, context, rule.kind === 'binary' ? binarize(soft, rule.threshold) : soft, lambda);
  }
}

/** @param rgb 3 bytes a pixel */
function encodePicture(rgb: Uint8Array, { width, height }: Size, format: ExportFormat): Promise<Buffer> {
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  switch (format.kind) {
    case 'png':
      return picture.png({ compressionLevel: 6 }).toBuffer();
    case 'jpeg':
      // Colour at full resolution: small pictures lose too much otherwise.
      return picture.jpeg({ quality: format.quality, chromaSubsampling: '4:4:4' }).toBuffer();
    case 'webp':
      return picture.webp({ quality: format.quality }).toBuffer();
  }
}
