/**
 * Context reliance of two runs side by side: by how much does one go more by the background than the other? Paired picture
 * by picture where both answered the very same pictures, else from the intervals of each.
 */
import { Random } from '../base/random.ts';
import { GROUPS, groupsByCount, type Group, type GroupThresholds } from '../data/groups.ts';
import { DRAWS, quantile, verdict } from './compare.ts';
import type { Interval } from './intervals.ts';
import { COMPOSITIONS, type ComposedAnswers, type Composition } from './reliance.ts';

/** Whether the second run's figure is higher. Neither is good or bad: of the BG-Gap less is better, of accuracy more. */
export type Direction = 'higher' | 'lower' | 'no clear difference';

/** How much higher the second run's figure is; between -1 and 1, of the BG-Gap between -2 and 2. */
export interface RelianceDifference extends Interval {
  /** The figure of the first and of the second run, and second minus first. */
  a: number;
  b: number;
  value: number;
  /** Pictures that it rests on; of two sets of pictures the smaller. */
  images: number;
  direction: Direction;
}

export interface DifferencesByClass {
  /** Mean over classes. */
  macro: RelianceDifference | null;
  groups: Record<Group, RelianceDifference | null>;
  /** In label order; null without pictures. */
  classes: (RelianceDifference | null)[];
}

export interface RelianceComparisonFigures {
  bgGap: DifferencesByClass;
  /** Of the mean probability of the true class. */
  confidence: Record<Composition, DifferencesByClass>;
}

/** What both ways of comparing need to know of the classes. */
export interface ComparedClasses {
  /** Training images of each class, in label order. */
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
}

export interface PairedRelianceInput extends ComparedClasses {
  /** Answers to the same pictures, row by row. */
  a: ComposedAnswers;
  b: ComposedAnswers;
  /** True class of each picture. */
  labels: Int32Array;
  /** Of the bootstrap. */
  seed: number;
}

/**
 * Compare two runs that answered the same pictures, by the paired bootstrap, stratified by class: each resample draws as
 * many of a class's pictures as it has, with replacement, the same for both runs and all figures; the interval lies between
 * the 2.5 % and 97.5 % quantiles of the resampled differences (percentile interval, Efron and Tibshirani, "An Introduction
 * to the Bootstrap", 1993, chapter 13).
 * @throws RangeError when sizes do not fit
 */
export function comparePairedReliance(input: PairedRelianceInput): RelianceComparisonFigures {
  const { a, b, labels, trainCounts, seed } = input;
  const cells = labels.length * COMPOSITIONS.length;
  if ([a, b].some(({ probability, right }) => probability.length !== cells || right.length !== cells)) {
    throw new RangeError(`the two runs do not have answers to ${labels.length} pictures each`);
  }
  const figures = [gapOf, ...COMPOSITIONS.map(confidenceOf)];
  const members = trainCounts.map((): number[] => []);
  for (const [i, label] of labels.entries()) members[label].push(i);
  const strata = members.map((pictures, label) => {
    const random = Random.stream(seed, `reliance comparison/${label}`);
    return pairedClass(
      pictures,
      figures.map((read) => ({ a: (i) => read(a, i), b: (i) => read(b, i) })),
      random,
    );
  });
  const of = (figure: number): DifferencesByClass =>
    byClass(input, (labelsOfPart) => {
      const parts = labelsOfPart.flatMap((label) => strata[label][figure] ?? []);
      return parts.length === 0 ? null : meanOfParts(parts);
    });
  return arrange(of);
}

/** Reads a figure of a picture; NaN where its composition cannot be made. */
type Reader = (answers: ComposedAnswers, picture: number) => number;

const [SAME, RAND] = [COMPOSITIONS.indexOf('mixed-same'), COMPOSITIONS.indexOf('mixed-rand')];

/** What a picture adds to the BG-Gap: 1, 0 or -1. */
const gapOf: Reader = ({ probability, right }, picture) => {
  const at = picture * COMPOSITIONS.length;
  if (Number.isNaN(probability[at + SAME]) || Number.isNaN(probability[at + RAND])) return NaN;
  return right[at + SAME] - right[at + RAND];
};

const confidenceOf =
  (_: Composition, column: number): Reader =>
  ({ probability }, picture) =>
    probability[picture * COMPOSITIONS.length + column];

/** One figure of one class: means of both runs, and what the difference was in each resample. */
interface Part {
  a: number;
  b: number;
  images: number;
  /** Pictures whose figure is not the same in both. */
  changed: number;
  draws: Float32Array;
}

