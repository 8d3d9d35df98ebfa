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
import { decodePredictions } from '../training/predictions-file.ts';

/** Of the halves: one for all runs, so that runs and variants are reported on the same images. */
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

/** Figures over tau, and how many images chose and report. */
export interface CurveReply extends TauCurve {
  choosing: number;
  reporting: number;
}

/** Everything about one tau; all but the temperatures on the reporting half. */
export interface PointReply {
  choosing: number;
  reporting: number;
  before: OverallFigures;
  after: OverallFigures;
  /** After less before, paired image by image. */
  differences: Pick<Comparison, 'overall' | 'macroRecall' | 'groups'>;
  /** Fitted on the choosing half. */
  temperatures: Temperatures;
  /** Of the adjusted answers under each calibration. */
  reliability: Record<Calibration, ReliabilityByGroup>;
}

serveThread(async (order: AdjustmentOrder): Promise<CurveReply | PointReply | BlobId> => {
  switch (order.type) {
    case 'curve': {
      const { judged, lever } = openRun(order.run);
      return { ...tauCurve(judged, order.run.head, lever), ...sizes(judged) };
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

function openRun(run: AdjustedRun): { judged: JudgedRun; lever: Lever; groups: Group[] } {
  const { trainCounts, thresholds, modelBlob } = run;
  const blobs = new BlobStore(run.folder);
  const { uniform, balanced, labels, imageIds } = decodePredictions(
    blobs.get(run.predictionsBlob),
    blobs.path(run.predictionsBlob),
  );
  const halves = halve(imageIds, labels, trainCounts.length, SEED);
  return {
    judged: { logits: { uniform, balanced }, labels, trainCounts, thresholds, halves },
    lever: leverOf(run.kind, trainCounts, () => blobs.get(modelBlob), blobs.path(modelBlob)),
    groups: groupsByCount(trainCounts, thresholds),
  };
}

function sizes({ halves: { choosing, reporting } }: JudgedRun): { choosing: number; reporting: number } {
  return { choosing: choosing.length, reporting: reporting.length };
}

function pointAt(run: AdjustedRun, tau: number): PointReply {
  const { judged, lever, groups } = openRun(run);
  const { labels, trainCounts, thresholds, halves } = judged;
  const { choosing, reporting } = halves;
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
    ...sizes(judged),
    before: figuresOn(judged, unchanged, reporting),
    after: figuresOn(judged, predicted, reporting),
    differences: { overall, macroRecall, groups: byGroup },
    temperatures,
    reliability: { none: reliability('none'), overall: reliability('overall'), group: reliability('group') },
  };
}
