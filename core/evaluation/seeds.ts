/** Two methods over several seeds, paired by seed: does the difference hold beyond the luck of one training? */
import { GROUPS, type Group } from '../data/groups.ts';
import { verdict, type Verdict } from './compare.ts';
import type { HeadFigures } from './figures.ts';
import { studentInterval } from './intervals.ts';

/** A deviation below this comes from the rounding of sums. */
const ROUNDING = 1e-9;

/** Second method minus first over paired seeds; all values between -1 and 1. */
export interface SeedDifference {
  seeds: number;
  /** Means of the first and of the second method. */
  a: number;
  b: number;
  /** Mean of the differences and their standard deviation; no deviation from a single seed. */
  value: number;
  deviation: number | null;
  /** Student's 95 % interval of the mean difference; null from a single seed, and where all seeds differ by the same. */
  low: number | null;
  high: number | null;
  verdict: Verdict;
}

export interface SeedComparison {
  top1: SeedDifference | null;
  macroRecall: SeedDifference | null;
  groups: Record<Group, SeedDifference | null>;
  ranges: Record<Group, SeedDifference | null>;
  /** Recall of each class, in label order. */
  classes: (SeedDifference | null)[];
}

/**
 * @param pairs the figure of the first and the second method under each seed; pairs with a null are left out
 * @returns null when no pair is left
 */
export function seedDifference(pairs: readonly (readonly [number | null, number | null])[]): SeedDifference | null {
  const complete = pairs.filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null);
  if (complete.length === 0) return null;
  const mean = (side: 0 | 1): number => complete.reduce((sum, pair) => sum + pair[side], 0) / complete.length;
  const { mean: value, deviation, ...interval } = studentInterval(complete.map(([a, b]) => b - a));
  // Few test images make coarse figures: equal ones are no sign that training has no luck.
  const { low, high } = deviation !== null && deviation > ROUNDING ? interval : { low: null, high: null };
  return {
    seeds: complete.length,
    a: mean(0),
    b: mean(1),
    value,
    deviation,
    low,
    high,
    verdict: low === null || high === null ? 'no clear difference' : verdict({ low, high }),
  };
}

/**
 * @param pairs figures of the first and the second method under each seed, on the same test images and classes
 */
export function compareSeeds(pairs: readonly (readonly [HeadFigures, HeadFigures])[]): SeedComparison {
  const difference = (read: (figures: HeadFigures) => { value: number } | null): SeedDifference | null =>
    seedDifference(pairs.map(([a, b]) => [read(a)?.value ?? null, read(b)?.value ?? null]));
  const byGroup = (field: 'groups' | 'ranges'): Record<Group, SeedDifference | null> => {
    const [many, medium, few] = GROUPS.map((group) => difference((figures) => figures[field][group]));
    return { many, medium, few };
  };
  const classes = pairs.length === 0 ? [] : pairs[0][0].classes;
  return {
    top1: difference(({ top1 }) => top1),
    macroRecall: difference(({ macroRecall }) => macroRecall),
    groups: byGroup('groups'),
    ranges: byGroup('ranges'),
    classes: classes.map((_, label) => difference((figures) => figures.classes[label].recall)),
  };
}