function pairedClass(
  pictures: readonly number[],
  figures: readonly { a: (picture: number) => number; b: (picture: number) => number }[],
  random: Random,
): (Part | null)[] {
  // A composition can be made of all pictures of a class or of none: it hangs on what others may lend it.
  const made = figures.map(({ a }) => pictures.length > 0 && pictures.every((i) => !Number.isNaN(a(i))));
  const columns = figures.length;
  const changes = new Float64Array(pictures.length * columns);
  for (const [row, i] of pictures.entries()) {
    for (const [column, { a, b }] of figures.entries()) {
      if (made[column]) changes[row * columns + column] = b(i) - a(i);
    }
  }
  const draws = figures.map(() => new Float32Array(DRAWS));
  const sums = new Float64Array(columns);
  for (let draw = 0; draw < DRAWS; draw++) {
    sums.fill(0);
    for (let k = 0; k < pictures.length; k++) {
      const at = random.below(pictures.length) * columns;
      for (let column = 0; column < columns; column++) sums[column] += changes[at + column];
    }
    for (let column = 0; column < columns; column++) draws[column][draw] = sums[column] / pictures.length;
  }
  const mean = (read: (picture: number) => number): number =>
    pictures.reduce((sum, i) => sum + read(i), 0) / pictures.length;
  return figures.map(({ a, b }, column) => {
    if (!made[column]) return null;
    const changed = pictures.filter((i) => a(i) !== b(i)).length;
    return { a: mean(a), b: mean(b), images: pictures.length, changed, draws: draws[column] };
  });
}

/** Mean over classes, each counting alike. */
function meanOfParts(parts: readonly Part[]): RelianceDifference {
  const mean = (read: (part: Part) => number): number =>
    parts.reduce((sum, part) => sum + read(part), 0) / parts.length;
  const sum = (read: (part: Part) => number): number => parts.reduce((total, part) => total + read(part), 0);
  const draws = Float64Array.from({ length: DRAWS }, (_, draw) => mean((part) => part.draws[draw])).toSorted();
  const [a, b] = [mean((part) => part.a), mean((part) => part.b)];
  const interval = { low: quantile(draws, 0.025), high: quantile(draws, 0.975) };
  const changed = sum((part) => part.changed);
  return {
    a,
    b,
    value: b - a,
    ...interval,
    images: sum(({ images }) => images),
    direction: direction(interval, changed),
  };
}

/** Figures of one run on its own, as its report has them. */
export interface RelianceOfRun {
  bgGap: ByClassIntervals;
  confidence: Record<Composition, ByClassIntervals>;
}

type Figure = Interval & { value: number; images: number };

interface ByClassIntervals {
  macro: Figure | null;
  groups: Record<Group, Figure | null>;
  classes: readonly (Figure | null)[];
}

/**
 * Compare two runs that answered different pictures, from the interval of each, recovering the variances from them (MOVER:
 * Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in Medicine 27,
 * 2008): low = d - sqrt((b - lowB)² + (highA - a)²), high = d + sqrt((highB - b)² + (a - lowA)²). Wider than a paired one
 * where the pictures are mostly the same.
 */
export function compareUnpairedReliance(first: RelianceOfRun, second: RelianceOfRun): RelianceComparisonFigures {
  const names = ['bgGap', ...COMPOSITIONS] as const;
  return arrange((figure) => {
    const name = names[figure];
    return name === 'bgGap'
      ? between(first.bgGap, second.bgGap)
      : between(first.confidence[name], second.confidence[name]);
  });
}

function between(a: ByClassIntervals, b: ByClassIntervals): DifferencesByClass {
  const [many, medium, few] = GROUPS.map((group) => unpaired(a.groups[group], b.groups[group]));
  return {
    macro: unpaired(a.macro, b.macro),
    groups: { many, medium, few },
    classes: a.classes.map((figure, label) => unpaired(figure, b.classes[label])),
  };
}

function unpaired(a: Figure | null, b: Figure | null): RelianceDifference | null {
  if (a === null || b === null) return null;
  const value = b.value - a.value;
  const interval = {
    low: value - Math.hypot(b.value - b.low, a.high - a.value),
    high: value + Math.hypot(b.high - b.value, a.value - a.low),
  };
  const images = Math.min(a.images, b.images);
  return { a: a.value, b: b.value, value, ...interval, images, direction: direction(interval, images) };
}

/** @param changed pictures that it can rest on at most; of too few nothing is clear */
function direction(interval: Interval, changed: number): Direction {
  const clear = verdict({ ...interval, gained: changed, lost: 0 });
  return clear === 'better' ? 'higher' : clear === 'worse' ? 'lower' : clear;
}

/** A figure of all classes, of each group and of each class. @param of gives it for some labels */
function byClass(
  { trainCounts, thresholds }: ComparedClasses,
  of: (labels: readonly number[]) => RelianceDifference | null,
): DifferencesByClass {
  const all = [...trainCounts.keys()];
  const groupOf = groupsByCount(trainCounts, thresholds);
  const [many, medium, few] = GROUPS.map((group) => of(all.filter((label) => groupOf[label] === group)));
  return { macro: of(all), groups: { many, medium, few }, classes: all.map((label) => of([label])) };
}

/** @param of gives the figures in the order BG-Gap, then `COMPOSITIONS` */
function arrange(of: (figure: number) => DifferencesByClass): RelianceComparisonFigures {
  const [bgGap, original, noFg, onlyFg, same, rand] = Array.from({ length: 1 + COMPOSITIONS.length }, (_, k) => of(k));
  return {
    bgGap,
    confidence: { original, 'no-fg': noFg, 'only-fg': onlyFg, 'mixed-same': same, 'mixed-rand': rand },
  };
}
