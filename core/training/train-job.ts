/**
 * A run as a job: reads its pictures, trains, evaluates, writes checkpoints by time, and ends with a model file and the
 * stored logits. When it is cancelled it writes a checkpoint and says 'stopped'; when it is killed the last checkpoint is
 * what it resumes from.
 */
// A step blocks the thread; between steps the event loop hears a cancel.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { peakMemory } from '../base/peak-memory.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import { loadCuratedBank } from '../contexts/load-bank.ts';
import { readBank } from '../contexts/bank.ts';
import { prunePacks } from '../data/prune-packs.ts';
import { datasetHash, readSnapshot, trainCounts, type DatasetSnapshot } from '../data/snapshot.ts';
import { engineFailure } from '../engine/failure.ts';
import { startEngine } from '../engine/backend.ts';
import { fingerprint, resolveThreads, type EngineFingerprint } from '../engine/fingerprint.ts';
import { readEngineInstall } from '../engine/install.ts';
import { primaryHead } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { networkOf } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId, Split } from '../storage/records.ts';
import type { TrainConfig } from './config.ts';
import { admittedClasses } from './context-supply.ts';
import type { CuratedBank } from './curated-bank.ts';
import { epochFigures, type EpochFigures } from './epoch-figures.ts';
import { Evaluator } from './evaluator.ts';
import { Judge, type Judgement } from './judge.ts';
import { LiveReport, type PreviewEvent, type StepEvent } from './live-report.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { checkpointOf, diverged, RunInProgress } from './run-in-progress.ts';
import { RunSplit } from './run-split.ts';
import { startingState } from './starting-state.ts';
import { modelFileOf } from './trained-model.ts';
import { Trainer } from './trainer.ts';
import {
  bankWarnings,
  CONTEXT_MAY_MATTER,
  notTracedWarning,
  oneAnswerWarning,
  usedUpWarning,
  type TrainWarning,
} from './warnings.ts';

export interface TrainSpec {
  config: TrainConfig;
  /** Blob of the `DatasetSnapshot`, and of the `BankEntry[]` when the curated bank is used. */
  snapshotBlob: BlobId;
  bankBlob: BlobId | null;
  bankHash: string | null;
  blobFolder: string;
  cacheFolder: string;
  /** Where the checkpoint lies. */
  runFolder: string;
  /** Go on from the checkpoint when there is one. */
  resume: boolean;
  /** Seconds between checkpoints; 0 writes one after every step. */
  checkpointSeconds: number;
  codeVersion: string;
}

export type TrainEvent =
  | Progress
  | StepEvent
  | PreviewEvent
  | { type: 'engine'; engine: EngineFingerprint }
  | { type: 'epoch'; epoch: number; figures: EpochFigures }
  | ({ type: 'warning'; epoch: number } & TrainWarning)
  | { type: 'checkpoint'; epoch: number; step: number };

export interface TrainResult {
  state: 'finished' | 'stopped';
  /** Seconds of work over all attempts: reading of pictures, features, steps, evaluation, model file. */
  seconds: number;
  figures: EpochFigures | null;
  modelBlob: BlobId | null;
  predictionsBlob: BlobId | null;
}

export const trainJob: Job<TrainSpec, TrainEvent, TrainResult> = async (spec, port) => {
  try {
    return await train(spec, port);
  } catch (error) {
    const { batchSize } = spec.config;
    throw engineFailure(
      error,
      `The engine ran out of memory at batchSize ${batchSize}. Choose ${Math.max(2, Math.floor(batchSize / 2))} or a smaller inputSize and start again, or free some memory and resume; nothing up to the last checkpoint is lost.`,
    );
  }
};

async function train(spec: TrainSpec, port: JobPort<TrainEvent>): Promise<TrainResult> {
  const began = performance.now();
  const { config, cacheFolder } = spec;
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const evaluation = requireSplits(snapshot);
  const open = (split: Split): Promise<RunSplit> => RunSplit.open({ snapshot, config, cacheFolder }, split, port);
  await using training = await open('train');
  await using judged = await open(evaluation.split);
  // What is chosen after training, such as tau, is chosen on images that no figure is reported on.
  const choosesOnVal = evaluation.split === 'test' && snapshot.images.some(({ split }) => split === 'val');
  await using val = choosesOnVal ? await open('val') : null;
  prunePacks(cacheFolder);

  const engine = startEngine(readEngineInstall());
  const identity = fingerprint(engine, resolveThreads(config.threads));
  port.emit({ type: 'engine', engine: identity });
  const network = networkOf(config, snapshot.classes.length);
  using evaluator = new Evaluator(network);
  const hash = datasetHash(snapshot);
  const checkpoint = checkpointOf(spec, hash);
  // A checkpoint holds every weight, frozen ones too: the backbone's pack may be gone by now, or another.
  const state = checkpoint ? network.stateOf(checkpoint.state.network) : startingState(network, config);
  for (const split of [training, judged, val]) await split?.lookOnce(evaluator, state, port);
  const counts = trainCounts(snapshot);
  const trainer = new Trainer({
    config,
    network,
    state,
    pictures: training.pictures,
    features: training.features,
    labels: training.labels,
    admitted: admittedClasses(counts, config),
    curated: await curatedBank(spec, snapshot, blobs, port),
  });

  const run = new RunInProgress(spec, port, trainer, identity, hash, began);
  if (config.method === 'csa') run.warn(CONTEXT_MAY_MATTER);
  if (checkpoint) run.goOnFrom(checkpoint);
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: `Training (${METHODS_BY_NAME[config.method].title})`,
    unit: 'steps',
    total: config.epochs * trainer.stepsPerEpoch,
    done: trainer.epoch * trainer.stepsPerEpoch + trainer.step,
  });
  const splits = { training, judged, val };
  const judge = new Judge({ trainCounts: counts, trainer, evaluator, splits, evaluation, meter });
  const report = new LiveReport(trainer, spec.runFolder, (event) => port.emit(event));
  const trained = await trainEpochs({ trainer, evaluator, run, judge, meter, report, snapshot }, port);
  if (trained.stopped) return run.stop(trained.last);

  // A run that was killed after its last step has all but its evaluation.
  const { figures, logits } = trained.judgement ?? (await judge.evaluate());
  const predictions = await judge.predictionsFile(logits);
  meter.finish();
  const mostNamed = primaryHead(figures).mostNamed;
  for (const warning of oneAnswerWarning(mostNamed, snapshot.classes)) run.warn(warning);
  const predictionsBlob = blobs.put(predictions);
  const file = await modelFileOf(trainer, evaluator, training.pictures, {
    classes: snapshot.classes,
    trainCounts: counts,
    datasetHash: hash,
    codeVersion: spec.codeVersion,
  });
  const modelBlob = blobs.put(Buffer.concat(file));
  trainer.dispose();
  return { state: 'finished', seconds: run.seconds, figures: trained.last, modelBlob, predictionsBlob };
}

