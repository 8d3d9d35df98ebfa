/** What a run is judged by: accuracy overall, a class, a group, each with its 95 % interval. */
import { GROUPS, groupsByCount, groupsByRank, type Group, type GroupThresholds } from '../data/groups.ts';
import { weightedMean, wilson, type Estimate } from './intervals.ts';
import { confusionMatrix, meanLogits, predict } from './predictions.ts';

/** "uniform": the head trained on the plain stream · "balanced": on the re-sampled one · "mean": mean of their logits. */
export type Head = 'uniform' | 'balanced' | 'mean';

export interface ClassFigures {
  /** Training and test images. */
  trained: number;
  tested: number;
  /** Right among the class's test images; null without any. */
  recall: Estimate | null;
  /** Right among those named as the class; null when none is. */
  precision: Estimate | null;
  /** Harmonic mean of both; null when the class neither occurs nor is named. */
  f1: Estimate | null;
}

/** Figures over all classes. */
export interface OverallFigures {
  /** Share of right answers over all test images. */
  top1: Estimate | null;
  /** Mean of the classes' recalls (balanced accuracy), over classes with test images. */
  macroRecall: Estimate | null;
  /** Mean recall of each group's classes by thresholds; null for a group without test images. */
  groups: Record<Group, Estimate | null>;
  /** The same by the paper's ranges of rank. */
  ranges: Record<Group, Estimate | null>;
}

export interface HeadFigures extends OverallFigures {
  /** In label order. */
  classes: ClassFigures[];
  /** The class named most often, and how often: near 1 means that the model knows one answer. Null without images. */
  mostNamed: { label: number; share: number } | null;
}

/** Survives JSON; holds no NaN. */
export interface Figures {
  images: number;
  thresholds: GroupThresholds;
  heads: { uniform: HeadFigures; balanced: HeadFigures | null; mean: HeadFigures | null };
}

export interface FiguresInput {
  /** images x classes, row-major. */
  logitsUniform: Float32Array;
  /** The same of the second head; null where a method trains one head only. */
  logitsBalanced: Float32Array | null;
  /** True class of each image. */
  labels: Int32Array;
  classes: number;
  /** Training images of each class, in label order. */
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
}

/**
 * All figures of all heads.
 *
 * Recall and precision carry Wilson's interval. F1 = 2 J / (1 + J) with J = TP / (TP + FP + FN), so it takes the limits of
 * Wilson's interval of J. Means over classes combine the classes' intervals (see `weightedMean`); so does top-1, whose
 * test set has a fixed number of images a class.
 * @throws UserError 'diverged' when a logit is not a number; RangeError when sizes do not fit
 */
export function computeFigures(input: FiguresInput): Figures {
  const { logitsUniform, logitsBalanced, labels, classes, thresholds } = input;
  if (logitsUniform.length !== labels.length * classes) {
    throw new RangeError(`${logitsUniform.length} logits for ${labels.length} images and ${classes} classes`);
  }
  const figures = (logits: Float32Array): HeadFigures =>
    figuresOfMatrix(confusionMatrix(predict(logits, classes), labels, classes), input.trainCounts, thresholds);
  return {
    images: labels.length,
    thresholds,
    heads: {
      uniform: figures(logitsUniform),
      balanced: logitsBalanced && figures(logitsBalanced),
      mean: logitsBalanced && figures(meanLogits(logitsUniform, logitsBalanced)),
    },
  };
}

/** The head a run is judged by: the balanced one where there is one (method.md, 1.5). */
export function primaryHead(figures: Figures): HeadFigures {
  return figures.heads.balanced ?? figures.heads.uniform;
}

/**
 * Figures of one head.
 * @param matrix classes x classes, see `confusionMatrix`
 */
export function figuresOfMatrix(
  matrix: Int32Array,
  trainCounts: readonly number[],
  thresholds: GroupThresholds,
): HeadFigures {
  const count = trainCounts.length;
  if (matrix.length !== count * count) throw new RangeError(`a matrix of ${matrix.length} for ${count} classes`);
  const tested = trainCounts.map((_, truth) => matrix.subarray(truth * count, (truth + 1) * count).reduce(add, 0));
  const named = trainCounts.map((_, label) =>
    tested.reduce((sum, _n, truth) => sum + matrix[truth * count + label], 0),
  );
  const classes = trainCounts.map((trained, k): ClassFigures => {
    const right = matrix[k * count + k];
    return {
      trained,
      tested: tested[k],
      recall: wilson(right, tested[k]),
      precision: wilson(right, named[k]),
      f1: f1(right, tested[k] + named[k] - right),
    };
  });
  const recalls = classes.map(({ recall }) => recall);
  const images = tested.reduce(add, 0);
  const most = named.indexOf(Math.max(...named));
  return {
    ...overallFigures(recalls, trainCounts, thresholds),
    classes,
    mostNamed: images > 0 ? { label: most, share: named[most] / images } : null,
  };
}

/**
 * Figures over all classes from their recalls.
 * @param recalls in label order; null for a class without test images
 */
export function overallFigures(
  recalls: readonly (Estimate | null)[],
  trainCounts: readonly number[],
  thresholds: GroupThresholds,
): OverallFigures {
  return {
    top1: weightedMean(
      recalls,
      recalls.map((recall) => recall?.images ?? 0),
    ),
    macroRecall: weightedMean(recalls),
    groups: byGroup(recalls, groupsByCount(trainCounts, thresholds)),
    ranges: byGroup(recalls, groupsByRank(trainCounts)),
  };
}

const add = (a: number, b: number): number => a + b;

/** F1 from the Jaccard index. */
const f1OfJaccard = (jaccard: number): number => (2 * jaccard) / (1 + jaccard);

/** @param union images that are of the class or named as it */
function f1(right: number, union: number): Estimate | null {
  const jaccard = wilson(right, union);
  return (
    jaccard && {
      value: f1OfJaccard(jaccard.value),
      low: f1OfJaccard(jaccard.low),
      high: f1OfJaccard(jaccard.high),
      images: union,
    }
  );
}

function byGroup(recalls: readonly (Estimate | null)[], groups: readonly Group[]): Record<Group, Estimate | null> {
  const [many, medium, few] = GROUPS.map((group) =>
    weightedMean(recalls.filter((_, label) => groups[label] === group)),
  );
  return { many, medium, few };
}
