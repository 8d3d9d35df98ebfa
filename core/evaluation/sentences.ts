/** Figures in words, for the command line. */
import type { Difference } from './compare.ts';
import type { SeedDifference } from './seeds.ts';

/** A class with fewer test images than this has a coarse figure: one image is more than 5 points. */
const FEW_TEST_IMAGES = 20;

/** "46.3 %" */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** "+5.2", "-0.3", "0.0": percentage points, signed. */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(1);
  if (Number(text) === 0) return '0.0';
  return difference > 0 ? `+${text}` : text;
}

/**
 * "CSA 46.3 % against control 41.0 %: +5.2 points (95 % interval +1.0 to +9.4), better"; over seeds also their number.
 * @param names of the first and the second run or method, as in the difference
 */
export function differenceText(
  difference: Difference | SeedDifference | null,
  names: readonly [string, string],
): string {
  if (difference === null) return 'no test images';
  const { a, b, value, low, high } = difference;
  const interval =
    low === null || high === null ? 'one seed, no interval' : `95 % interval ${points(low)} to ${points(high)}`;
  const seeds = 'seeds' in difference && difference.seeds > 1 ? ` over ${difference.seeds} seeds` : '';
  return `${names[1]} ${percent(b)} against ${names[0]} ${percent(a)}${seeds}: ${points(value)} points (${interval}), ${difference.verdict}`;
}

/**
 * A warning where classes have few test images, or null.
 * @param classes name and number of test images
 */
export function fewTestImages(classes: readonly { name: string; tested: number }[]): string | null {
  const thin = classes.filter(({ tested }) => tested > 0 && tested < FEW_TEST_IMAGES);
  if (thin.length === 0) return null;
  const { name, tested } = thin.reduce((least, next) => (next.tested < least.tested ? next : least));
  const step = (100 / tested).toFixed(0);
  const images = tested === 1 ? '1 test image' : `${tested} test images`;
  const others = thin.length === 1 ? '' : `, the fewest of ${thin.length} classes with under ${FEW_TEST_IMAGES}`;
  return `Class ${name} has ${images}${others}: its recall moves in steps of ${step} points, so do not read much into it.`;
}
