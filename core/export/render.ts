/** From an item of the plan to the bytes of its file. */
import sharp from 'sharp';
import { UserError } from '../base/errors.ts';
import type { Size } from '../data/geometry.ts';
import type { SnapshotImage } from '../data/snapshot.ts';
import type { PlanItem } from './item.ts';
import { binarize, mixPixels } from './mix.ts';
import type { Pictures } from './pictures.ts';
import type { ExportFormat, ExportRecipe } from './recipe.ts';

/** What makes pictures: where images are found, by id, and how they are written. */
export interface Renderer {
  pictures: Pictures;
  images: ReadonlyMap<number, SnapshotImage>;
  mask: ExportRecipe['mask'];
  format: ExportFormat;
}

/**
 * Make one picture. Equal items give equal bytes with the same version of the picture library.
 * @throws UserError as `Pictures`, or 'not-found' for an image that the renderer does not know
 */
export async function renderItem(item: PlanItem, renderer: Renderer): Promise<Buffer> {
  const target = await renderer.pictures.picture(imageOf(renderer, item.source.id), item.crop, item);
  return encodePicture(await withContext(target, item, renderer), item, renderer.format);
}

async function withContext(target: Uint8Array, item: PlanItem, renderer: Renderer): Promise<Uint8Array> {
  if (!item.context) return target;
  const { image, crop, mask, lambda } = item.context;
  const source = imageOf(renderer, image.id);
  const context = await renderer.pictures.picture(source, crop, item);
  const soft = await renderer.pictures.mask(mask, source, crop, item);
  const { mask: rule } = renderer;
  return mixPixels(target, context, rule.kind === 'binary' ? binarize(soft, rule.threshold) : soft, lambda);
}

function imageOf({ images }: Renderer, id: number): SnapshotImage {
  const image = images.get(id);
  if (!image) throw new UserError('not-found', `Image ${id} is not in the data set.`);
  return image;
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
