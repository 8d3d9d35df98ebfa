/**
 * Guided filter: smooths one map so that it follows the edges of another picture, the guide. In each window the result is
 * a linear function of the guide's colour, so where the colour does not change the map does not either, and where it
 * steps the map may. K. He, J. Sun, X. Tang: Guided image filtering, IEEE TPAMI 35 (2013) 1397; on a coarser grid: K. He,
 * J. Sun: Fast guided filter, arXiv 1505.00996.
 */
import type { RgbImage } from '../data/decode.ts';
import type { Size } from '../data/geometry.ts';

/** What a guided filter makes of a map: at each pixel of its grid, result = red r + green g + blue b + offset. */
export interface GuidedModel extends Size {
  /** [height, width, 4]: weights of red, green and blue (0 to 1 each), and the offset. */
  data: Float32Array;
}

/** Values of a pixel of a `GuidedModel`. */
const PLANES = 4;
/** Means that a window's model is made from: of the colours and the map, of the products of two of them. */
const MOMENTS = 13;

/**
 * Fit a map to a guide.
 * @param map [guide.height, guide.width]
 * @param guide on the same grid; a grey picture has three equal channels
 * @param radius of the square windows, pixels; a window has 2 radius + 1 on a side, fewer at the borders of the picture
 * @param epsilon variance of the guide (its values from 0 to 1) below which it counts as flat; over 0
 */
export function fitToGuide(
  map: Float32Array,
  { width, height, data: rgb }: RgbImage,
  radius: number,
  epsilon: number,
): GuidedModel {
  const pixels = width * height;
  const products = new Float32Array(pixels * MOMENTS);
  for (let i = 0, to = 0; i < pixels; i++, to += MOMENTS) {
    const r = rgb[3 * i] / 255;
    const g = rgb[3 * i + 1] / 255;
    const b = rgb[3 * i + 2] / 255;
    const m = map[i];
    products[to] = r;
    products[to + 1] = g;
    products[to + 2] = b;
    products[to + 3] = m;
    products[to + 4] = r * r;
    products[to + 5] = r * g;
    products[to + 6] = r * b;
    products[to + 7] = g * g;
    products[to + 8] = g * b;
    products[to + 9] = b * b;
    products[to + 10] = r * m;
    products[to + 11] = g * m;
    products[to + 12] = b * m;
  }
  const means = boxMean(products, { width, height }, MOMENTS, radius);
  const model = new Float32Array(pixels * PLANES);
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += MOMENTS, to += PLANES) {
    const r = means[from];
    const g = means[from + 1];
    const b = means[from + 2];
    const m = means[from + 3];
    // (Sigma + epsilon 1) a = c, with Sigma the guide's covariance in the window and c its covariance with the map; Sigma
    // is symmetric, and its inverse is that of its cofactors over the determinant.
    const rr = means[from + 4] - r * r + epsilon;
    const rg = means[from + 5] - r * g;
    const rb = means[from + 6] - r * b;
    const gg = means[from + 7] - g * g + epsilon;
    const gb = means[from + 8] - g * b;
    const bb = means[from + 9] - b * b + epsilon;
    const rm = means[from + 10] - r * m;
    const gm = means[from + 11] - g * m;
    const bm = means[from + 12] - b * m;
    const cofactorRr = gg * bb - gb * gb;
    const cofactorRg = rb * gb - rg * bb;
    const cofactorRb = rg * gb - rb * gg;
    const cofactorGg = rr * bb - rb * rb;
    const cofactorGb = rg * rb - rr * gb;
    const cofactorBb = rr * gg - rg * rg;
    const determinant = rr * cofactorRr + rg * cofactorRg + rb * cofactorRb;
    const red = (cofactorRr * rm + cofactorRg * gm + cofactorRb * bm) / determinant;
    const green = (cofactorRg * rm + cofactorGg * gm + cofactorGb * bm) / determinant;
    const blue = (cofactorRb * rm + cofactorGb * gm + cofactorBb * bm) / determinant;
    model[to] = red;
    model[to + 1] = green;
    model[to + 2] = blue;
    model[to + 3] = m - red * r - green * g - blue * b;
  }
  return { width, height, data: boxMean(model, { width, height }, PLANES, radius) };
}

