/** Runs: make one, go on with one, look at one, compare two. */
import { rmSync } from 'node:fs';
import { errorToData, UserError } from '../base/errors.ts';
import { asJson, canonicalJson } from '../base/json.ts';
import { CODE_VERSION } from '../base/version.ts';
import { bankHash, takeBank } from '../contexts/bank.ts';
import type { PackPort } from '../data/packed.ts';
import {
  datasetHash,
  indicesOfSplit,
  readSnapshot,
  takeSnapshot,
  trainCounts,
  type DatasetSnapshot,
} from '../data/snapshot.ts';
import { hasBfloat16, resolveThreads } from '../engine/fingerprint.ts';
import { compareRuns as compareAnswers, pairImages, type Comparison } from '../evaluation/compare.ts';
import { correctFlags, meanLogits, predict } from '../evaluation/predictions.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { engineJobEnvironment } from './job-environment.ts';
import type { Project } from '../storage/project.ts';
import type { Run, RunEpoch, RunWarning } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import {
  applySmallSetRules,
  makeConfig,
  proposeInputSize,
  sizeCost,
  type PresetName,
  type TrainOverrides,
} from '../training/presets.ts';
import { openPictures } from '../training/open-pictures.ts';
import { decodePredictions, type Predictions } from '../training/predictions-file.ts';
import { stepsPerEpoch } from '../training/schedule.ts';
import type { TrainEvent, TrainResult, TrainSpec } from '../training/train-job.ts';

/** What a run is asked for. */
export interface RunRequest {
  method: TrainConfig['method'];
  preset: PresetName;
  /** Settings that differ from the preset's. */
  overrides?: TrainOverrides;
  /** Shown name; made from method and seed when absent. */
  name?: string;
  /** Seconds between checkpoints. */
  checkpointSeconds?: number;
}

/** What a request comes to on this project's data, before anything is started. */
export interface RunPlan {
  config: TrainConfig;
  /** Sentences about settings that were changed because the set is small. */
  rules: string[];
  /** Input size that fits the pictures, and how much more a step costs at the chosen size than at 32 pixels. */
  proposedInputSize: number;
  cost: number;
  trainImages: number;
  stepsPerEpoch: number;
}

type Running = Pick<RunJobOptions<TrainEvent>, 'onEvent' | 'signal'>;

/** Seconds between checkpoints unless asked otherwise. */
const CHECKPOINT_SECONDS = 60;

/**
 * Work out a run's configuration.
 * @throws UserError 'usage' for a setting out of range, 'empty' without training images
 */
export function planRun(snapshot: DatasetSnapshot, request: RunRequest): RunPlan {
  const train = snapshot.images.filter(({ split }) => split === 'train');
  if (train.length === 0) {
    throw new UserError(
      'empty',
      'The data set has no training images. Import some, or undo the edit that took them out.',
    );
  }
  const proposedInputSize = proposeInputSize(train.map(({ width, height }) => Math.min(width, height)));
  const wanted = makeConfig(request.method, request.preset, proposedInputSize, request.overrides);
  const precision = request.overrides?.precision ?? (hasBfloat16() ? 'bfloat16' : 'float32');
  if (precision === 'bfloat16' && !hasBfloat16()) {
    throw new UserError(
      'usage',
      'This processor has no bfloat16 (AVX512_BF16, AMX_BF16) and would emulate it, many times slower: choose precision float32.',
    );
  }
  const threads = resolveThreads(wanted.threads);
  const { config, rules } = applySmallSetRules({ ...wanted, precision, threads }, train.length);
  return {
    config,
    rules: rules.map(({ message }) => message),
    proposedInputSize,
    cost: sizeCost(config.inputSize),
    trainImages: train.length,
    stepsPerEpoch: stepsPerEpoch(config, train.length),
  };
}

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

/**
 * Train. Returns when the run has finished or was stopped through `signal`; a stopped run keeps its checkpoint and goes on
 * with `resumeRun`.
 * @throws UserError as the job throws it; the run is then stored as failed with that reason
 */
