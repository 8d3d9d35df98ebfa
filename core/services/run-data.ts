/** What runs tell beside their figures: data set, answers, paired comparisons. Read on threads and kept by content. */
import { LRUCache } from 'lru-cache';
import { UserError } from '../base/errors.ts';
import { ThreadPool } from '../base/thread-pool.ts';
import { pairImages, type Comparison, type ComparisonInput } from '../evaluation/compare.ts';
import type { Head } from '../evaluation/figures.ts';
import { correctFlags } from '../evaluation/predictions.ts';
import type { PairedRelianceInput, RelianceComparisonFigures } from '../evaluation/reliance-comparison.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import type { DatasetFacts, RunAnswers, RunOrder, RunReply } from './run-thread.ts';

/** Threads that read files of runs; each holds one file's logits at a time. */
const THREADS = 2;
/** Things kept of each kind. */
const KEPT = 64;

const threads = new ThreadPool<RunOrder, RunReply>(new URL('run-thread.ts', import.meta.url), {
  threads: THREADS,
  data: null,
});
const kept = {
  dataset: new LRUCache<string, Promise<unknown>>({ max: KEPT }),
  answers: new LRUCache<string, Promise<unknown>>({ max: KEPT }),
  compare: new LRUCache<string, Promise<unknown>>({ max: KEPT }),
  reliance: new LRUCache<string, Promise<unknown>>({ max: KEPT }),
};

/** @throws UserError 'not-found' */
export function findRun(project: Project, id: number): Run {
  const run = project.store.runs.get(id);
  if (run) return run;
  throw new UserError('not-found', `There is no run ${id} in this project. The list of runs shows those there are.`);
}

/** The method of a run. */
export function methodOf(run: Pick<Run, 'method'>) {
  return METHODS_BY_NAME[TrainConfig.shape.method.parse(run.method)];
}

/** The head that is asked for where the run's method trains two, else its only one. Without a wish: the one it is judged by. */
export function headOf(run: Pick<Run, 'method'>, wanted?: Head): Head {
  const { heads } = methodOf(run);
  return heads.length === 1 ? 'uniform' : (wanted ?? 'balanced');
}

/** The data set that a run was trained on. @throws UserError 'not-found' or 'damaged' */
export function datasetOf({ blobs }: Project, { datasetBlob: blob }: Run): Promise<DatasetFacts> {
  return once('dataset', blob, { type: 'dataset', folder: blobs.folder, blob });
}

/**
 * What a run answered for each image it was judged on.
 * @throws UserError 'empty' when it has not finished; 'not-found' or 'damaged'
 */
export function answersOfRun({ blobs }: Project, run: Run, wanted?: Head): Promise<RunAnswers> {
  const { predictionsBlob: blob, id, name } = run;
  if (blob === null) {
    throw new UserError('empty', `Run ${id} (${name}) has not finished, so it has no answers yet. Let it go on first.`);
  }
  const head = headOf(run, wanted);
  return once('answers', `${blob} ${head}`, { type: 'answers', folder: blobs.folder, blob, head });
}

/** The answers of two runs to the images that both were judged on. */
export interface PairedAnswers {
  baseline: RunAnswers;
  run: RunAnswers;
  dataset: DatasetFacts;
  /** Positions of the shared images in each. */
  inBaseline: number[];
  inRun: number[];
}

/**
 * Pair two runs image by image.
 * @throws UserError 'usage' when classes or images differ; else as `answersOfRun`
 */
export async function pairRuns(project: Project, first: Run, second: Run, head?: Head): Promise<PairedAnswers> {
  const [before, dataset] = await Promise.all([datasetOf(project, first), datasetOf(project, second)]);
  if (before.classes.join('\0') !== dataset.classes.join('\0')) {
    throw new UserError('usage', `Runs ${first.id} and ${second.id} were trained on different classes.`);
  }
  const [baseline, run] = await Promise.all([answersOfRun(project, first, head), answersOfRun(project, second, head)]);
  const { inA, inB } = pairImages([...baseline.imageIds], [...run.imageIds]);
  if (inA.length === 0) {
    throw new UserError('usage', `Runs ${first.id} and ${second.id} were judged on different images.`);
  }
  return { baseline, run, dataset, inBaseline: inA, inRun: inB };
}

/** Differences between two runs with intervals by the paired bootstrap. @throws UserError as `pairRuns` */
export async function comparePair(
  project: Project,
  first: Run,
  second: Run,
  head?: Head,
): Promise<{ pair: PairedAnswers; comparison: Comparison }> {
  const pair = await pairRuns(project, first, second, head);
  const { baseline, run, dataset, inBaseline, inRun } = pair;
  const { groups } = TrainConfig.parse(second.config);
  const input: ComparisonInput = {
    a: flags(baseline, inBaseline),
    b: flags(run, inRun),
    labels: Int32Array.from(inBaseline, (position) => baseline.labels[position]),
    classes: dataset.classes.length,
    trainCounts: dataset.trainCounts,
    thresholds: groups,
    seed: 1,
  };
  const key = [first.predictionsBlob, baseline.head, second.predictionsBlob, run.head, groups.many, groups.few].join(
    ' ',
  );
  return { pair, comparison: await once('compare', key, { type: 'compare', input }) };
}

/**
 * Compare the context reliance of two runs that were shown the same pictures.
 * @param key names the content of the input
 */
export function compareAnswersToParts(key: string, input: PairedRelianceInput): Promise<RelianceComparisonFigures> {
  return once('reliance', key, { type: 'compare-reliance', input });
}

/** 1 where a run is right, at the given positions. */
function flags({ predicted, labels }: RunAnswers, positions: readonly number[]): Uint8Array {
  const all = correctFlags(predicted, labels);
  return Uint8Array.from(positions, (position) => all[position]);
}

/** Have an order done, or take what it gave before. What is kept never changes: its key names content. */
function once<Result>(kind: keyof typeof kept, key: string, order: RunOrder): Promise<Result> {
  const cache = kept[kind];
  let result = cache.get(key);
  if (!result) {
    result = threads.run(order);
    cache.set(key, result);
    result.catch(() => cache.delete(key));
  }
  // The thread's answer to an order of that kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return result as Promise<Result>;
}
