/** Smoothing of curves for the eye. */

/**
 * Exponential moving average that starts at the first value (with the bias of the start taken out, as TensorBoard does).
 * @param weight of what came before, 0 (as measured) to just under 1
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let total = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

/**
 * Curves of several runs over one axis.
 * @param curves each with the epochs of its values, ascending
 * @returns all epochs that any of them has, and each curve's values over these; null where it has none
 */
export function alignCurves(curves: readonly { epochs: readonly number[]; values: readonly (number | null)[] }[]): {
  epochs: number[];
  values: (number | null)[][];
} {
  const epochs = [...new Set(curves.flatMap((curve) => curve.epochs))].sort((a, b) => a - b);
  const place = new Map(epochs.map((epoch, index) => [epoch, index]));
  const values = curves.map((curve) => {
    const row: (number | null)[] = epochs.map(() => null);
    for (const [i, epoch] of curve.epochs.entries()) row[place.get(epoch) ?? 0] = curve.values[i];
    return row;
  });
  return { epochs, values };
}

/** The mean of each value and its neighbours, a twentieth of all values wide. */
export function runningMeans(values: readonly number[]): number[] {
  const reach = Math.max(1, Math.round(values.length / 40));
  return values.map((_, index) => {
    const near = values.slice(Math.max(0, index - reach), index + reach + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}