export async function startRun(
  project: Project,
  request: RunRequest,
  runJob: RunJob,
  running: Running = {},
): Promise<Run> {
  settleInterrupted(project);
  const { store, blobs } = project;
  const snapshot = takeSnapshot(store);
  if (!snapshot.evaluation) {
    throw new UserError(
      'empty',
      'The data set has no test images to judge a run by. Deal some out with `contexture edit split`.',
    );
  }
  const { config, rules } = planRun(snapshot, request);
  const bank = config.curatedShare > 0 ? takeBank(store) : null;
  if (bank?.length === 0) {
    throw new UserError(
      'empty',
      'The curated bank is empty: no context is accepted yet. Accept some with `contexture bank accept`, or leave curatedShare at 0.',
    );
  }
  const { title } = METHODS_BY_NAME[config.method];
  const run = store.runs.add({
    name: request.name ?? `${title}, seed ${config.seed}`,
    method: config.method,
    config: asJson(config),
    seed: config.seed,
    state: 'queued',
    reason: null,
    createdAt: now(),
    startedAt: null,
    endedAt: null,
    seconds: 0,
    datasetHash: datasetHash(snapshot),
    datasetBlob: blobs.put(Buffer.from(canonicalJson(snapshot))),
    bankHash: bank && bankHash(bank),
    bankBlob: bank && blobs.put(Buffer.from(canonicalJson(bank))),
    engine: null,
    codeVersion: CODE_VERSION,
    modelBlob: null,
    predictionsBlob: null,
    figures: null,
  });
  for (const message of rules) store.runs.addWarning({ runId: run.id, name: 'small-set', message, epoch: 0 });
  return perform(project, run, config, false, request.checkpointSeconds ?? CHECKPOINT_SECONDS, runJob, running);
}

/**
 * Go on with a run that was stopped, failed or interrupted: digit for digit on the processor and build it began on.
 * @throws UserError 'not-found', 'usage' for a finished run; else as `startRun`
 */
export async function resumeRun(
  project: Project,
  runId: number,
  runJob: RunJob,
  { checkpointSeconds = CHECKPOINT_SECONDS, ...running }: Running & { checkpointSeconds?: number } = {},
): Promise<Run> {
  settleInterrupted(project);
  const run = requireRun(project, runId);
  if (run.state === 'finished') {
    throw new UserError(
      'usage',
      `Run ${runId} has finished; there is nothing to resume. Start a new run with \`contexture train\`.`,
    );
  }
  return perform(project, run, TrainConfig.parse(run.config), true, checkpointSeconds, runJob, running);
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
  const run = requireRun(project, runId);
  const { store } = project;
  return {
    run,
    epochs: store.runs.epochs(runId),
    warnings: store.runs.warnings(runId),
    classes: snapshotOf(project, run).classes,
  };
}

