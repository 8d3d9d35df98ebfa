/**
 * A run as a job: reads its pictures, trains, evaluates, writes checkpoints by time, and ends with a model file and the
 * stored logits. When it is cancelled it writes a checkpoint and says 'stopped'; when it is killed the last checkpoint is
 * what it resumes from.
 */
// A step blocks the thread; between steps the event loop hears a cancel.
import { setImmediate as breathe } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { peakMemory } from '../base/peak-memory.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import { loadCuratedBank } from '../contexts/load-bank.ts';
import { readBank } from '../contexts/bank.ts';
import { groupsByCount } from '../data/groups.ts';
import { prunePacks } from '../data/prune-packs.ts';
import { datasetHash, indicesOfSplit, readSnapshot, trainCounts } from '../data/snapshot.ts';
import { engineFailure } from '../engine/failure.ts';
import { startEngine } from '../engine/backend.ts';
import { fingerprint, resolveThreads, type EngineFingerprint } from '../engine/fingerprint.ts';
import { readEngineInstall } from '../engine/install.ts';
import { computeFigures, primaryHead, type Figures } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { networkOf } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import type { TrainConfig } from './config.ts';
import type { CuratedFigures } from './context-supply.ts';
import { logitsOf, logitsOfFeatures, type SplitLogits } from './evaluate.ts';
import { Evaluator } from './evaluator.ts';
import { openFeatures, type OpenFeatures } from './features.ts';
import { LiveReport, type PreviewEvent, type StepEvent } from './live-report.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { encodePredictions, type Answered } from './predictions-file.ts';
import { openPictures, type OpenPictures } from './open-pictures.ts';
import type { Pictures } from './pictures.ts';
import { normalisationOf } from './preprocessing.ts';
import { checkpointOf, diverged, RunInProgress } from './run-in-progress.ts';
import { startingState } from './starting-state.ts';
import { modelFileOf } from './trained-model.ts';
import { Trainer } from './trainer.ts';
import {
  bankWarnings,
  CONTEXT_MAY_MATTER,
  notTracedWarning,
  oneAnswerWarning,
  usedUpWarning,
  type BankFigures,
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

/** What an epoch tells; everything but `timing` repeats digit for digit. */
export interface EpochFigures {
  learningRate: number;
  steps: number;
  mixedSteps: number;
  /** Mean loss of each branch; null when it was not trained. */
  uniformLoss: number;
  balancedLoss: number | null;
  /** Share of the uniform stream's samples with p >= delta; null for methods that do not look. */
  confidentShare: number | null;
  bank: BankFigures | null;
  /** Absent where contexts of the curated bank may be drawn any number of times. */
  curated?: CuratedFigures;
  /** Null in epochs without evaluation. */
  evaluation: Figures | null;
  /** What `evaluation` is on, such as "test as found"; null without one. */
  split: string | null;
  timing: {
    /** Of the epoch's steps. */
    seconds: number;
    /** Of the evaluation after them; 0 without one. Runs made before this was told have none. */
    evaluationSeconds?: number;
    imagesPerSecond: number;
    /** Share of the time for which steps waited for pictures, 0 to 1. */
    inputShare: number;
    /** Most memory that the job's process has held so far, bytes. */
    peakMemory: number;
  };
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
  const { evaluation } = snapshot;
  const trainIndices = indicesOfSplit(snapshot, 'train');
  if (trainIndices.length === 0) {
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
  const evaluationIndices = indicesOfSplit(snapshot, evaluation.split);
  const open = (indices: number[], use: 'train' | 'evaluate'): Promise<OpenPictures> =>
    openPictures(snapshot, indices, config, use, cacheFolder, port);
  await using trainPictures = await open(trainIndices, 'train');
  await using evaluationPictures = await open(evaluationIndices, 'evaluate');
  // What is chosen after training, such as tau, is chosen on images that no figure is reported on.
  const valIndices = evaluation.split === 'test' ? indicesOfSplit(snapshot, 'val') : [];
  await using valPictures = valIndices.length > 0 ? await open(valIndices, 'evaluate') : null;
  prunePacks(cacheFolder);
  const labelsOf = (indices: number[]): Int32Array => Int32Array.from(indices, (index) => snapshot.images[index].label);
  const counts = trainCounts(snapshot);
  const groups = groupsByCount(counts, config.groups);

  const engine = startEngine(readEngineInstall());
  const identity = fingerprint(engine, resolveThreads(config.threads));
  port.emit({ type: 'engine', engine: identity });
  const network = networkOf(config, snapshot.classes.length);
  using evaluator = new Evaluator(network);
  const hash = datasetHash(snapshot);
  const checkpoint = checkpointOf(spec, hash);
  // A checkpoint holds every weight, frozen ones too: the backbone's pack may be gone by now, or another.
  const state = checkpoint ? network.stateOf(checkpoint.state.network) : startingState(network, config);
  const look = (pictures: Pictures, indices: number[], use: 'train' | 'evaluate'): Promise<OpenFeatures | null> => {
    const hashes = indices.map((index) => snapshot.images[index].hash);
    return openFeatures({ evaluator, state, pictures, hashes, config, use, cacheFolder }, port);
  };
  using trainFeatures = await look(trainPictures, trainIndices, 'train');
  using evaluationFeatures = await look(evaluationPictures, evaluationIndices, 'evaluate');
  using valFeatures = valPictures && (await look(valPictures, valIndices, 'evaluate'));
  const curated = spec.bankBlob
    ? await loadCuratedBank(
        readBank(blobs, spec.bankBlob),
        snapshot,
        blobs,
        config,
        Random.stream(config.seed, 'curated contexts'),
        port.signal,
      )
    : null;
  const trainer = new Trainer({
    config,
    network,
    state,
    pictures: trainPictures,
    features: trainFeatures,
    labels: labelsOf(trainIndices),
    admitted: groups.map((group) => config.contextClasses === 'any' || group === 'many'),
    curated,
  });

  const run = new RunInProgress(spec, port, trainer, identity, hash, began);
  if (config.method === 'csa') run.warn(CONTEXT_MAY_MATTER);
  if (checkpoint) run.goOnFrom(checkpoint);
  const heads = METHODS_BY_NAME[config.method].heads;
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: `Training (${METHODS_BY_NAME[config.method].title})`,
    unit: 'steps',
    total: config.epochs * trainer.stepsPerEpoch,
    done: trainer.epoch * trainer.stepsPerEpoch + trainer.step,
  });
  const answer = (pictures: Pictures, features: OpenFeatures | null, on: string): Promise<SplitLogits> => {
    const tell = (done: number): Promise<void> => {
      // Part of training's own progress: its rate and time left are to include the evaluations.
      meter.add(0, `evaluating on ${on}, ${done}/${pictures.count} images`);
      return breathe();
    };
    return features
      ? logitsOfFeatures(evaluator, trainer.state, features.pooled, tell)
      : logitsOf(evaluator, trainer.state, pictures, normalisationOf(config), tell);
  };
  const evaluate = async (): Promise<{ figures: Figures; logits: SplitLogits }> => {
    const logits = await answer(evaluationPictures, evaluationFeatures, evaluation.name);
    const figures = computeFigures({
      logitsUniform: logits.uniform,
      logitsBalanced: heads.length > 1 ? logits.balanced : null,
      labels: labelsOf(evaluationIndices),
      classes: snapshot.classes.length,
      trainCounts: counts,
      thresholds: config.groups,
    });
    return { figures, logits };
  };

  const report = new LiveReport(trainer, spec.runFolder, (event) => port.emit(event));
  let last: EpochFigures | null = null;
  let finalLogits: SplitLogits | undefined;
  while (!trainer.finished) {
    if (trainer.step === 0) trainer.beginEpoch();
    const firstStep = trainer.step;
    const started = performance.now();
    while (trainer.step < trainer.stepsPerEpoch) {
      if (port.signal.aborted) return run.stop(last);
      const stepStarted = performance.now();
      await trainer.runStep();
      meter.add(1, () => `epoch ${trainer.epoch + 1}/${config.epochs}, loss ${trainer.losses.uniform.toFixed(3)}`);
      await report.afterStep((performance.now() - stepStarted) / 1000);
      if (trainer.diverged) throw diverged(config, trainer);
      run.checkpointIfDue();
      await breathe();
    }
    if (!trainer.sound) throw diverged(config, trainer);
    const seconds = (performance.now() - started) / 1000;
    const stepped = performance.now();
    const evaluated =
      (trainer.epoch + 1) % config.evaluateEvery === 0 || trainer.epoch === config.epochs - 1 ? await evaluate() : null;
    finalLogits = evaluated?.logits;
    last = epochFigures(trainer, evaluated?.figures ?? null, evaluation.name, {
      seconds,
      evaluationSeconds: evaluated ? (performance.now() - stepped) / 1000 : 0,
      imagesPerSecond: ((trainer.stepsPerEpoch - firstStep) * config.batchSize) / seconds,
      inputShare: trainer.inputSeconds / seconds,
      peakMemory: peakMemory(),
    });
    port.emit({ type: 'epoch', epoch: trainer.epoch, figures: last });
    const untraceable = trainer.untraceable ?? evaluator.untraceable;
    if (untraceable !== null) run.warn(notTracedWarning(untraceable));
    if (last.bank) {
      const { steps, mixedSteps, bank } = last;
      for (const warning of bankWarnings(config, trainer.epoch, { steps, mixedSteps, bank }, snapshot.classes)) {
        run.warn(warning);
      }
    }
    if (last.curated?.usedUp) run.warn(usedUpWarning(config, trainer.epoch));
    trainer.endEpoch();
  }
  // A run that was killed after its last step has all but its evaluation.
  const { figures, logits } =
    finalLogits && last?.evaluation ? { figures: last.evaluation, logits: finalLogits } : await evaluate();
  const valLogits = valPictures && (await answer(valPictures, valFeatures, 'val'));
  meter.finish();
  const mostNamed = primaryHead(figures).mostNamed;
  for (const warning of oneAnswerWarning(mostNamed, snapshot.classes)) run.warn(warning);

  const ids = (indices: number[]): Int32Array => Int32Array.from(indices, (index) => snapshot.images[index].id);
  const answered = (indices: number[], { uniform, balanced }: SplitLogits): Answered => ({
    imageIds: ids(indices),
    labels: labelsOf(indices),
    uniform,
    balanced: heads.length > 1 ? balanced : null,
  });
  const predictionsBlob = blobs.put(
    Buffer.concat(
      encodePredictions({
        split: evaluation.split,
        ...answered(evaluationIndices, logits),
        val: valLogits && answered(valIndices, valLogits),
        trainIds: ids(trainIndices),
        trainConfidence: trainer.seenConfidence,
      }),
    ),
  );
  const file = await modelFileOf(trainer, evaluator, trainPictures, {
    classes: snapshot.classes,
    trainCounts: counts,
    datasetHash: hash,
    codeVersion: spec.codeVersion,
  });
  const modelBlob = blobs.put(Buffer.concat(file));
  trainer.dispose();
  return { state: 'finished', seconds: run.seconds, figures: last, modelBlob, predictionsBlob };
}

function epochFigures(
  trainer: Trainer,
  evaluation: Figures | null,
  split: string,
  timing: EpochFigures['timing'],
): EpochFigures {
  const { sums, config, contexts, network } = trainer;
  const looks = config.method === 'csa';
  return {
    learningRate: trainer.rate,
    steps: sums.steps,
    mixedSteps: sums.mixedSteps,
    uniformLoss: sums.uniformLoss / sums.steps,
    balancedLoss: sums.balancedSteps > 0 ? sums.balancedLoss / sums.balancedSteps : null,
    confidentShare: looks ? sums.confident / (sums.steps * config.batchSize) : null,
    bank: looks
      ? {
          count: contexts.bank.count,
          capacity: contexts.bank.capacity,
          classes: contexts.bank.classCounts(network.classes),
          meanArea: contexts.bank.meanArea(),
        }
      : null,
    ...(contexts.curated ? { curated: contexts.curated } : {}),
    evaluation,
    split: evaluation ? split : null,
    timing,
  };
}