/** What a run is judged on. @throws UserError 'empty' when that is nothing, or there is nothing to train on */
function requireSplits({ images, evaluation }: DatasetSnapshot): NonNullable<DatasetSnapshot['evaluation']> {
  if (!images.some(({ split }) => split === 'train')) {
    throw new UserError(
      'empty',
      'The data set has no training images. Import some, or undo the edit that took them out.',
    );
  }
  if (!evaluation) {
    throw new UserError(
      'empty',
      'The data set has no test images to judge a run by. Deal some out with `contexture edit split`.',
    );
  }
  return evaluation;
}

/** The contexts that a person has accepted, where a run lays these on; else null. */
async function curatedBank(
  { bankBlob, config }: TrainSpec,
  snapshot: DatasetSnapshot,
  blobs: BlobStore,
  { signal }: JobPort<TrainEvent>,
): Promise<CuratedBank | null> {
  if (!bankBlob) return null;
  const random = Random.stream(config.seed, 'curated contexts');
  return loadCuratedBank(readBank(blobs, bankBlob), snapshot, blobs, config, random, signal);
}

/** A run at its epochs. */
interface RunAtWork {
  trainer: Trainer;
  evaluator: Evaluator;
  run: RunInProgress;
  judge: Judge;
  meter: ProgressMeter;
  report: LiveReport;
  snapshot: Pick<DatasetSnapshot, 'classes'>;
}

/** How the epochs ended. */
interface Trained {
  /** By a cancel, between two steps. */
  stopped: boolean;
  /** Figures of the last epoch of this attempt. */
  last: EpochFigures | null;
  /** Of the last epoch. */
  judgement: Judgement | null;
}

async function trainEpochs(work: RunAtWork, port: JobPort<TrainEvent>): Promise<Trained> {
  const { trainer, judge } = work;
  const { epochs, evaluateEvery, batchSize } = trainer.config;
  let last: EpochFigures | null = null;
  let judgement: Judgement | null = null;
  while (!trainer.finished) {
    if (trainer.step === 0) trainer.beginEpoch();
    const firstStep = trainer.step;
    const started = performance.now();
    if (!(await finishSteps(work, port.signal))) return { stopped: true, last, judgement };
    const stepped = performance.now();
    const seconds = (stepped - started) / 1000;
    const isJudged = (trainer.epoch + 1) % evaluateEvery === 0 || trainer.epoch === epochs - 1;
    judgement = isJudged ? await judge.evaluate() : null;
    last = epochFigures(trainer, judgement?.figures ?? null, judge.on, {
      seconds,
      evaluationSeconds: judgement ? (performance.now() - stepped) / 1000 : 0,
      imagesPerSecond: ((trainer.stepsPerEpoch - firstStep) * batchSize) / seconds,
      inputShare: trainer.inputSeconds / seconds,
      peakMemory: peakMemory(),
    });
    port.emit({ type: 'epoch', epoch: trainer.epoch, figures: last });
    warnAfterEpoch(work, last);
    trainer.endEpoch();
  }
  return { stopped: false, last, judgement };
}

/** Make the steps that an epoch still lacks. @returns false when the signal came before the last one */
async function finishSteps({ trainer, run, meter, report }: RunAtWork, signal: AbortSignal): Promise<boolean> {
  const { config } = trainer;
  while (trainer.step < trainer.stepsPerEpoch) {
    if (signal.aborted) return false;
    const started = performance.now();
    await trainer.runStep();
    meter.add(1, () => `epoch ${trainer.epoch + 1}/${config.epochs}, loss ${trainer.losses.uniform.toFixed(3)}`);
    await report.afterStep((performance.now() - started) / 1000);
    if (trainer.diverged) throw diverged(config, trainer);
    run.checkpointIfDue();
    await nextTurn();
  }
  if (!trainer.sound) throw diverged(config, trainer);
  return true;
}

function warnAfterEpoch({ trainer, evaluator, run, snapshot }: RunAtWork, figures: EpochFigures): void {
  const { config, epoch } = trainer;
  const untraceable = trainer.untraceable ?? evaluator.untraceable;
  if (untraceable !== null) run.warn(notTracedWarning(untraceable));
  const { steps, mixedSteps, bank, curated } = figures;
  if (bank) {
    for (const warning of bankWarnings(config, epoch, { steps, mixedSteps, bank }, snapshot.classes)) run.warn(warning);
  }
  if (curated?.usedUp) run.warn(usedUpWarning(config, epoch));
}
