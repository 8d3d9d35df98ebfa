/** Runs: make one, go on with one, look at one, compare two. */
import { rmSync } from 'node:fs';
import { errorToData, UserError } from '../base/errors.ts';
import { asJson } from '../base/json.ts';
import { CODE_VERSION } from '../base/version.ts';
import { bankHash, putBank, takeBank, type BankEntry } from '../contexts/bank.ts';
import type { PackPort } from '../data/packed.ts';
import {
  datasetHash,
  indicesOfSplit,
  putSnapshot,
  readSnapshot,
  takeSnapshot,
  type DatasetSnapshot,
} from '../data/snapshot.ts';
import type { Comparison } from '../evaluation/compare.ts';
import { meanLogits, predict } from '../evaluation/predictions.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { settleDrafts } from './drafts.ts';
import { trainingJobEnvironment } from './job-environment.ts';
import { locatedBank, locatedSnapshot } from './located-files.ts';
import { comparePair, findRun } from './run-data.ts';
import { planRun, type RunRequest } from './training-plan.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, Run, RunEpoch, RunWarning, TaskState } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import { openPictures } from '../training/open-pictures.ts';
import { decodePredictions, type Predictions } from '../training/predictions-file.ts';
import type { TrainEvent, TrainResult, TrainSpec } from '../training/train-job.ts';
import type { WarningName } from '../training/warnings.ts';

type Running = Pick<RunJobOptions<TrainEvent>, 'onEvent' | 'signal'>;

/** Seconds between checkpoints unless asked otherwise. */
const CHECKPOINT_SECONDS = 60;

/**
 * Decode the pictures that runs on this data set keep, at the size that fits them. A run does so itself; before several
 * runs are started at the same time it is done once here.
 * @throws UserError as `openPacked`
 */
export async function preparePictures(project: Project, port: PackPort): Promise<void> {
  const snapshot = takeSnapshot(project.store);
  const { config } = planRun(snapshot, { method: 'ce', preset: 'small' });
  for (const use of ['train', 'evaluate'] as const) {
    const split = use === 'train' ? 'train' : snapshot.evaluation?.split;
    if (!split) continue;
    await using _ = await openPictures(
      snapshot,
      indicesOfSplit(snapshot, split),
      config,
      use,
      project.cacheFolder,
      port,
    );
  }
}

/** The data set as it is now, kept for runs. */
export interface FrozenData {
  snapshot: DatasetSnapshot;
  hash: string;
  blob: BlobId;
}

/** Data set and curated bank of a run, as they were when it was made. */
type Frozen = Pick<Run, 'datasetHash' | 'datasetBlob' | 'bankHash' | 'bankBlob'>;

/** Freeze the data set; once for several runs that are made together. */
export function freezeData({ store, blobs }: Project): FrozenData {
  const snapshot = takeSnapshot(store);
  return { snapshot, hash: datasetHash(snapshot), blob: putSnapshot(blobs, snapshot) };
}

/**
 * Make a run: its data set, bank and settings are frozen now; `performRun` trains it, now or later.
 * @param contexts the curated bank, where it is to be another than what is accepted now
 * @returns the run, "queued"
 * @throws UserError 'usage' for a setting out of range, 'empty' without training images, test images or, where it is to
 *   draw from the curated bank, accepted contexts
 */
export function queueRun(
  project: Project,
  request: RunRequest,
  data: FrozenData = freezeData(project),
  contexts?: readonly BankEntry[],
): Run {
  const { store, blobs } = project;
  const { snapshot } = data;
  if (!snapshot.evaluation) {
    throw new UserError(
      'empty',
      'The data set has no test images to judge a run by. Deal some out with `contexture edit split`.',
    );
  }
  const { config, rules } = planRun(snapshot, request);
  const bank = config.curatedShare > 0 ? (contexts ?? takeBank(store)) : null;
  if (bank?.length === 0) {
    throw new UserError(
      'empty',
      'The curated bank is empty: no context is accepted yet. Accept some with `contexture bank accept`, or leave curatedShare at 0.',
    );
  }
  const { title } = METHODS_BY_NAME[config.method];
  const run = addRun(project, request.name ?? `${title}, seed ${config.seed}`, config, {
    datasetHash: data.hash,
    datasetBlob: data.blob,
    bankHash: bank && bankHash(bank),
    bankBlob: bank && putBank(blobs, bank),
  });
  for (const { setting, message } of rules) {
    const name: WarningName = setting === 'tune.stages' ? 'frozen-backbone' : 'small-set';
    store.runs.addWarning({ runId: run.id, name, message, epoch: 0 });
  }
  return run;
}

/** What is said of a run before it begins. */
const BEFOREHAND: readonly string[] = ['frozen-backbone', 'small-set', 'unedited-bank'] satisfies WarningName[];

