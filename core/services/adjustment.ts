/** Between head and tail of a finished run, over its stored logits: nothing is trained, no engine is started. */
import { LRUCache } from 'lru-cache';
import type { AdjustmentCurve, AdjustmentPoint } from '../api/variants.ts';
import { UserError } from '../base/errors.ts';
import { ThreadPool } from '../base/thread-pool.ts';
import { TAU_RANGES, type AdjustmentKind } from '../evaluation/adjustment.ts';
import type { Head } from '../evaluation/figures.ts';
import type { VariantCard } from '../models/model-card.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import type { AdjustedRun, AdjustmentOrder, CurveReply, PointReply } from './adjustment-thread.ts';
import { requireModel } from './explain.ts';
import { datasetOf, findRun, headOf } from './run-data.ts';

/** Curves and points kept: a curve of every head and kind of some runs, and where a slider stood. */
const KEPT = 64;

type Reply = CurveReply | PointReply | BlobId;

/** One: what is asked while a slider moves should come one after the other, and a file's logits take much memory. */
const threads = new ThreadPool<AdjustmentOrder, Reply>(new URL('adjustment-thread.ts', import.meta.url), {
  threads: 1,
  data: null,
});
const kept = new LRUCache<string, Promise<unknown>>({ max: KEPT });

/** Which adjustment of a run is looked at. */
export interface AdjustmentQuery {
  kind: AdjustmentKind;
  /** The one that the run is judged by when absent. */
  head?: Head | undefined;
}

/**
 * Figures over tau, and the tau that is suggested: on the val split, where the run has answers on it beside those it is
 * judged on. Else these are halved by class: one half suggests, the other reports.
 * @throws UserError 'not-found'; 'empty' when the run has not finished; 'damaged'
 */
export async function adjustmentCurve(project: Project, id: number, query: AdjustmentQuery): Promise<AdjustmentCurve> {
  const { run, split } = await openRun(project, id, query);
  const curve = await once<CurveReply>({ type: 'curve', run });
  return { head: run.head, kind: run.kind, split, ...curve };
}

/**
 * Everything about one tau: figures and differences on the images that report, calibration fitted on those that choose.
 * @throws UserError as `adjustmentCurve`; 'usage' for a tau out of range
 */
export async function adjustmentPoint(
  project: Project,
  id: number,
  query: AdjustmentQuery & { tau: number },
): Promise<AdjustmentPoint> {
  const { kind, tau } = query;
  const { min, max } = TAU_RANGES[kind];
  if (!(tau >= min && tau <= max)) {
    throw new UserError('usage', `"tau" of ${kind} must lie between ${min} and ${max}, not at ${tau}.`);
  }
  const { run, split } = await openRun(project, id, query);
  const point = await once<PointReply>({ type: 'point', run, tau });
  return { head: run.head, kind, tau, split, ...point };
}

/**
 * Write the model file of a variant.
 * @throws UserError 'empty' when the run has no model; 'damaged', 'no-space', …
 */
export async function writeVariantModel({ blobs }: Project, run: Run, variant: VariantCard): Promise<BlobId> {
  const order: AdjustmentOrder = { type: 'variant', folder: blobs.folder, modelBlob: requireModel(run), variant };
  // The thread's answer to an order of that type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const write = async (): Promise<BlobId> => (await threads.run(order)) as BlobId;
  let blob = await write();
  // A clean-up may take what no record names yet. The caller makes the record before anything else can happen.
  while (!blobs.has(blob)) blob = await write();
  return blob;
}

async function openRun(
  project: Project,
  id: number,
  { kind, head }: AdjustmentQuery,
): Promise<{ run: AdjustedRun; split: string }> {
  const run = findRun(project, id);
  const { predictionsBlob } = run;
  if (predictionsBlob === null) {
    throw new UserError(
      'empty',
      `Run ${id} (${run.name}) has not finished, so it has no answers yet. Let it go on first.`,
    );
  }
  const { trainCounts, split } = await datasetOf(project, run);
  return {
    run: {
      folder: project.blobs.folder,
      predictionsBlob,
      modelBlob: requireModel(run),
      trainCounts,
      thresholds: TrainConfig.parse(run.config).groups,
      head: headOf(run, head),
      kind,
    },
    split: split ?? 'test',
  };
}

/** Have an order done, or take what it gave before: what is kept never changes, since blobs are named by their content. */
function once<Result extends Reply>(order: AdjustmentOrder): Promise<Result> {
  const key = JSON.stringify(order);
  let result = kept.get(key);
  if (!result) {
    result = threads.run(order);
    kept.set(key, result);
    result.catch(() => kept.delete(key));
  }
  // The thread's answer to an order of that type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return result as Promise<Result>;
}
