/** Pictures put together from foregrounds and backgrounds, to see which of the two a model goes by. */
import { maskFromSaliency } from '../contexts/mask.ts';
import { readMask, type MaskedPicture } from '../data/masked-picture.ts';
import type { Composition } from '../evaluation/reliance.ts';
import { mixPixels } from '../export/mix.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { reviewedMask, type RelianceFile } from './reliance-file.ts';

/** A colour, each channel 0 to 255. */
export type Colour = readonly [number, number, number];

/** The colour that is zero to a model, which normalises by this mean. @param mean of R, G, B, each 0 to 1 */
export function meanColour([red, green, blue]: readonly [number, number, number]): Colour {
  return [Math.round(255 * red), Math.round(255 * green), Math.round(255 * blue)];
}

/**
 * Make a composition, by the paste of the method with lambda 1. What is taken away gets one colour; a background that is
 * lent to another picture is lent without its own foreground.
 * @param partner whose background it is put in front of; used by the mixed ones alone
 * @param fill of what is taken away
 * @returns RGB, as large as the picture
 */
export function compose(
  composition: Composition,
  { pixels, mask }: MaskedPicture,
  partner: MaskedPicture | null,
  fill: Colour,
): Uint8Array {
  switch (composition) {
    case 'original':
      return pixels;
    case 'no-fg':
      return mixPixels(plain(fill, pixels.length), pixels, mask, 1);
    case 'only-fg':
      return mixPixels(pixels, plain(fill, pixels.length), mask, 1);
    case 'mixed-same':
    case 'mixed-rand': {
      if (partner === null) throw new Error(`${composition} needs another picture's background`);
      return mixPixels(pixels, compose('no-fg', partner, null, fill), mask, 1);
    }
  }
}

function plain(colour: Colour, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => colour[i % 3]);
}

/**
 * The mask that a picture is taken apart by, at the size of the pictures: the one that a person accepted, else what
 * saliency does not reach. 255 = context.
 * @param index of the picture in the file
 * @throws UserError 'not-found' or 'damaged' when an accepted mask is
 */
export async function maskOf(
  { recipe, imageIds, saliency }: Pick<RelianceFile, 'recipe' | 'imageIds' | 'saliency'>,
  index: number,
  blobs: BlobStore,
): Promise<Uint8Array> {
  const { inputSize: size, enlarge, threshold } = recipe;
  const blob = reviewedMask(recipe, imageIds[index]);
  if (blob !== undefined) return readMask(blobs, blob, { width: size, height: size, fit: 'cover', enlarge });
  const { width, height, data } = saliency;
  const grid = { width, height, data: data.subarray(index * width * height, (index + 1) * width * height) };
  return maskFromSaliency(grid, size, size, { form: 'threshold', threshold }).data;
}
