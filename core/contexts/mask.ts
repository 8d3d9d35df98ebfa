/**
 * From saliency to a context mask on the picture's own pixels. Works on the stored 8-bit saliency, so a mask can be made
 * again, or by another rule, and comes out the same.
 */
import type { GreyImage } from '../data/decode.ts';
import { bicubicMatrix } from '../training/bicubic.ts';

/** How saliency A (0 … 1 after enlargement) becomes a mask. */
export type MaskRule =
  /** M = (1 - A)^2 (method.md 2.1). */
  | { form: 'soft' }
  /** M = 1 where A < threshold, else 0. */
  | { form: 'threshold'; threshold: number };

/**
 * Enlarge a saliency map to the picture (bicubic, borders repeated, clamped to [0, 1]) and apply a rule.
 * @param saliency on its own grid; 0 … 255 stands for 0 … 1
 * @param width upright width of the picture, pixels
 * @param height upright height
 * @returns 255 = context
 */
export function maskFromSaliency(saliency: GreyImage, width: number, height: number, rule: MaskRule): GreyImage {
  const columns = tapsOf(saliency.width, width);
  const rows = tapsOf(saliency.height, height);
  // First along x: [h, w] -> [h, width]; then along y.
  const wide = new Float32Array(saliency.height * width);
  for (let y = 0; y < saliency.height; y++) {
    const from = y * saliency.width;
    for (let x = 0, tap = 0; x < width; x++) {
      let sum = 0;
      for (const end = tap + TAPS; tap < end; tap++) {
        sum += columns.weights[tap] * saliency.data[from + columns.sources[tap]];
      }
      wide[y * width + x] = sum / 255;
    }
  }
  const data = new Uint8Array(width * height);
  const value = ruleOf(rule);
  for (let y = 0; y < height; y++) {
    const [first, second, third, fourth] = rows.sources.subarray(y * TAPS, (y + 1) * TAPS).map((row) => row * width);
    const [a, b, c, d] = rows.weights.subarray(y * TAPS, (y + 1) * TAPS);
    for (let x = 0; x < width; x++) {
      const sum = a * wide[first + x] + b * wide[second + x] + c * wide[third + x] + d * wide[fourth + x];
      data[y * width + x] = Math.round(255 * value(Math.min(1, Math.max(0, sum))));
    }
  }
  return { width, height, data };
}

/** Mean of a mask, 0 to 1. */
export function maskArea({ data }: GreyImage): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / (255 * data.length);
}

function ruleOf(rule: MaskRule): (saliency: number) => number {
  switch (rule.form) {
    case 'soft':
      return (a) => (1 - a) ** 2;
    case 'threshold':
      return (a) => (a < rule.threshold ? 1 : 0);
  }
}

/** Neighbours that bicubic interpolation takes along an axis. */
const TAPS = 4;

/** For each target position `TAPS` sources and their weights; where fewer count, the others weigh nothing. */
interface Taps {
  sources: Int32Array;
  weights: Float64Array;
}

function tapsOf(from: number, to: number): Taps {
  const matrix = bicubicMatrix(from, to);
  const sources = new Int32Array(to * TAPS);
  const weights = new Float64Array(to * TAPS);
  for (let i = 0; i < to; i++) {
    let tap = i * TAPS;
    for (let source = 0; source < from; source++) {
      const weight = matrix[i * from + source];
      if (weight === 0) continue;
      sources[tap] = source;
      weights[tap++] = weight;
    }
  }
  return { sources, weights };
}
