/**
 * A picture and its context at the size that the network takes: the centre square, each pixel the mean of those it covers.
 * What training decodes differs from it by the filter of its library, hardly to be seen. Pure.
 */
import type { Bitmap } from './bitmap.ts';
import type { Pixels } from './flood.ts';

/** Columns between the two. */
export const GAP = 1;

/**
 * @param side pixels of the network's input
 * @returns the picture, a gap, the picture times its mask: side high, 2 side + GAP wide, red, green, blue, opacity by turns
 */
export function atInputSize(
  { width, height, data }: Pixels,
  mask: Bitmap,
  side: number,
): Uint8ClampedArray<ArrayBuffer> {
  const columns = 2 * side + GAP;
  const out = new Uint8ClampedArray(columns * side * 4);
  const square = Math.min(width, height);
  const cell = square / side;
  const [left, top] = [(width - square) / 2, (height - square) / 2];
  for (let y = 0; y < side; y++) {
    const [y0, y1] = range(top + y * cell, cell);
    for (let x = 0; x < side; x++) {
      const [x0, x1] = range(left + x * cell, cell);
      const sums = [0, 0, 0, 0];
      for (let row = y0; row < y1; row++) {
        for (let i = row * width + x0; i < row * width + x1; i++) {
          for (let c = 0; c < 3; c++) sums[c] += data[4 * i + c];
          sums[3] += mask.data[i];
        }
      }
      const pixels = (x1 - x0) * (y1 - y0);
      const context = sums[3] / (255 * pixels);
      for (const [start, factor] of [
        [x, 1],
        [x + side + GAP, context],
      ]) {
        const to = 4 * (y * columns + start);
        for (let c = 0; c < 3; c++) out[to + c] = Math.round((sums[c] / pixels) * factor);
        out[to + 3] = 255;
      }
    }
  }
  return out;
}

/** The pixels whose centres a cell covers, at least one. */
function range(start: number, length: number): [number, number] {
  const first = Math.ceil(start - 0.5);
  const end = Math.ceil(start + length - 0.5);
  return end > first ? [first, end] : [Math.floor(start + length / 2), Math.floor(start + length / 2) + 1];
}
