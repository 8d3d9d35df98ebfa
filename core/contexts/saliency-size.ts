/**
 * At which size a picture goes through the network for its saliency: whole, in nearly its own shape, since context lies at
 * the borders that a square crop cuts off. Global average pooling takes any shape.
 */
import type { Size } from '../data/geometry.ts';

/** Sides are multiples of this, so that pictures of about one shape go through together. */
const STEP = 8;
/** Pictures longer than this are squeezed. */
const LONGEST_RATIO = 2;

/**
 * @param upright size of the picture
 * @param shorter wanted length of the shorter side, pixels; rounded up to a multiple of 8
 */
export function saliencyInput({ width, height }: Size, shorter: number): Size {
  const short = Math.ceil(shorter / STEP) * STEP;
  const ratio = Math.min(LONGEST_RATIO, Math.max(width, height) / Math.min(width, height));
  const long = Math.round((short * ratio) / STEP) * STEP;
  return width >= height ? { width: long, height: short } : { width: short, height: long };
}
