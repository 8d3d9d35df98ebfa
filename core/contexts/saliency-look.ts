/**
 * How a picture is looked at for its saliency: at which sizes, and whether its mirror image too. The picture goes through
 * whole, in nearly its own shape, since context lies at the borders that a square crop cuts off; global average pooling
 * takes any shape.
 */
import type { GreyImage } from '../data/decode.ts';
import type { Size } from '../data/geometry.ts';
import type { Backbone } from '../models/backbone.ts';
import { bicubicMatrix } from '../training/bicubic.ts';

export interface SaliencyLook {
  /** Lengths of the shorter side, pixels; the maps of several are averaged on the finest grid. */
  sizes: number[];
  /** The maps of the mirror image are averaged in as well. */
  mirror: boolean;
}

/** Pictures longer than this are squeezed. */
const LONGEST_RATIO = 2;

/**
 * What the sides of the input are multiples of, pixels: so that pictures of about one shape go through together and, for a
 * backbone that takes photographs, so that the cells of its last map cover the picture and nothing beside it.
 */
export function inputStep({ inputSize }: Pick<Backbone, 'inputSize'>): number {
  return inputSize === null ? 8 : 32;
}

/**
 * @param upright size of the picture
 * @param shorter wanted length of the shorter side, pixels; rounded up to a multiple of `step`
 */
export function saliencyInput({ width, height }: Size, shorter: number, step: number): Size {
  const short = Math.ceil(shorter / step) * step;
  const ratio = Math.min(LONGEST_RATIO, Math.max(width, height) / Math.min(width, height));
  const long = Math.round((short * ratio) / step) * step;
  return width >= height ? { width: long, height: short } : { width: short, height: long };
}

/** A saliency map, values from 0 to 1. */
export interface SaliencyMap extends Size {
  data: Float32Array;
}

/**
 * Mean of maps of one picture: each scaled to [0, 1] already, brought to the finest grid (bicubic, clamped to [0, 1]),
 * averaged, and scaled to [0, 1] again, so that 1 is the strongest evidence as in a single map. One alone is left as it is.
 * @param maps at least one; those of a mirror image turned back already
 */
export function averageMaps(maps: readonly SaliencyMap[]): SaliencyMap {
  if (maps.length === 1) return maps[0];
  const { width, height } = maps.reduce((finest, map) => (map.data.length > finest.data.length ? map : finest));
  const data = new Float32Array(width * height);
  for (const map of maps) {
    const enlarged = enlarge(map, { width, height });
    for (let i = 0; i < data.length; i++) data[i] += enlarged[i];
  }
  const low = data.reduce((least, value) => Math.min(least, value));
  const range = data.reduce((most, value) => Math.max(most, value)) - low;
  return { width, height, data: data.map((value) => (range > 0 ? (value - low) / range : 0)) };
}

function enlarge({ width: w, height: h, data }: SaliencyMap, { width, height }: Size): Float32Array {
  if (w === width && h === height) return data;
  const columns = bicubicMatrix(w, width);
  const rows = bicubicMatrix(h, height);
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let v = 0; v < h; v++) {
        const weight = rows[y * h + v];
        if (weight === 0) continue;
        for (let u = 0; u < w; u++) sum += weight * columns[x * w + u] * data[v * w + u];
      }
      result[y * width + x] = Math.min(1, Math.max(0, sum));
    }
  }
  return result;
}

/** A map turned left to right. */
export function mirrored({ width, height, data }: SaliencyMap): SaliencyMap {
  const turned = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    turned.set(data.subarray(y * width, (y + 1) * width).toReversed(), y * width);
  }
  return { width, height, data: turned };
}

/** As it is kept: 0 … 255 stands for 0 … 1. */
export function toGrey({ width, height, data: values }: SaliencyMap): GreyImage {
  const data = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) data[i] = Math.round(255 * values[i]);
  return { width, height, data };
}
