/**
 * How far a model goes by what surrounds the object: its answers to pictures as they are, to their parts, and to their
 * objects in front of other backgrounds (Xiao, Engstrom, Ilyas and Madry, "Noise or Signal: The Role of Image Backgrounds
 * in Object Recognition", ICLR 2021, arXiv 2006.09994).
 */
import type { Group, GroupThresholds } from '../data/groups.ts';
import { Random } from '../base/random.ts';
import { compareRuns, type Comparison } from './compare.ts';
import { overallFigures } from './figures.ts';
import { wilson, type Estimate } from './intervals.ts';

/**
 * What is made of a picture, by the names of Xiao et al. "original": the picture · "no-fg": its background
 * alone · "only-fg": its foreground alone · "mixed-same", "mixed-rand": its foreground in front of the background of a
 * training picture of its class, and of another class. Theirs are of test pictures, and may be of the picture's class for
 * Mixed-Rand, too; ours are what the model learned from, since a test split often has every class in front of everything.
 */
export const COMPOSITIONS = ['original', 'no-fg', 'only-fg', 'mixed-same', 'mixed-rand'] as const;
export type Composition = (typeof COMPOSITIONS)[number];

/** Answers of one head to all compositions of some pictures; column by column as `COMPOSITIONS`, a row for each picture. */
export interface ComposedAnswers {
  /** p(true class) [n, 5]; NaN where the composition cannot be made. */
  probability: Float32Array;
  /** 1 where the true class is named, else 0 [n, 5]. */
  right: Uint8Array;
}

/** A figure of every class, and its means over classes. */
export interface ByClass {
  /** Mean over all pictures, and over classes. */
  all: Estimate | null;
  macro: Estimate | null;
  groups: Record<Group, Estimate | null>;
  /** In label order; null without pictures. */
  classes: (Estimate | null)[];
}

/** Survives JSON; holds no NaN. */
export interface RelianceFigures {
  compositions: Record<
    Composition,
    {
      /** Mean probability of the true class. */
      confidence: ByClass;
      /** Share of right answers. */
      accuracy: ByClass;
    }
  >;
  /**
   * BG-Gap (Xiao et al.): accuracy on Mixed-Same (`b`) less accuracy on Mixed-Rand (`a`), over pictures that
   * have both, with intervals by the paired bootstrap. 0 for a model that does not mind the background; a `verdict` of
   * "better" says that the gap is above 0.
   */
  bgGap: Comparison;
}

export interface RelianceInput extends ComposedAnswers {
  /** True class of each picture. */
  labels: Int32Array;
  /** Training images of each class, in label order. */
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
  /** Of the bootstrap. */
  seed: number;
}

/**
 * Figures of one head. A mean probability takes Wilson's interval as if it were a share of hits: a value between 0 and 1
 * with mean p varies by p (1 - p) at most, which is what a hit or miss does, so the interval is if anything too wide.
 * @throws RangeError when sizes do not fit
 */
export function relianceFigures(input: RelianceInput): RelianceFigures {
  const { probability, right, labels, trainCounts, thresholds, seed } = input;
  const columns = COMPOSITIONS.length;
  if (probability.length !== labels.length * columns || right.length !== probability.length) {
    throw new RangeError(`${probability.length} and ${right.length} answers to ${labels.length} pictures`);
  }
  const byClass = (column: number, values: Float32Array | Uint8Array): ByClass => {
    const sums = trainCounts.map(() => 0);
    const counts = trainCounts.map(() => 0);
    for (const [i, label] of labels.entries()) {
      const at = i * columns + column;
      if (Number.isNaN(probability[at])) continue;
      sums[label] += values[at];
      counts[label]++;
    }
    const classes = sums.map((sum, label) => wilson(Math.min(sum, counts[label]), counts[label]));
    const { top1: all, macroRecall: macro, groups } = overallFigures(classes, trainCounts, thresholds);
    return { all, macro, groups, classes };
  };
  const of = (composition: Composition) => {
    const column = COMPOSITIONS.indexOf(composition);
    return { confidence: byClass(column, probability), accuracy: byClass(column, right) };
  };
  const [same, rand] = [COMPOSITIONS.indexOf('mixed-same'), COMPOSITIONS.indexOf('mixed-rand')];
  const made = (i: number, column: number): boolean => !Number.isNaN(probability[i * columns + column]);
  const both = [...labels.keys()].filter((i) => made(i, same) && made(i, rand));
  return {
    compositions: {
      original: of('original'),
      'no-fg': of('no-fg'),
      'only-fg': of('only-fg'),
      'mixed-same': of('mixed-same'),
      'mixed-rand': of('mixed-rand'),
    },
    bgGap: compareRuns({
      a: Uint8Array.from(both, (i) => right[i * columns + rand]),
      b: Uint8Array.from(both, (i) => right[i * columns + same]),
      labels: Int32Array.from(both, (i) => labels[i]),
      classes: trainCounts.length,
      trainCounts,
      thresholds,
      seed,
    }),
  };
}

/** Whose background each picture is put in front of: positions in a list of pictures, -1 for none. */
export interface Partners {
  same: Int32Array;
  rand: Int32Array;
}

/**
 * Draw partners: a picture of the same class, and one of a class that is drawn from all others. The same pictures and seed
 * give the same partners, so that runs can be compared picture by picture.
 * @param labels true class of each picture
 * @param lenders class of each picture that may lend its background
 * @returns positions in `lenders`
 */
export function drawPartners(labels: Int32Array, lenders: Int32Array, seed: number): Partners {
  const random = Random.stream(seed, 'reliance/partners');
  const members = Map.groupBy(lenders.keys(), (i) => lenders[i]);
  const classes = [...members.keys()].toSorted((a, b) => a - b);
  const draw = (label: number): number => {
    const pictures = members.get(label);
    return pictures ? pictures[random.below(pictures.length)] : -1;
  };
  const same = labels.map((label) => draw(label));
  const rand = labels.map((label) => {
    const others = classes.filter((other) => other !== label);
    return others.length === 0 ? -1 : draw(others[random.below(others.length)]);
  });
  return { same, rand };
}