/** Make a run that differs from another by its seed alone: the same frozen data set, bank and settings. */
export function queueOtherSeed(project: Project, run: Run, seed: number, name: string): Run {
  const { runs } = project.store;
  const made = addRun(project, name, { ...TrainConfig.parse(run.config), seed }, run);
  for (const warning of runs.warnings(run.id)) {
    if (BEFOREHAND.includes(warning.name)) runs.addWarning({ ...warning, runId: made.id });
  }
  return made;
}

function addRun(project: Project, name: string, config: TrainConfig, frozen: Frozen): Run {
  const run = project.store.runs.add({
    name,
    method: config.method,
    config: asJson(config),
    seed: config.seed,
    state: 'queued',
    reason: null,
    createdAt: now(),
    startedAt: null,
    endedAt: null,
    seconds: 0,
    datasetHash: frozen.datasetHash,
    datasetBlob: frozen.datasetBlob,
    bankHash: frozen.bankHash,
    bankBlob: frozen.bankBlob,
    engine: null,
    codeVersion: CODE_VERSION,
    modelBlob: null,
    predictionsBlob: null,
    figures: null,
  });
  // Nobody's checkpoint: of a run of that number that was deleted.
  rmSync(project.runFolder(run.id), { recursive: true, force: true });
  return run;
}

/**
 * Train at once. Returns when the run has finished or was stopped through `signal`; a stopped run keeps its checkpoint and
 * goes on with `resumeRun`.
 * @throws UserError as `queueRun`, and as the job throws it; the run is then stored as failed with that reason
 */
export async function startRun(
  project: Project,
  request: RunRequest,
  runJob: RunJob,
  running: Running = {},
): Promise<Run> {
  settleInterrupted(project);
  await settleDrafts(project);
  const { id } = queueRun(project, request);
  return performRun(project, id, runJob, {
    ...running,
    ...(request.checkpointSeconds === undefined ? {} : { checkpointSeconds: request.checkpointSeconds }),
  });
}

/**
 * Go on with a run that was stopped, failed or interrupted: digit for digit on the processor and build it began on.
 * @throws UserError 'not-found', 'usage' for a run that has finished or is at work; else as `performRun`
 */
export async function resumeRun(
  project: Project,
  runId: number,
  runJob: RunJob,
  running: Running & { checkpointSeconds?: number } = {},
): Promise<Run> {
  settleInterrupted(project);
  if (findRun(project, runId).state === 'finished') {
    throw new UserError(
      'usage',
      `Run ${runId} has finished; there is nothing to resume. Start a new run with \`contexture train\`.`,
    );
  }
  return performRun(project, runId, runJob, running);
}

/** A run with its epochs and warnings. */
export interface RunDetail {
  run: Run;
  epochs: RunEpoch[];
  warnings: RunWarning[];
  /** Class names in label order. */
  classes: string[];
}

/** All runs, newest first. */
export function listRuns(project: Project): Run[] {
  settleInterrupted(project);
  return project.store.runs.list();
}

/** @throws UserError 'not-found' */
export function showRun(project: Project, runId: number): RunDetail {
  settleInterrupted(project);
  const run = findRun(project, runId);
  const { store } = project;
  return {
    run,
    epochs: store.runs.epochs(runId),
    warnings: store.runs.warnings(runId),
    classes: snapshotOf(project, run).classes,
  };
}

/** Class answers of a run's head on its evaluation split. */
export function answersOf(predictions: Predictions, head: Head, classes: number): Int32Array {
  const { uniform, balanced } = predictions;
  if (head === 'uniform' || !balanced) return predict(uniform, classes);
  return predict(head === 'balanced' ? balanced : meanLogits(uniform, balanced), classes);
}

export interface RunComparison {
  a: Run;
  b: Run;
  /** Class names in label order. */
  classes: string[];
  /** The heads that were compared. */
  heads: [Head, Head];
  /** What the second run was judged on, such as "test as found". */
  split: string;
  comparison: Comparison;
}

/**
 * Compare two finished runs on the test images that both were judged on. Each is judged by its own head unless `head` is
 * given.
 * @throws UserError 'not-found'; 'usage' when a run has not finished, or the classes or images differ; 'damaged'
 */
export async function compareTwoRuns(project: Project, a: number, b: number, head?: Head): Promise<RunComparison> {
  const [first, second] = [findRun(project, a), findRun(project, b)];
  for (const run of [first, second]) requirePredictions(run);
  const { pair, comparison } = await comparePair(project, first, second, head);
  return {
    a: first,
    b: second,
    classes: pair.dataset.classes,
    heads: [pair.baseline.head, pair.run.head],
    split: pair.dataset.split ?? 'test',
    comparison,
  };
}

/** @throws UserError 'usage' when the run has none yet */
export function predictionsOf(project: Project, run: Run): Predictions {
  const blob = requirePredictions(run);
  return decodePredictions(project.blobs.get(blob), project.blobs.path(blob));
}

