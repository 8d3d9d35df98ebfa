/**
 * Do probabilities mean what they say? Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML
 * 2017, arXiv 1706.04599) divides logits by a number fitted on images that are not reported on; one number for all
 * answers, or one for each group of the class that is answered. Dividing a whole row keeps its order, so no answer changes.
 */
import { GROUPS, type Group } from '../data/groups.ts';
import { wilson, type Estimate } from './intervals.ts';

export const CALIBRATIONS = ['none', 'overall', 'group'] as const;
export type Calibration = (typeof CALIBRATIONS)[number];

/** Temperatures outside of this are no calibration: every answer would be certain, or a guess. */
const COLDEST = 0.05;
const HOTTEST = 20;
/** A group with fewer answers to fit on takes the temperature of all. */
const MIN_ANSWERS = 30;
/** Bins of confidence, equally wide (Guo et al. use 15). */
const BINS = 15;

/** Logits of some images, a row each, with what was answered. */
export interface Answered {
  /** [images, classes]; rows outside of `positions` are not looked at. */
  logits: Float32Array;
  labels: Int32Array;
  predicted: Int32Array;
  positions: Int32Array;
  classes: number;
}

/**
 * The temperature with the least cross entropy. In 1 / T the cross entropy is convex, so its slope is searched for its only
 * zero: by Newton's method, by halving the bracket where that would leave it.
 * @returns null where there is none between 0.05 and 20, as for no images or answers that are all right
 */
export function fitTemperature({ logits, labels, positions, classes }: Answered): number | null {
  if (positions.length === 0) return null;
  /** First and second derivative of the mean cross entropy by beta = 1 / T. */
  const derivatives = (beta: number): { slope: number; curvature: number } => {
    let slope = 0;
    let curvature = 0;
    for (const position of positions) {
      const start = position * classes;
      let highest = -Infinity;
      for (let c = 0; c < classes; c++) highest = Math.max(highest, logits[start + c]);
      let sum = 0;
      let first = 0;
      let second = 0;
      for (let c = 0; c < classes; c++) {
        const z = logits[start + c] - highest;
        const power = Math.exp(beta * z);
        sum += power;
        first += power * z;
        second += power * z * z;
      }
      const mean = first / sum;
      slope += mean - (logits[start + labels[position]] - highest);
      curvature += second / sum - mean * mean;
    }
    return { slope: slope / positions.length, curvature: curvature / positions.length };
  };
  let [low, high] = [1 / HOTTEST, 1 / COLDEST];
  if (derivatives(low).slope >= 0 || derivatives(high).slope <= 0) return null;
  let beta = 1;
  for (let round = 0; round < 60 && high - low > 1e-6 * high; round++) {
    const { slope, curvature } = derivatives(beta);
    if (slope > 0) high = beta;
    else low = beta;
    const next = beta - slope / curvature;
    const step = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(step - beta) < 1e-7 * beta) return 1 / step;
    beta = step;
  }
  return 1 / beta;
}

/** 1 leaves probabilities as they are. */
export interface Temperatures {
  overall: number;
  /** Of the group of the class that is answered. */
  groups: Record<Group, number>;
}

/**
 * Temperatures for all answers and for those of each group.
 * @param groups group of each class, in label order
 */
export function fitTemperatures(answered: Answered, groups: readonly Group[]): Temperatures {
  const overall = fitTemperature(answered) ?? 1;
  const ofGroup = (group: Group): number => {
    const positions = answeredAs(answered, groups, group);
    return (positions.length < MIN_ANSWERS ? null : fitTemperature({ ...answered, positions })) ?? overall;
  };
  return { overall, groups: { many: ofGroup('many'), medium: ofGroup('medium'), few: ofGroup('few') } };
}

/** The temperature of an answer by its class, in label order; null without calibration. */
export function temperaturesByClass(
  { overall, groups: byGroup }: Temperatures,
  calibration: Calibration,
  groups: readonly Group[],
): number[] | null {
  if (calibration === 'none') return null;
  return groups.map((group) => (calibration === 'group' ? byGroup[group] : overall));
}

/** How often answers of about one confidence are right. */
export interface ReliabilityBin {
  /** Mean confidence of the answers in it. */
  confidence: number;
  /** Share of right ones. */
  right: Estimate;
}

export interface Reliability {
  /**
   * Expected calibration error: mean distance between confidence and share of right answers over the bins, weighted by
   * their answers. Null without answers.
   */
  error: number | null;
  answers: number;
  /** Bins that hold answers, by rising confidence. */
  bins: ReliabilityBin[];
}

/** Reliability of all answers, and of those of each group. */
export type ReliabilityByGroup = Record<'all' | Group, Reliability>;

/**
 * @param temperatures by answered class; null for 1 throughout
 * @param groups group of each class, in label order
 */
export function reliabilityByGroup(
  answered: Answered,
  temperatures: readonly number[] | null,
  groups: readonly Group[],
): ReliabilityByGroup {
  const of = (positions: Int32Array): Reliability => reliability({ ...answered, positions }, temperatures);
  const [many, medium, few] = GROUPS.map((group) => of(answeredAs(answered, groups, group)));
  return { all: of(answered.positions), many, medium, few };
}

function reliability(answered: Answered, temperatures: readonly number[] | null): Reliability {
  const { logits, labels, predicted, positions, classes } = answered;
  const bins = Array.from({ length: BINS }, () => ({ answers: 0, right: 0, confidence: 0 }));
  for (const position of positions) {
    const answer = predicted[position];
    const beta = 1 / (temperatures?.[answer] ?? 1);
    const start = position * classes;
    const highest = logits[start + answer];
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(beta * (logits[start + c] - highest));
    // A confidence of 1 belongs to the last bin.
    const bin = bins[Math.min(BINS - 1, Math.floor(BINS / sum))];
    bin.answers++;
    bin.confidence += 1 / sum;
    if (answer === labels[position]) bin.right++;
  }
  const filled = bins.flatMap(({ answers, right, confidence }) => {
    const share = wilson(right, answers);
    return share === null ? [] : [{ confidence: confidence / answers, right: share }];
  });
  const distance = filled.reduce(
    (sum, { confidence, right }) => sum + right.images * Math.abs(right.value - confidence),
    0,
  );
  return {
    error: positions.length === 0 ? null : distance / positions.length,
    answers: positions.length,
    bins: filled,
  };
}

/** Positions of the answers that are of a group's classes. */
function answeredAs({ predicted, positions }: Answered, groups: readonly Group[], group: Group): Int32Array {
  return positions.filter((position) => groups[predicted[position]] === group);
}
