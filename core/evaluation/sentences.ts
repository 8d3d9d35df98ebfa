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
  const interval = low === null || high === null ? 'no interval' : `95 % interval ${points(low)} to ${points(high)}`;
  const seeds = 'seeds' in difference && difference.seeds > 1 ? ` over ${difference.seeds} seeds` : '';
  return `${names[1]} ${percent(b)} against ${names[0]} ${percent(a)}${seeds}: ${points(value)} points (${interval}), ${difference.verdict}`;
}

/**
 * Whether a person's edits helped, in a sentence that promises no more than was seen.
 * @param difference in macro recall of the runs with edits less those without: of a single pair by the paired bootstrap,
 *   of several over seeds; null where there is none
 * @param pairs that have finished
 */
export function editsSentence(difference: Difference | SeedDifference | null, pairs: number): string {
  if (pairs === 0) return 'No pair of runs has finished yet: nothing can be said.';
  if (difference === null) return 'There are no test images: nothing can be said.';
  const { a, b, value, low, high } = difference;
  const interval =
    low === null || high === null
      ? ''
      : `, 95 % interval ${points(low)} to ${points(high)} over ${pairs === 1 ? 'test images' : 'seeds'}`;
  const figures = `macro recall ${percent(b)} with your edits, ${percent(a)} without (${points(value)} points${interval})`;
  const from = pairs === 1 ? 'From one pair of runs' : `Over ${pairs} seeds`;
  const caution = pairs === 1 ? ' Another seed may say otherwise: add some.' : '';
  switch (difference.verdict) {
    case 'better':
      return `${from} your edits helped: ${figures}.${caution}`;
    case 'worse':
      return `${from} your edits did harm: ${figures}.${caution}`;
    case 'no clear difference':
      return `${from} there is no clear difference: ${figures}. The edits may have helped, harmed or done nothing.`;
  }
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
