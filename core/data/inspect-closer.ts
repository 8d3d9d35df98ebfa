/** A look at a picture that is not plain, by libvips; and by decoding it all where it looks cut. */
import sharp from 'sharp';
import { UserError } from '../base/errors.ts';
import { bmpHeader, looksComplete } from './completeness.ts';
import { decodeUpright } from './decode.ts';
import type { ImageFormat } from './formats.ts';
import { uprightSize } from './geometry.ts';
import { checkSize, type ImageFacts } from './inspect.ts';

/**
 * Facts of any file of a format that is read.
 * @param format as `sniffFormat` found it
 * @throws UserError 'damaged', as half a sentence, when it is cut, broken or too large
 */
export async function closerFacts(bytes: Buffer, format: ImageFormat): Promise<ImageFacts> {
  const facts = format === 'bmp' ? bmpFacts(bytes) : await headerFacts(bytes, format);
  checkSize(facts);
  if (!looksComplete(format, bytes)) await decodeUpright(bytes);
  return facts;
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
