/** A thread for what is computed from a run's stored logits between head and tail, and for the model files of variants. */
import { serveThread } from '../base/thread-pool.ts';
import { groupsByCount, type Group, type GroupThresholds } from '../data/groups.ts';
import { adjustLogits, type AdjustmentKind, type Lever } from '../evaluation/adjustment.ts';
import {
  fitTemperatures,
  reliabilityByGroup,
  temperaturesByClass,
  type Answered,
  type Calibration,
  type ReliabilityByGroup,
  type Temperatures,
} from '../evaluation/calibration.ts';
import { compareRuns, type Comparison } from '../evaluation/compare.ts';
import type { Head, OverallFigures } from '../evaluation/figures.ts';
import { halve } from '../evaluation/halves.ts';
import { correctFlags, predict } from '../evaluation/predictions.ts';
import { figuresOn, tauCurve, type JudgedRun, type TauCurve } from '../evaluation/tau-curve.ts';
import type { VariantCard } from '../models/model-card.ts';
import { leverOf, variantFile } from '../models/variant-file.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { decodePredictions, type Predictions } from '../training/predictions-file.ts';

/** Of halving: one for all runs, so that runs and variants are reported on the same images. */
const SEED = 1;

/** A finished run as the thread reads it. */
export interface AdjustedRun {
  folder: string;
  predictionsBlob: BlobId;
  modelBlob: BlobId;
  /** In label order. */
  trainCounts: number[];
  thresholds: GroupThresholds;
  head: Head;
  kind: AdjustmentKind;
}

export type AdjustmentOrder =
  | { type: 'curve'; run: AdjustedRun }
  | { type: 'point'; run: AdjustedRun; tau: number }
  | { type: 'variant'; folder: string; modelBlob: BlobId; variant: VariantCard };

/** Which images chose, and how many chose and report. */
export interface Judging {
  /** "val": those of the val split, and all that the run is judged on report · "half": half of these, and the rest report. */
  chosenOn: 'val' | 'half';
  choosing: number;
  reporting: number;
}

/** Figures over tau. */
export type CurveReply = TauCurve & Judging;

/** Everything about one tau; all but the temperatures on the images that report. */
export interface PointReply extends Judging {
  before: OverallFigures;
  after: OverallFigures;
  /** After less before, paired image by image. */
  differences: Pick<Comparison, 'overall' | 'macroRecall' | 'groups'>;
  /** Fitted on the images that choose. */
  temperatures: Temperatures;
  /** Of the adjusted answers under each calibration. */
  reliability: Record<Calibration, ReliabilityByGroup>;
}

serveThread(async (order: AdjustmentOrder): Promise<CurveReply | PointReply | BlobId> => {
  switch (order.type) {
    case 'curve': {
      const { judged, judging, lever } = openRun(order.run);
      return { ...tauCurve(judged, order.run.head, lever), ...judging };
    }
    case 'point':
      return pointAt(order.run, order.tau);
    case 'variant': {
      const blobs = new BlobStore(order.folder);
      const { modelBlob, variant } = order;
      return blobs.put(Buffer.concat(variantFile(blobs.get(modelBlob), blobs.path(modelBlob), variant)));
    }
  }
});

function openRun(run: AdjustedRun): { judged: JudgedRun; judging: Judging; lever: Lever; groups: Group[] } {
  const { trainCounts, thresholds, modelBlob } = run;
  const blobs = new BlobStore(run.folder);
  const predictions = decodePredictions(blobs.get(run.predictionsBlob), blobs.path(run.predictionsBlob));
  const { logits, labels, parts } = answersOf(predictions, trainCounts.length);
  const chosenOn = predictions.val ? 'val' : 'half';
  return {
    judged: { logits, labels, trainCounts, thresholds, parts },
    judging: { chosenOn, choosing: parts.choosing.length, reporting: parts.reporting.length },
    lever: leverOf(run.kind, trainCounts, () => blobs.get(modelBlob), blobs.path(modelBlob)),
    groups: groupsByCount(trainCounts, thresholds),
  };
}

/** Answers of the images that report and of those that choose, one after the other where these are of another split. */
function answersOf(predictions: Predictions, classes: number): Pick<JudgedRun, 'logits' | 'labels' | 'parts'> {
  const { uniform, balanced, labels, imageIds, val } = predictions;
  if (!val) return { logits: { uniform, balanced }, labels, parts: halve(imageIds, labels, classes, SEED) };
  const joined = Int32Array.from([...labels, ...val.labels]);
  const positions = Int32Array.from(joined.keys());
  return {
    logits: {
      uniform: join(uniform, val.uniform),
      balanced: balanced && val.balanced ? join(balanced, val.balanced) : null,
    },
    labels: joined,
    parts: { reporting: positions.slice(0, labels.length), choosing: positions.slice(labels.length) },
  };
}

function join(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function pointAt(run: AdjustedRun, tau: number): PointReply {
  const { judged, judging, lever, groups } = openRun(run);
  const { labels, trainCounts, thresholds, parts } = judged;
  const { choosing, reporting } = parts;
  const classes = trainCounts.length;
  const unchanged = predict(adjustLogits(judged.logits, run.head, lever, 0), classes);
  const logits = adjustLogits(judged.logits, run.head, lever, tau);
  const predicted = predict(logits, classes);
  const answered: Answered = { logits, labels, predicted, positions: choosing, classes };
  const temperatures = fitTemperatures(answered, groups);
  const flags = (answers: Int32Array): Uint8Array => {
    const all = correctFlags(answers, labels);
    return Uint8Array.from(reporting, (position) => all[position]);
  };
  const {
    overall,
    macroRecall,
    groups: byGroup,
  } = compareRuns({
    a: flags(unchanged),
    b: flags(predicted),
    labels: Int32Array.from(reporting, (position) => labels[position]),
    classes,
    trainCounts,
    thresholds,
    seed: SEED,
  });
  const reliability = (calibration: Calibration): ReliabilityByGroup =>
    reliabilityByGroup(
      { ...answered, positions: reporting },
      temperaturesByClass(temperatures, calibration, groups),
      groups,
    );
  return {
    ...judging,
    before: figuresOn(judged, unchanged, reporting),
    after: figuresOn(judged, predicted, reporting),
    differences: { overall, macroRecall, groups: byGroup },
    temperatures,
    reliability: { none: reliability('none'), overall: reliability('overall'), group: reliability('group') },
  };
}