function requirePredictions(run: Run): BlobId {
  if (!run.predictionsBlob) {
    throw new UserError(
      'usage',
      `Run ${run.id} (${run.name}) has not finished. Resume it with \`contexture resume ${run.id}\`.`,
    );
  }
  return run.predictionsBlob;
}

/** The data set that a run was trained on. */
export function snapshotOf(project: Project, run: Run): DatasetSnapshot {
  return readSnapshot(project.blobs, run.datasetBlob);
}

/** Runs that this process is working on, for each open project. */
const AT_WORK = new WeakMap<Project, Set<number>>();

/**
 * Whoever has the project open is its only writer, so a run marked as running that is not ours belongs to a process that
 * died. One that a task waits to train, or to go on with, is queued.
 */
export function settleInterrupted(project: Project): void {
  const { store } = project;
  const open = store.runs.listed().filter(({ state }) => state === 'running' || state === 'queued');
  const left = open.filter(({ id }) => !AT_WORK.get(project)?.has(id));
  if (left.length === 0) return;
  const waiting = new Set(store.tasks.list().flatMap(({ runId, state }) => (willGoOn(state) ? [runId] : [])));
  for (const { id, state, startedAt } of left) {
    if (waiting.has(id)) {
      if (state === 'running') store.runs.update(id, { state: 'queued' });
      continue;
    }
    const reason = startedAt === null ? 'It was taken out of the queue before it began.' : 'It was interrupted.';
    store.runs.update(id, { state: 'stopped', reason, endedAt: now() });
  }
}

/** Whether a task in that state begins again by itself or when it is resumed. */
const willGoOn = (state: TaskState): boolean => state === 'queued' || state === 'running' || state === 'paused';

/**
 * Train a run from its checkpoint, or from the start where there is none. Returns when it has finished or was stopped
 * through `signal`. A run that has finished is given back as it is.
 * @throws UserError 'not-found'; 'usage' when it is at work already; as the job throws it: the run is then stored as failed
 *   with that reason
 */
export async function performRun(
  project: Project,
  runId: number,
  runJob: RunJob,
  { onEvent, signal, checkpointSeconds = CHECKPOINT_SECONDS }: Running & { checkpointSeconds?: number } = {},
): Promise<Run> {
  const { runs } = project.store;
  const run = findRun(project, runId);
  if (run.state === 'finished') return run;
  const atWork = AT_WORK.get(project) ?? new Set();
  if (atWork.has(runId))
    throw new UserError('usage', `Run ${runId} is at work already. Wait for it, or stop it first.`);
  AT_WORK.set(project, atWork.add(runId));
  const config = TrainConfig.parse(run.config);
  const spec: Omit<TrainSpec, 'snapshotBlob' | 'bankBlob'> = {
    config,
    bankHash: run.bankHash,
    blobFolder: project.blobs.folder,
    cacheFolder: project.cacheFolder,
    runFolder: project.runFolder(runId),
    // A run that never began has no checkpoint, and then begins.
    resume: true,
    checkpointSeconds,
    codeVersion: CODE_VERSION,
  };
  const receive = (event: TrainEvent): void => {
    if (event.type === 'engine') runs.update(runId, { engine: asJson(event.engine) });
    if (event.type === 'epoch') {
      const figures = asJson(event.figures);
      project.store.transaction(() => {
        runs.putEpoch({ runId, epoch: event.epoch, figures });
        runs.update(runId, { figures });
      });
    }
    if (event.type === 'warning') {
      runs.addWarning({ runId, name: event.name, message: event.message, epoch: event.epoch });
    }
    onEvent?.(event);
  };
  runs.update(runId, { state: 'running', reason: null, startedAt: run.startedAt ?? now(), endedAt: null });
  try {
    const snapshotBlob = locatedSnapshot(project, run.datasetBlob);
    const bankBlob = run.bankBlob && locatedBank(project, run.bankBlob);
    const result = await runJob<TrainSpec, TrainEvent, TrainResult>(
      'train',
      { ...spec, snapshotBlob, bankBlob },
      {
        onEvent: receive,
        ...(signal ? { signal } : {}),
        env: trainingJobEnvironment(config),
      },
    );
    runs.update(runId, {
      state: result.state,
      reason: result.state === 'stopped' ? 'You stopped it.' : null,
      endedAt: now(),
      seconds: result.seconds,
      modelBlob: result.modelBlob,
      predictionsBlob: result.predictionsBlob,
    });
    // The checkpoint has served; the model is in the blob store.
    if (result.state === 'finished') rmSync(project.runFolder(runId), { recursive: true, force: true });
  } catch (error) {
    const { code, message } = errorToData(error);
    runs.update(runId, { state: code === 'cancelled' ? 'stopped' : 'failed', reason: message, endedAt: now() });
    throw error;
  } finally {
    atWork.delete(runId);
  }
  return runs.get(runId)!;
}

function now(): string {
  return new Date().toISOString();
}
