/** What an import needs to know of a picture, read from its header; no pixel is decoded unless the file looks cut. */
import sharp from 'sharp';
import { UserError } from '../base/errors.ts';
import { bmpHeader, looksComplete } from './completeness.ts';
import { decodeUpright, MOST_PIXELS } from './decode.ts';
import { extensionOf, FORMAT_EXTENSIONS } from './names.ts';
import type { ImageFormat } from './formats.ts';
import { uprightSize } from './geometry.ts';

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
  const facts = format === 'bmp' ? bmpFacts(bytes) : await headerFacts(bytes, format);
  const { width, height } = facts;
  if (width < 1 || height < 1) throw new UserError('damaged', 'its size is zero');
  if (width * height > MOST_PIXELS) throw new UserError('damaged', `${width} x ${height} pixels are too many`);
  if (!looksComplete(format, bytes)) await decodeUpright(bytes);
  return facts;
}

/** True when the file's ending names another format than its content, or none that is a picture's. */
export function endingMisleads(path: string, format: ImageFormat): boolean {
  const extension = extensionOf(path);
  return extension !== '' && !FORMAT_EXTENSIONS[format].includes(extension);
}

async function headerFacts(bytes: Buffer, format: ImageFormat): Promise<ImageFacts> {
  try {
    const header = await sharp(bytes, { failOn: 'error' }).metadata();
    const told = header.orientation ?? 1;
    const orientation = told >= 1 && told <= 8 ? told : 1;
    const plainDepth = header.depth === 'uchar' || header.depth === 'ushort';
    return { format, ...uprightSize(header, orientation), orientation, frames: header.pages ?? 1, plainDepth };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError('damaged', `the picture is damaged or cut short (${why})`, { cause: error });
  }
}

function bmpFacts(bytes: Buffer): ImageFacts {
  try {
    const { width, height } = bmpHeader(bytes);
    return { format: 'bmp', width, height, orientation: 1, frames: 1, plainDepth: true };
  } catch (error) {
    throw new UserError('damaged', 'the picture is cut short', { cause: error });
  }
}
