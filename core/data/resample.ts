/**
 * Part of a picture, brought to a square by linear resampling with antialiasing, as Pillow and torchvision do it: a
 * triangle that widens with the reduction, over the pixels of the part only. Plain code, because libvips takes longer to
 * set up such a small job than this takes to do it, and because a mask has to take the very same way as its picture.
 */
import type { Size } from './geometry.ts';

/** A rectangle in pixels, not necessarily whole ones. */
export interface Box extends Size {
  left: number;
  top: number;
}

/** Pixels of `channels` values, rows from the top. */
export interface Raster<Values extends Uint8Array | Float32Array = Uint8Array | Float32Array> extends Size {
  channels: number;
  data: Values;
}

/** For each target position: the first source position and the weights from there on, `taps` for each. */
interface Axis {
  first: Int32Array;
  taps: number;
  weights: Float32Array;
}

/** @param end source positions at and beyond it are not used, nor those before `start` */
function makeAxis(start: number, extent: number, end: number, target: number): Axis {
  const scale = extent / target;
  const radius = Math.max(1, scale);
  const taps = Math.ceil(2 * radius);
  const first = new Int32Array(target);
  const weights = new Float32Array(target * taps);
  const least = Math.floor(start);
  const most = Math.min(end, Math.ceil(start + extent));
  for (let i = 0; i < target; i++) {
    const centre = start + (i + 0.5) * scale;
    const from = Math.max(least, Math.floor(centre - radius + 0.5));
    const to = Math.min(most, Math.floor(centre + radius + 0.5), from + taps);
    // Where weights are left over at the far end they are zero and fall on pixels that are there.
    first[i] = Math.max(0, Math.min(from, end - taps));
    let sum = 0;
    for (let x = from; x < to; x++) {
      const weight = Math.max(0, 1 - Math.abs((x + 0.5 - centre) / radius));
      weights[i * taps + x - first[i]] = weight;
      sum += weight;
    }
    for (let t = 0; t < taps; t++) weights[i * taps + t] /= sum;
  }
  return { first, taps: Math.min(taps, end), weights: taps <= end ? weights : narrowed(weights, taps, end, target) };
}

/** Weights of an axis whose source is shorter than `taps`. */
function narrowed(weights: Float32Array, taps: number, length: number, target: number): Float32Array {
  const result = new Float32Array(target * length);
  for (let i = 0; i < target; i++) result.set(weights.subarray(i * taps, i * taps + length), i * length);
  return result;
}

/**
 * Resample a box to size x size.
 * @param box inside the picture, at least a pixel wide and high
 * @param out [size, size, channels], overwritten; of 8 bits, values are rounded
 * @param flip mirror left and right
 */
export function resampleBox<Values extends Uint8Array | Float32Array>(
  picture: Raster<Values>,
  box: Box,
  size: number,
  out: Values,
  flip: boolean,
): void {
  const { width, height, channels, data } = picture;
  const across = makeAxis(box.left, box.width, width, size);
  const down = makeAxis(box.top, box.height, height, size);
  const top = down.first[0];
  const rows = down.first[size - 1] + down.taps - top;
  const line = size * channels;
  const narrow = new Float32Array(rows * line);
  const { taps, weights } = across;
  for (let x = 0; x < size; x++) {
    const source = (top * width + across.first[x]) * channels;
    const target = (flip ? size - 1 - x : x) * channels;
    for (let y = 0; y < rows; y++) {
      const to = y * line + target;
      let from = source + y * width * channels;
      if (channels === 3) {
        let r = 0;
        let g = 0;
        let b = 0;
        for (let t = x * taps; t < (x + 1) * taps; t++, from += 3) {
          r += weights[t] * data[from];
          g += weights[t] * data[from + 1];
          b += weights[t] * data[from + 2];
        }
        narrow[to] = r;
        narrow[to + 1] = g;
        narrow[to + 2] = b;
      } else {
        for (let t = x * taps; t < (x + 1) * taps; t++, from += channels) {
          for (let c = 0; c < channels; c++) narrow[to + c] += weights[t] * data[from + c];
        }
      }
    }
  }
  const half = out instanceof Uint8Array ? 0.5 : 0;
  const row = new Float32Array(line);
  for (let y = 0; y < size; y++) {
    row.fill(half);
    for (let t = 0; t < down.taps; t++) {
      const w = down.weights[y * down.taps + t];
      if (w === 0) continue;
      const from = (down.first[y] - top + t) * line;
      for (let i = 0; i < line; i++) row[i] += w * narrow[from + i];
    }
    // An 8-bit target cuts what is behind the point.
    out.set(row, y * line);
  }
}
