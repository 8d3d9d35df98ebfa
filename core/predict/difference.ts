/** How far answers may lie from those that a model file stores. */

/**
 * Largest difference between logits that is rounding, relative to the largest of them: another processor, number of
 * threads, GPU or program. Evaluation is in float32 everywhere.
 */
export const TOLERANCE = 1e-4;

/** Largest difference relative to the largest stored value; NaN or infinite where either is not a number. */
export function relativeDifference(found: Float32Array, stored: Float32Array): number {
  let difference = 0;
  let largest = 0;
  for (const [i, value] of stored.entries()) {
    difference = Math.max(difference, Math.abs(found[i] - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference === 0 ? 0 : difference / largest;
}

/** A difference for people: "3.1 % off", or that there are no numbers. */
export function differenceText(difference: number): string {
  return Number.isFinite(difference) ? `${(100 * difference).toPrecision(2)} % off` : 'no numbers';
}
