/** What an import needs to know of a picture, read from its header; no pixel is decoded unless the file looks cut. */
import { UserError } from '../base/errors.ts';
import { extensionOf, FORMAT_EXTENSIONS } from './names.ts';
import type { ImageFormat } from './formats.ts';
import { MOST_PIXELS } from './geometry.ts';
import { plainFacts } from './plain-header.ts';

export interface ImageFacts {
  format: ImageFormat;
  /** Upright size in pixels. */
  width: number;
  height: number;
  /** EXIF orientation 1-8. */
  orientation: number;
  /** Frames of an animation or pages; the first is used. */
  frames: number;
  /** 8 or 16 bits a value; anything else (floating point, 32 bits) may come out black or white. */
  plainDepth: boolean;
}

/**
 * Look at a picture.
 * @param format as `sniffFormat` found it
 * @throws UserError 'damaged', as half a sentence, when it is cut, broken or too large
 */
export async function inspectImage(bytes: Buffer, format: ImageFormat): Promise<ImageFacts> {
  const plain = plainFacts(format, bytes);
  if (plain) {
    checkSize(plain);
    return plain;
  }
  // Loaded for the first file that needs it: libvips is a third of a second and many megabytes that most imports save.
  const { closerFacts } = await import('./inspect-closer.ts');
  return closerFacts(bytes, format);
}

/** @throws UserError 'damaged', as half a sentence, when a picture of that size is not read */
export function checkSize({ width, height }: Pick<ImageFacts, 'width' | 'height'>): void {
  if (width < 1 || height < 1) throw new UserError('damaged', 'its size is zero');
  if (width * height > MOST_PIXELS) throw new UserError('damaged', `${width} x ${height} pixels are too many`);
}

/** True when the file's ending names another format than its content, or none that is a picture's. */
export function endingMisleads(path: string, format: ImageFormat): boolean {
  const extension = extensionOf(path);
  return extension !== '' && !FORMAT_EXTENSIONS[format].includes(extension);
}
