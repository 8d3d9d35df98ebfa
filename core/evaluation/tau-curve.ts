/** Figures over tau: chosen on some images that a run has answered, reported on others. */
import type { GroupThresholds } from '../data/groups.ts';
import { predictAdjusted, scannedTaus, type Lever, type TrainedLogits } from './adjustment.ts';
import { overallFigures, type Head, type OverallFigures } from './figures.ts';
import type { Parts } from './halves.ts';
import { wilson } from './intervals.ts';

/** What a run answered, and what its figures are made with. */
export interface JudgedRun {
  logits: TrainedLogits;
  labels: Int32Array;
  /** Training images of each class, in label order. */
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
  parts: Parts;
}

export interface TauPoint {
  tau: number;
  /** Macro recall on the images that choose; null where there are none. */
  chosenBy: number | null;
  /** On the images that report. */
  figures: OverallFigures;
}

export interface TauCurve {
  /** Ascending. */
  points: TauPoint[];
  /** The tau of the largest macro recall on the images that choose, of equals the nearest to 0; 0 where there are none. */
  suggested: number;
}

/** Scan tau. */
export function tauCurve(run: JudgedRun, head: Head, lever: Lever): TauCurve {
  const { choosing, reporting } = run.parts;
  const points = scannedTaus(lever.kind).map((tau): TauPoint => {
    const predicted = predictAdjusted(run.logits, head, lever, tau);
    return {
      tau,
      chosenBy: figuresOn(run, predicted, choosing).macroRecall?.value ?? null,
      figures: figuresOn(run, predicted, reporting),
    };
  });
  return { points, suggested: suggestedTau(points) };
}

/**
 * Figures over some of the images.
 * @param predicted answered class of every image
 */
export function figuresOn(
  { labels, trainCounts, thresholds }: JudgedRun,
  predicted: Int32Array,
  positions: Int32Array,
): OverallFigures {
  const tested = new Int32Array(trainCounts.length);
  const right = new Int32Array(trainCounts.length);
  for (const at of positions) {
    tested[labels[at]]++;
    if (predicted[at] === labels[at]) right[labels[at]]++;
  }
  const recalls = trainCounts.map((_, label) => wilson(right[label], tested[label]));
  return overallFigures(recalls, trainCounts, thresholds);
}

function suggestedTau(points: readonly TauPoint[]): number {
  let best: { tau: number; value: number } = { tau: 0, value: -Infinity };
  for (const { tau, chosenBy } of points) {
    if (chosenBy === null) continue;
    const nearer = chosenBy === best.value && Math.abs(tau) < Math.abs(best.tau);
    if (chosenBy > best.value || nearer) best = { tau, value: chosenBy };
  }
  return best.tau;
}
