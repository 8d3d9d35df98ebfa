/**
 * How diverse a bank is, by what a network makes of its contexts: how many different ones they come to, and which of them
 * are nearly the same. Vectors lie in rows; only their directions count.
 */

/** Two rows and the cosine between them. */
export interface Twins {
  a: number;
  b: number;
  cosine: number;
}

/**
 * Bring every row to length 1; rows of zeros stay.
 * @param features [n, width]
 */
export function unitRows(features: Float32Array, width: number): Float32Array {
  const rows = Float32Array.from(features);
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let i = 0; i < width; i++) row[i] /= length;
  }
  return rows;
}

/**
 * The effective number of different rows: the Vendi score (Friedman and Dieng, arXiv 2210.02410) of order 2 with the cosine
 * as kernel K, 1 / Σ λ² over the eigenvalues of K / tr K. Order 2 needs no eigenvalues, Σ λ² being the squared Frobenius
 * norm, and settles with fewer rows than the entropy, order 1 (Ospanov and Farnia, arXiv 2410.21719). Zeros count for
 * nothing.
 * @param rows [n, width], each of length 1 or 0
 * @returns 1 where all are the same, n where no two have anything in common, 0 without rows
 */
export function effectiveNumber(rows: Float32Array, width: number): number {
  const count = rows.length / width;
  let trace = 0;
  for (const value of rows) trace += value * value;
  if (trace === 0) return Math.min(1, count);
  // K and the matrix of products of columns have the same eigenvalues but for zeros: the smaller one is made.
  const norm = count <= width ? gramNorm(rows, count, width, width, 1) : gramNorm(rows, width, count, 1, width);
  return (trace * trace) / norm;
}

/** Σ (xᵢ · xⱼ)² over all pairs of `count` vectors, where value k of vector i is at i * step + k * stride. */
function gramNorm(values: Float32Array, count: number, length: number, step: number, stride: number): number {
  let norm = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let k = 0; k < length; k++) product += values[i * step + k * stride] * values[j * step + k * stride];
      norm += (i === j ? 1 : 2) * product * product;
    }
  }
  return norm;
}

/**
 * Pairs of rows that are nearly the same, those most alike first.
 * @param rows [n, width], each of length 1 or 0
 * @param from least cosine, over 0
 */
export function nearTwins(rows: Float32Array, width: number, from: number): Twins[] {
  const twins: Twins[] = [];
  const count = rows.length / width;
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      let cosine = 0;
      for (let k = 0; k < width; k++) cosine += rows[a * width + k] * rows[b * width + k];
      // Rounding may carry the cosine of equal rows over 1.
      if (cosine >= from) twins.push({ a, b, cosine: Math.min(1, cosine) });
    }
  }
  return twins.toSorted((x, y) => y.cosine - x.cosine || x.a - y.a || x.b - y.b);
}
