/**
 * Between head and tail without training: what a trained classifier answers when the class prior, or the length of each
 * class's weights, is taken out of its logits. `tau` says how much of it; at 0 the answers are those of the run.
 */
import { meanLogits } from './predictions.ts';
import type { Head } from './figures.ts';

/**
 * "logit-adjustment": logit_k - tau * log(prior_k) (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021,
 * arXiv 2007.07314, equation 9). At 1 a model of the training data becomes one of equally frequent classes; below 0 it
 * leans to the head, which suits a balanced head whose pictures come as unevenly as in training.
 * "tau-norm": logit_k / ||w_k||^tau with w_k the class's weights (Kang et al., "Decoupling representation and classifier
 * for long-tailed recognition", ICLR 2020, arXiv 1910.09217, equation 4). The authors drop the bias; here it is divided
 * as the weights are, so that tau 0 is the run itself.
 */
export const ADJUSTMENTS = ['logit-adjustment', 'tau-norm'] as const;
export type AdjustmentKind = (typeof ADJUSTMENTS)[number];

/** Values of tau that make sense, and the step in which they are scanned. */
export const TAU_RANGES: Readonly<Record<AdjustmentKind, { min: number; max: number; step: number }>> = {
  'logit-adjustment': { min: -1, max: 3, step: 0.05 },
  'tau-norm': { min: 0, max: 2, step: 0.05 },
};

/** A head with weights of its own. */
export type TrainedHead = Exclude<Head, 'mean'>;

/** What tau acts on, by class. */
export type Lever =
  | { kind: 'logit-adjustment'; logPrior: Float64Array }
  /** Length of each class's weights in each trained head. */
  | { kind: 'tau-norm'; norms: Record<TrainedHead, Float64Array> };

/**
 * Logarithm of each class's share of the training images. A class without any counts as if it had one: else its logit
 * would be infinite.
 */
export function logPrior(trainCounts: readonly number[]): Float64Array {
  const counts = trainCounts.map((count) => Math.max(1, count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float64Array.from(counts, (count) => Math.log(count / total));
}

/**
 * Euclidean length of each class's weights.
 * @param weight [features, classes], row-major
 */
export function weightNorms(weight: Float32Array, classes: number): Float64Array {
  const squares = new Float64Array(classes);
  for (let at = 0; at < weight.length; at++) squares[at % classes] += weight[at] ** 2;
  return squares.map(Math.sqrt);
}

/** A change of each class's logit, and so of its weights and bias: times the factor, then plus the offset. */
export interface HeadChange {
  factors: Float64Array;
  offsets: Float64Array;
}

/** What an adjustment does to one of the trained heads; a class whose weights are all 0 keeps its logit. */
export function headChange(lever: Lever, head: TrainedHead, tau: number): HeadChange {
  if (lever.kind === 'logit-adjustment') {
    return { factors: lever.logPrior.map(() => 1), offsets: lever.logPrior.map((value) => -tau * value) };
  }
  const norms = lever.norms[head];
  return { factors: norms.map((norm) => (norm > 0 ? norm ** -tau : 1)), offsets: norms.map(() => 0) };
}

/** Logits [n, classes] after a change. */
export function changeLogits(logits: Float32Array, { factors, offsets }: HeadChange): Float32Array {
  const classes = factors.length;
  const changed = new Float32Array(logits.length);
  for (let at = 0; at < logits.length;) {
    for (let c = 0; c < classes; c++, at++) changed[at] = logits[at] * factors[c] + offsets[c];
  }
  return changed;
}

/** The heads whose numbers make up an answer. */
export function partsOf(head: Head): TrainedHead[] {
  return head === 'mean' ? ['uniform', 'balanced'] : [head];
}

/** Logits of the heads that a run trained, [images, classes] each; finite, as those of a finished run are. */
export type TrainedLogits = Readonly<Record<TrainedHead, Float32Array | null>>;

interface Part {
  logits: Float32Array;
  change: HeadChange;
}

function partsUnder(logits: TrainedLogits, head: Head, lever: Lever, tau: number): Part[] {
  return partsOf(head).map((part) => {
    const given = logits[part];
    if (given === null) throw new RangeError(`the head "${part}" was not trained`);
    return { logits: given, change: headChange(lever, part, tau) };
  });
}

/**
 * Logits of a head under an adjustment: up to rounding those of the model whose head is changed so (`variantFile`).
 * @throws RangeError for a head that was not trained
 */
export function adjustLogits(logits: TrainedLogits, head: Head, lever: Lever, tau: number): Float32Array {
  const [first, second] = partsUnder(logits, head, lever, tau).map((part) => changeLogits(part.logits, part.change));
  return second === undefined ? first : meanLogits(first, second);
}

/**
 * The class of the largest adjusted logit of each image, as `predict(adjustLogits(…))` but for rounding. Holds no changed
 * logits, so that a scan over tau costs one pass over the numbers for each.
 * @throws RangeError for a head that was not trained
 */
export function predictAdjusted(logits: TrainedLogits, head: Head, lever: Lever, tau: number): Int32Array {
  const [first, second] = partsUnder(logits, head, lever, tau);
  return second === undefined ? largest(first) : largestOfSum(first, second);
}

function largest({ logits, change: { factors, offsets } }: Part): Int32Array {
  const classes = factors.length;
  const answers = new Int32Array(logits.length / classes);
  for (let i = 0, at = 0; i < answers.length; i++) {
    let highest = -Infinity;
    for (let c = 0; c < classes; c++, at++) {
      const value = logits[at] * factors[c] + offsets[c];
      if (value > highest) {
        highest = value;
        answers[i] = c;
      }
    }
  }
  return answers;
}

function largestOfSum(
  { logits: a, change: { factors: aFactors, offsets: aOffsets } }: Part,
  { logits: b, change: { factors: bFactors, offsets: bOffsets } }: Part,
): Int32Array {
  const classes = aFactors.length;
  const answers = new Int32Array(a.length / classes);
  for (let i = 0, at = 0; i < answers.length; i++) {
    let highest = -Infinity;
    for (let c = 0; c < classes; c++, at++) {
      const value = a[at] * aFactors[c] + aOffsets[c] + (b[at] * bFactors[c] + bOffsets[c]);
      if (value > highest) {
        highest = value;
        answers[i] = c;
      }
    }
  }
  return answers;
}

/** The values of tau that are scanned, ascending; 0 is among them. */
export function scannedTaus(kind: AdjustmentKind): number[] {
  const { min, max, step } = TAU_RANGES[kind];
  const steps = Math.round((max - min) / step);
  return Array.from({ length: steps + 1 }, (_, i) => Number((min + i * step).toFixed(6)));
}