/**
 * Mean over the square window round each pixel, clipped at the borders, by running sums: as fast for any radius.
 * @param values [height, width, planes]
 * @returns of the same shape
 */
export function boxMean(values: Float32Array, { width, height }: Size, planes: number, radius: number): Float32Array {
  const row = width * planes;
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    slide(values, across, { start: y * row, count: width, stride: planes, length: planes }, radius);
  }
  const result = new Float32Array(values.length);
  slide(across, result, { start: 0, count: height, stride: row, length: row }, radius);
  return result;
}

/** Pieces of an array: `count` of `length` values, one every `stride` values from `start` on. */
interface Pieces {
  start: number;
  count: number;
  stride: number;
  length: number;
}

/** Replace each piece by the mean of those up to `radius` before and after it. */
function slide(
  values: Float32Array,
  result: Float32Array,
  { start, count, stride, length }: Pieces,
  radius: number,
): void {
  const sums = new Float64Array(length);
  for (let i = -radius; i < count; i++) {
    const entering = i + radius;
    if (entering < count) {
      for (let k = 0, from = start + entering * stride; k < length; k++, from++) sums[k] += values[from];
    }
    const leaving = i - radius - 1;
    if (leaving >= 0) {
      for (let k = 0, from = start + leaving * stride; k < length; k++, from++) sums[k] -= values[from];
    }
    if (i < 0) continue;
    const among = Math.min(count - 1, entering) - Math.max(0, leaving + 1) + 1;
    for (let k = 0, to = start + i * stride; k < length; k++, to++) result[to] = sums[k] / among;
  }
}

/**
 * Apply a model to the guide at its full size; the model's grid is enlarged linearly, borders repeated.
 * @param guide the picture whose reduction the model was fitted to, or that picture itself
 * @param take is given each row of the result in turn; what it does not copy is overwritten
 */
export function applyModel(
  model: GuidedModel,
  { width, height, data: rgb }: RgbImage,
  take: (row: Float32Array, y: number) => void,
): void {
  const columns = Array.from({ length: width }, (_, x) => between(x, width, model.width));
  const left = Int32Array.from(columns, ({ first }) => first * PLANES);
  const right = Int32Array.from(columns, ({ second }) => second * PLANES);
  const share = Float64Array.from(columns, ({ part }) => part);
  const line = model.width * PLANES;
  const blend = new Float32Array(line);
  const row = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    const { first, second, part } = between(y, height, model.height);
    for (let i = 0; i < line; i++) {
      const upper = model.data[first * line + i];
      blend[i] = upper + part * (model.data[second * line + i] - upper);
    }
    for (let x = 0, from = y * width * 3; x < width; x++, from += 3) {
      const a = left[x];
      const b = right[x];
      const s = share[x];
      const red = blend[a] + s * (blend[b] - blend[a]);
      const green = blend[a + 1] + s * (blend[b + 1] - blend[a + 1]);
      const blue = blend[a + 2] + s * (blend[b + 2] - blend[a + 2]);
      const offset = blend[a + 3] + s * (blend[b + 3] - blend[a + 3]);
      row[x] = (red * rgb[from] + green * rgb[from + 1] + blue * rgb[from + 2]) / 255 + offset;
    }
    take(row, y);
  }
}

/** A mean and a standard deviation. */
export interface Moments {
  mean: number;
  deviation: number;
}

export function momentsOf(values: Float32Array): Moments {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** A model whose results have other moments; those of one whose results are all alike are only moved. */
export function stretched({ width, height, data }: GuidedModel, from: Moments, to: Moments): GuidedModel {
  const scale = from.deviation > 0 ? to.deviation / from.deviation : 1;
  const shift = to.mean - scale * from.mean;
  const result = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += PLANES) {
    for (let plane = 0; plane < PLANES; plane++) result[i + plane] = scale * data[i + plane];
    const offset = i + PLANES - 1;
    result[offset] = scale * data[offset] + shift;
  }
  return { width, height, data: result };
}

/** Between which two positions of a coarser axis a position of a finer one lies, and how far from the first. */
function between(position: number, fine: number, coarse: number): { first: number; second: number; part: number } {
  const at = Math.min(coarse - 1, Math.max(0, ((position + 0.5) * coarse) / fine - 0.5));
  const first = Math.floor(at);
  return { first, second: Math.min(coarse - 1, first + 1), part: at - first };
}
