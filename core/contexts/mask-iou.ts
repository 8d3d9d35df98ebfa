/** How far two masks agree about what is foreground. */
import type { GreyImage } from '../data/decode.ts';

/**
 * Intersection over union of the foregrounds, each what is less than half context; 1 when there is none in either.
 * @throws Error when the masks are of different sizes
 */
export function foregroundIou(one: GreyImage, other: GreyImage): number {
  if (one.width !== other.width || one.height !== other.height) throw new Error('masks of different sizes');
  let shared = 0;
  let either = 0;
  for (let i = 0; i < one.data.length; i++) {
    const a = one.data[i] < 128;
    const b = other.data[i] < 128;
    if (a && b) shared++;
    if (a || b) either++;
  }
  return either === 0 ? 1 : shared / either;
}
