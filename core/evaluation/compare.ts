/**
 * Two runs on the same test images: is one better? Paired, since both answer the same questions; stratified by class,
 * since a test set has a fixed number of images a class.
 */
import { Random } from '../base/random.ts';
import { GROUPS, groupsByCount, groupsByRank, type Group, type GroupThresholds } from '../data/groups.ts';
import type { Interval } from './intervals.ts';

/** Resamples of the bootstrap. */
export const DRAWS = 2000;
/**
 * With fewer images than this whose answer changed, even all in one direction, the exact sign test (McNemar 1947) finds
 * nothing at the 5 % level: 2 * 0.5^5 = 0.06, 2 * 0.5^6 = 0.03. A bootstrap of so few is too sure of itself.
 */
const MIN_CHANGED = 6;

export type Verdict = 'better' | 'worse' | 'no clear difference';

/** How much higher the second run's figure is; all values between -1 and 1. */
export interface Difference extends Interval {
  /** The figure of the first and of the second run, and second minus first. */
  a: number;
  b: number;
  value: number;
  /** Test images that it rests on. */
  images: number;
  /** Images that only the second run has right, and only the first. */
  gained: number;
  lost: number;
  /** Of the second run. */
  verdict: Verdict;
}

export interface Comparison {
  images: number;
  overall: Difference | null;
  macroRecall: Difference | null;
  groups: Record<Group, Difference | null>;
  ranges: Record<Group, Difference | null>;
  /** Recall of each class, in label order; null without test images. */
  classes: (Difference | null)[];
}

export interface ComparisonInput {
  /** 1 where the run is right, else 0; image by image, see `correctFlags` and `pairImages`. */
  a: Uint8Array;
  b: Uint8Array;
  labels: Int32Array;
  classes: number;
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
  /** Of the bootstrap. */
  seed: number;
}

/** Whether an interval of a difference lies above zero, below it or around it. */
export function verdict(interval: Interval & { gained?: number; lost?: number }): Verdict {
  const { gained, lost } = interval;
  if (gained !== undefined && lost !== undefined && gained + lost < MIN_CHANGED) return 'no clear difference';
  return interval.low > 0 ? 'better' : interval.high < 0 ? 'worse' : 'no clear difference';
}

/**
 * Positions of the images that two runs share, in the first run's order.
 * @param a ids of the test images of each run, without repetition
 */
export function pairImages(a: readonly number[], b: readonly number[]): { inA: number[]; inB: number[] } {
  const position = new Map(b.map((id, i) => [id, i]));
  const inA = a.flatMap((id, i) => (position.has(id) ? [i] : []));
  return { inA, inB: inA.map((i) => position.get(a[i])!) };
}

/** What one class contributes: the outcome of its images and the resampled net gains. */
interface Stratum {
  images: number;
  rightA: number;
  gained: number;
  lost: number;
  /** Net gain (images gained less images lost) in each resample. */
  net: Int32Array;
}

/**
 * Compare two runs by the paired bootstrap: each resample draws as many of a class's images as it has, with replacement,
 * and looks at both runs' answers to them; the interval lies between the 2.5 % and 97.5 % quantiles of 2,000 resamples
 * (percentile interval, Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).
 * Each interval is for one figure: of twenty compared, one is expected to lie off zero by chance.
 */
export function compareRuns(input: ComparisonInput): Comparison {
  const { a, b, labels, classes, trainCounts, thresholds } = input;
  if (a.length !== labels.length || b.length !== labels.length || trainCounts.length !== classes) {
    throw new RangeError('the two runs, the labels and the classes do not fit each other');
  }
  const strata = stratify(input);
  const all = strata.map((_, label) => label);
  const difference = (members: readonly number[], weight: (stratum: Stratum) => number): Difference | null =>
    differenceOf(
      members.map((label) => strata[label]).filter(({ images }) => images > 0),
      weight,
    );
  const byGroup = (groups: readonly Group[]): Record<Group, Difference | null> => {
    const [many, medium, few] = GROUPS.map((group) =>
      difference(
        all.filter((label) => groups[label] === group),
        () => 1,
      ),
    );
    return { many, medium, few };
  };
  return {
    images: labels.length,
    overall: difference(all, ({ images }) => images),
    macroRecall: difference(all, () => 1),
    groups: byGroup(groupsByCount(trainCounts, thresholds)),
    ranges: byGroup(groupsByRank(trainCounts)),
    classes: all.map((label) => difference([label], () => 1)),
  };
}

function stratify({ a, b, labels, classes, seed }: ComparisonInput): Stratum[] {
  const strata = Array.from({ length: classes }, (): Stratum => {
    return { images: 0, rightA: 0, gained: 0, lost: 0, net: new Int32Array(DRAWS) };
  });
  for (let i = 0; i < labels.length; i++) {
    const stratum = strata[labels[i]];
    stratum.images++;
    stratum.rightA += a[i];
    if (b[i] > a[i]) stratum.gained++;
    else if (b[i] < a[i]) stratum.lost++;
  }
  for (const [label, { images, gained, lost, net }] of strata.entries()) {
    if (gained + lost === 0) continue;
    const random = Random.stream(seed, `compare/${label}`);
    // Which image is drawn does not matter, only how its answer changed: 32 random bits on a scale of all images.
    const firstLost = (gained / images) * 2 ** 32;
    const firstSame = ((gained + lost) / images) * 2 ** 32;
    for (let draw = 0; draw < DRAWS; draw++) {
      for (let i = 0; i < images; i++) {
        const at = random.uint32();
        if (at < firstLost) net[draw]++;
        else if (at < firstSame) net[draw]--;
      }
    }
  }
  return strata;
}

/** Weighted mean over classes; `weight` is relative. Null without classes. */
function differenceOf(strata: readonly Stratum[], weight: (stratum: Stratum) => number): Difference | null {
  if (strata.length === 0) return null;
  const total = strata.reduce((sum, stratum) => sum + weight(stratum), 0);
  const draws = new Float64Array(DRAWS);
  let first = 0;
  let value = 0;
  for (const stratum of strata) {
    const each = weight(stratum) / total / stratum.images;
    first += each * stratum.rightA;
    value += each * (stratum.gained - stratum.lost);
    for (let draw = 0; draw < DRAWS; draw++) draws[draw] += each * stratum.net[draw];
  }
  draws.sort();
  const sum = (field: 'images' | 'gained' | 'lost'): number => strata.reduce((s, stratum) => s + stratum[field], 0);
  const result = {
    a: first,
    b: first + value,
    value,
    low: quantile(draws, 0.025),
    high: quantile(draws, 0.975),
    images: sum('images'),
    gained: sum('gained'),
    lost: sum('lost'),
  };
  return { ...result, verdict: verdict(result) };
}

/** Linear between neighbours (Hyndman and Fan 1996, type 7). */
export function quantile(ascending: Float64Array, q: number): number {
  const at = q * (ascending.length - 1);
  const below = Math.floor(at);
  return ascending[below] + (at - below) * (ascending[Math.ceil(at)] - ascending[below]);
}
