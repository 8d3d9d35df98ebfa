/** Figures over tau: chosen on one half of the images that a run was judged on, reported on the other. */
import type { GroupThresholds } from '../data/groups.ts';
import { predictAdjusted, scannedTaus, type Lever, type TrainedLogits } from './adjustment.ts';
import { overallFigures, type Head, type OverallFigures } from './figures.ts';
import type { Halves } from './halves.ts';
import { wilson, type Estimate } from './intervals.ts';

/** What a run answered, and what its figures are made with. */
export interface JudgedRun {
  logits: TrainedLogits;
  labels: Int32Array;
  /** Training images of each class, in label order. */
  trainCounts: readonly number[];
  thresholds: GroupThresholds;
  halves: Halves;
}

export interface TauPoint {
  tau: number;
  /** Macro recall on the choosing half; null where it has no image. */
  chosenBy: number | null;
  /** On the reporting half. */
  figures: OverallFigures;
}

export interface TauCurve {
  /** Ascending. */
  points: TauPoint[];
  /** The tau of the largest macro recall on the choosing half, of equals the nearest to 0; 0 where that half is empty. */
  suggested: number;
}

/** Scan tau. */
export function tauCurve(run: JudgedRun, head: Head, lever: Lever): TauCurve {
  const { labels, trainCounts, thresholds, halves } = run;
  const points = scannedTaus(lever.kind).map((tau): TauPoint => {
    const predicted = predictAdjusted(run.logits, head, lever, tau);
    const figuresOn = (half: Int32Array): OverallFigures =>
      overallFigures(recalls(predicted, labels, half, trainCounts.length), trainCounts, thresholds);
    return {
      tau,
      chosenBy: figuresOn(halves.choosing).macroRecall?.value ?? null,
      figures: figuresOn(halves.reporting),
    };
  });
  return { points, suggested: suggestedTau(points) };
}

/** Recall of each class over some images, in label order. */
function recalls(
  predicted: Int32Array,
  labels: Int32Array,
  positions: Int32Array,
  classes: number,
): (Estimate | null)[] {
  const tested = new Int32Array(classes);
  const right = new Int32Array(classes);
  for (const at of positions) {
    tested[labels[at]]++;
    if (predicted[at] === labels[at]) right[labels[at]]++;
  }
  return Array.from(tested, (images, label) => wilson(right[label], images));
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
