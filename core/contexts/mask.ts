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
  const columns = taps(saliency.width, width);
  const rows = taps(saliency.height, height);
  // First along x: [h, w] -> [h, width]; then along y.
  const wide = new Float32Array(saliency.height * width);
  for (let y = 0; y < saliency.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [source, weight] of columns[x]) sum += weight * saliency.data[y * saliency.width + source];
      wide[y * width + x] = sum / 255;
    }
  }
  const data = new Uint8Array(width * height);
  const value = ruleOf(rule);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [source, weight] of rows[y]) sum += weight * wide[source * width + x];
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

/** Non-zero interpolation weights of each target pixel: at most four. */
function taps(from: number, to: number): [source: number, weight: number][][] {
  const matrix = bicubicMatrix(from, to);
  return Array.from({ length: to }, (_, i) => {
    const row: [number, number][] = [];
    for (let source = 0; source < from; source++) {
      const weight = matrix[i * from + source];
      if (weight !== 0) row.push([source, weight]);
    }
    return row;
  });
}