/** The head that a run is judged by. */
export function judgedHead(run: Run): Head {
  return METHODS_BY_NAME[TrainConfig.shape.method.parse(run.method)].heads.at(-1)!;
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
 * @throws UserError 'not-found'; 'usage' when a run has not finished, or the classes or images differ
 */
export function compareTwoRuns(project: Project, a: number, b: number, head?: Head): RunComparison {
  const runs = [requireRun(project, a), requireRun(project, b)] as const;
  const [first, second] = runs.map((run) => snapshotOf(project, run));
  if (first.classes.join('\0') !== second.classes.join('\0')) {
    throw new UserError('usage', `Runs ${a} and ${b} were trained on different classes and cannot be compared.`);
  }
  const [before, after] = runs.map((run) => predictionsOf(project, run));
  const { inA, inB } = pairImages([...before.imageIds], [...after.imageIds]);
  if (inA.length === 0) {
    throw new UserError('usage', `Runs ${a} and ${b} were judged on different images and cannot be compared.`);
  }
  const classes = first.classes.length;
  const heads: [Head, Head] = [head ?? judgedHead(runs[0]), head ?? judgedHead(runs[1])];
  const flags = (predictions: Predictions, used: Head, positions: number[]): Uint8Array => {
    const all = correctFlags(answersOf(predictions, used, classes), predictions.labels);
    return Uint8Array.from(positions, (position) => all[position]);
  };
  return {
    a: runs[0],
    b: runs[1],
    classes: first.classes,
    heads,
    split: second.evaluation?.name ?? after.split,
    comparison: compareAnswers({
      a: flags(before, heads[0], inA),
      b: flags(after, heads[1], inB),
      labels: Int32Array.from(inA, (position) => before.labels[position]),
      classes,
      trainCounts: trainCounts(second),
      thresholds: TrainConfig.parse(runs[1].config).groups,
      seed: 1,
    }),
  };
}

/** @throws UserError 'usage' when the run has none yet */
export function predictionsOf(project: Project, run: Run): Predictions {
  if (!run.predictionsBlob) {
    throw new UserError(
      'usage',
      `Run ${run.id} (${run.name}) has not finished. Resume it with \`contexture resume ${run.id}\`.`,
    );
  }
  return decodePredictions(project.blobs.get(run.predictionsBlob), project.blobs.path(run.predictionsBlob));
}

/** The data set that a run was trained on. */
export function snapshotOf(project: Project, run: Run): DatasetSnapshot {
  return readSnapshot(project.blobs, run.datasetBlob);
}

function requireRun(project: Project, runId: number): Run {
  const run = project.store.runs.get(runId);
  if (!run) throw new UserError('not-found', `There is no run ${runId}. \`contexture runs\` lists them.`);
  return run;
}

/** Runs that this process is working on, for each open project. */
const AT_WORK = new WeakMap<Project, Set<number>>();

/** Whoever has the project open is its only writer, so a run marked as running that is not ours belongs to a process that died. */
function settleInterrupted(project: Project): void {
  const { store } = project;
  for (const run of store.runs.list()) {
    if ((run.state !== 'running' && run.state !== 'queued') || AT_WORK.get(project)?.has(run.id)) continue;
    store.runs.update(run.id, { state: 'stopped', reason: 'It was interrupted.', endedAt: now() });
  }
}

async function perform(
  project: Project,
  run: Run,
  config: TrainConfig,
  resume: boolean,
  checkpointSeconds: number,
  runJob: RunJob,
  { onEvent, signal }: Running,
): Promise<Run> {
  const { runs } = project.store;
  const atWork = AT_WORK.get(project) ?? new Set();
  AT_WORK.set(project, atWork.add(run.id));
  const spec: TrainSpec = {
    config,
    snapshotBlob: run.datasetBlob,
    bankBlob: run.bankBlob,
    bankHash: run.bankHash,
    blobFolder: project.blobs.folder,
    cacheFolder: project.cacheFolder,
    runFolder: project.runFolder(run.id),
    resume,
    checkpointSeconds,
    codeVersion: CODE_VERSION,
  };
  const receive = (event: TrainEvent): void => {
    if (event.type === 'engine') runs.update(run.id, { engine: asJson(event.engine) });
    if (event.type === 'epoch') {
      const figures = asJson(event.figures);
      project.store.transaction(() => {
        runs.putEpoch({ runId: run.id, epoch: event.epoch, figures });
        runs.update(run.id, { figures });
      });
    }
    if (event.type === 'warning') {
      runs.addWarning({ runId: run.id, name: event.name, message: event.message, epoch: event.epoch });
    }
    onEvent?.(event);
  };
  runs.update(run.id, { state: 'running', reason: null, startedAt: run.startedAt ?? now(), endedAt: null });
  try {
    const result = await runJob<TrainSpec, TrainEvent, TrainResult>('train', spec, {
      onEvent: receive,
      ...(signal ? { signal } : {}),
      env: engineJobEnvironment(config.threads),
    });
    runs.update(run.id, {
      state: result.state,
      reason: result.state === 'stopped' ? 'You stopped it.' : null,
      endedAt: now(),
      seconds: result.seconds,
      modelBlob: result.modelBlob,
      predictionsBlob: result.predictionsBlob,
    });
    // The checkpoint has served; the model is in the blob store.
    if (result.state === 'finished') rmSync(project.runFolder(run.id), { recursive: true, force: true });
  } catch (error) {
    const { code, message } = errorToData(error);
    runs.update(run.id, { state: code === 'cancelled' ? 'stopped' : 'failed', reason: message, endedAt: now() });
    throw error;
  } finally {
    atWork.delete(run.id);
  }
  return runs.get(run.id)!;
}

function now(): string {
  return new Date().toISOString();
}
