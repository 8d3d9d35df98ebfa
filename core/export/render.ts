/** From an item of the plan to the bytes of its file. */
import sharp, { type Sharp } from 'sharp';
import type { Size } from '../data/geometry.ts';
import type { SnapshotImage, SnapshotPicture, SnapshotRoot } from '../data/snapshot.ts';
import { BlobStore, sha256 } from '../storage/blob-store.ts';
import { writePicture } from './files.ts';
import type { PlanItem } from './item.ts';
import { binarize, mixPixels } from './mix.ts';
import { Pictures } from './pictures.ts';
import { encodePng } from './png.ts';
import type { ExportFormat, ExportRecipe } from './recipe.ts';
import { boundedShelf, type Shelf } from './shelf.ts';

/** What every picture of an export is made with. */
export interface RenderSettings {
  roots: SnapshotRoot[];
  /** Folder of the project's blobs, where the masks are. */
  blobFolder: string;
  mask: ExportRecipe['mask'];
  format: ExportFormat;
}

/** One picture to be made. */
export interface RenderOrder {
  item: PlanItem;
  source: SnapshotImage;
  context: SnapshotPicture | null;
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

/** Makes pictures, from what lies on a shelf as far as it goes. */
export class Renderer {
  readonly #format: ExportFormat;
  /** From this share of 255 on a mask is all context; null leaves it as it is. */
  readonly #threshold: number | null;
  readonly #pictures: Pictures;
  /** The mixed picture in work where it is encoded at once: fresh memory for each costs a tenth of an export. */
  #scratch = new Uint8Array(0);

  constructor(settings: RenderSettings) {
    this.#format = settings.format;
    this.#threshold = settings.mask.kind === 'binary' ? settings.mask.threshold : null;
    this.#pictures = new Pictures(settings.roots, new BlobStore(settings.blobFolder));
  }

  /** `PictureMaker.make`. @param shelf gets what had to be read */
  async make({ item, source, context, path }: RenderOrder, shelf: Shelf): Promise<Rendered> {
    const target = await this.#pictures.picture(source, item.crop, item, shelf);
    const paste = item.context && context ? await this.#paste(item, item.context, context, shelf) : null;
    const bytes = await this.#encode(target, paste, item);
    if (path !== null) writePicture(path, bytes);
    return { sha256: sha256(bytes), bytes: bytes.length };
  }

  close(): Promise<void> {
    return this.#pictures.close();
  }

  async #paste(
    output: Size,
    { crop, mask, lambda }: NonNullable<PlanItem['context']>,
    image: SnapshotPicture,
    shelf: Shelf,
  ): Promise<Paste> {
    const context = await this.#pictures.picture(image, crop, output, shelf);
    const soft = await this.#pictures.mask(mask, image, crop, output, shelf);
    return { context, mask: this.#threshold === null ? soft : binarize(soft, this.#threshold), lambda };
  }

  #encode(target: Uint8Array, paste: Paste | null, size: Size): Buffer | Promise<Buffer> {
    if (!paste) return encodePicture(target, size, this.#format);
    // PNG is encoded in this very turn, before another picture takes the scratch; the others are read later.
    const mixed = this.#format.kind === 'png' ? this.#room(target.length) : undefined;
    return encodePicture(mixPixels(target, paste.context, paste.mask, paste.lambda, mixed), size, this.#format);
  }

  #room(bytes: number): Uint8Array {
    if (this.#scratch.length !== bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch;
  }
}

/** What is laid on a picture: RGB and one byte a pixel, as large as it. */
interface Paste {
  context: Uint8Array;
  mask: Uint8Array;
  lambda: number;
}

/** Makes pictures in this thread. */
export class LocalMaker implements PictureMaker {
  readonly #renderer: Renderer;
  readonly #shelf: Shelf;

  /** @param shelfBytes of resized pictures and masks that are kept for the next use */
  constructor(settings: RenderSettings, shelfBytes: number) {
    this.#renderer = new Renderer(settings);
    this.#shelf = boundedShelf(shelfBytes);
  }

  make(order: RenderOrder): Promise<Rendered> {
    return this.#renderer.make(order, this.#shelf);
  }

  close(): Promise<void> {
    return this.#renderer.close();
  }
}

/** @param rgb 3 bytes a pixel */
function encodePicture(rgb: Uint8Array, size: Size, format: ExportFormat): Buffer | Promise<Buffer> {
  const picture = (): Sharp => sharp(rgb, { raw: { width: size.width, height: size.height, channels: 3 } });
  switch (format.kind) {
    case 'png':
      return encodePng(rgb, size);
    case 'jpeg':
      // Colour at full resolution: small pictures lose too much otherwise.
      return picture().jpeg({ quality: format.quality, chromaSubsampling: '4:4:4', optimiseCoding: false }).toBuffer();
    case 'webp':
      return picture().webp({ quality: format.quality }).toBuffer();
  }
}
