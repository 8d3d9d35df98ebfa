/**
 * Intervals of 95 % confidence for proportions and their weighted means. They say how far a figure could move with other
 * test images of the same kind, not with another training seed.
 */
import jstat from 'jstat';

/** 0.975 quantile of the standard normal distribution. */
const Z = 1.959963984540054;

export interface Interval {
  low: number;
  high: number;
}

/** A figure between 0 and 1 with its 95 % interval. */
export interface Estimate extends Interval {
  value: number;
  /** Test images that it rests on. */
  images: number;
}

/**
 * Wilson's score interval of a proportion (Wilson, JASA 22, 1927; recommended for small n by Brown, Cai and DasGupta,
 * "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001). Never empty, never outside 0 to 1.
 * @returns null when `images` is 0
 */
export function wilson(hits: number, images: number): Estimate | null {
  if (images === 0) return null;
  const p = hits / images;
  const z2 = (Z * Z) / images;
  const middle = (p + z2 / 2) / (1 + z2);
  const half = (Z / (1 + z2)) * Math.sqrt((p * (1 - p) + z2 / 4) / images);
  // At 0 and 1 the formula meets the bound exactly, but not in floating point.
  return {
    value: p,
    low: hits === 0 ? 0 : Math.max(0, middle - half),
    high: hits === images ? 1 : Math.min(1, middle + half),
    images,
  };
}

/**
 * Weighted mean of independent proportions with an interval recovered from theirs (MOVER: Zou, Huang and Zhang, "A note
 * on confidence interval estimation for a linear function of binomial proportions", CSDA 53, 2009):
 * low = m - sqrt(sum (w_k (p_k - l_k))²), high = m + sqrt(sum (w_k (u_k - p_k))²). With one part it is that part's own
 * interval; parts at 0 or 1 still count as uncertain, which a normal or bootstrap interval would miss.
 * @param parts the proportions; null ones (no test image) are left out
 * @param weights non-negative; equal where not given
 * @returns null when nothing is left
 */
export function weightedMean(parts: readonly (Estimate | null)[], weights?: readonly number[]): Estimate | null {
  const used = parts.flatMap((part, k) => (part === null ? [] : [{ ...part, weight: weights ? weights[k] : 1 }]));
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return null;
  let value = 0;
  let below = 0;
  let above = 0;
  let images = 0;
  for (const part of used) {
    const w = part.weight / total;
    value += w * part.value;
    below += (w * (part.value - part.low)) ** 2;
    above += (w * (part.high - part.value)) ** 2;
    images += part.images;
  }
  return { value, low: Math.max(0, value - Math.sqrt(below)), high: Math.min(1, value + Math.sqrt(above)), images };
}

/**
 * Student's interval of a mean from few independent values.
 * @returns low and high are null below two values
 */
export function studentInterval(values: readonly number[]): {
  mean: number;
  /** Standard deviation with n - 1. */
  deviation: number | null;
  low: number | null;
  high: number | null;
} {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, deviation: null, low: null, high: null };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (jstat.studentt.inv(0.975, n - 1) * deviation) / Math.sqrt(n);
  return { mean, deviation, low: mean - half, high: mean + half };
}
