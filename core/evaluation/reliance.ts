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
 * What is made of a picture, by the names of Xiao et al. (section 2). "original": the picture · "no-fg": its background
 * alone · "only-fg": its foreground alone · "mixed-same", "mixed-rand": its foreground in front of the background of
 * another picture of its class, and of another class. (Theirs may draw the class of the picture for Mixed-Rand, too.)
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
   * BG-Gap (Xiao et al., section 3): accuracy on Mixed-Same (`b`) less accuracy on Mixed-Rand (`a`), over pictures that
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

/** Whose background each picture is put in front of: positions in the list of pictures, -1 for none. */
export interface Partners {
  same: Int32Array;
  rand: Int32Array;
}

/**
 * Draw partners. Each picture's background serves exactly one other picture of its class; for Mixed-Rand a class other
 * than the picture's is drawn, then one of its pictures. The same pictures and seed give the same partners, so that runs
 * can be compared picture by picture.
 * @param labels true class of each picture
 */
export function drawPartners(labels: Int32Array, seed: number): Partners {
  const random = Random.stream(seed, 'reliance/partners');
  const members = [...Map.groupBy(labels.keys(), (i) => labels[i])].toSorted(([a], [b]) => a - b);
  const same = new Int32Array(labels.length).fill(-1);
  const rand = new Int32Array(labels.length).fill(-1);
  for (const [, pictures] of members) {
    if (pictures.length < 2) continue;
    const circle = random.shuffle([...pictures]);
    for (const [i, picture] of circle.entries()) same[picture] = circle[(i + 1) % circle.length];
  }
  for (const [own, [, pictures]] of members.entries()) {
    if (members.length < 2) break;
    for (const picture of pictures) {
      const drawn = random.below(members.length - 1);
      const [, others] = members[drawn < own ? drawn : drawn + 1];
      rand[picture] = others[random.below(others.length)];
    }
  }
  return { same, rand };
}
