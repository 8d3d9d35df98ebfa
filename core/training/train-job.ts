/**
 * A run as a job: reads its pictures, trains, evaluates, writes checkpoints by time, and ends with a model file and the
 * stored logits. When it is cancelled it writes a checkpoint and says 'stopped'; when it is killed the last checkpoint is
 * what it resumes from.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
// A step blocks the thread; between steps the event loop hears a cancel.
import { setImmediate as breathe } from 'node:timers/promises';
import { removeLeftovers } from '../base/durable-file.ts';
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
import { engineDifferences, fingerprint, resolveThreads, type EngineFingerprint } from '../engine/fingerprint.ts';
import { readEngineInstall } from '../engine/install.ts';
import { computeFigures, primaryHead, type Figures } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { encodeModelFile } from '../models/model-file.ts';
import { networkOf } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import type { CuratedFigures } from './context-supply.ts';
import { logitsOf, logitsOfFeatures, type SplitLogits } from './evaluate.ts';
import { Evaluator } from './evaluator.ts';
import { openFeatures, type OpenFeatures } from './features.ts';
import { LiveReport, type PreviewEvent, type StepEvent } from './live-report.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { encodePredictions, type Answered } from './predictions-file.ts';
import { openPictures, type OpenPictures } from './open-pictures.ts';
import { selectPictures, type Pictures } from './pictures.ts';
import { evaluationMargin, normalisationOf } from './preprocessing.ts';
import { startingState } from './starting-state.ts';
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

/** Name of the checkpoint in a run's folder. */
export const CHECKPOINT_NAME = 'checkpoint.safetensors';

/** Pictures in a model's self-test. */
const SELF_TEST_IMAGES = 8;

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
  const checkpoint = checkpointOf(spec, datasetHash(snapshot));
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

  const run = new RunInProgress(spec, port, trainer, identity, datasetHash(snapshot), began);
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
  const { trunk, balanced, statistics } = trainer.save().network;
  const selfTest = await selfTestOf(evaluator, trainer, trainPictures);
  const modelBlob = blobs.put(
    Buffer.concat(
      encodeModelFile({
        card: {
          format: 'contexture model 1',
          model: config.model,
          method: config.method,
          head: heads.length > 1 ? 'balanced' : 'uniform',
          classes: snapshot.classes,
          trainCounts: counts,
          preprocessing: {
            inputSize: config.inputSize,
            resize: 'cover-crop',
            enlarge: evaluationMargin(config.augment),
            mean: [...normalisationOf(config).mean],
            deviation: [...normalisationOf(config).deviation],
          },
          datasetHash: datasetHash(snapshot),
          seed: config.seed,
          epochs: config.epochs,
          codeVersion: spec.codeVersion,
          variant: null,
        },
        weights: { trunk, balanced, statistics },
        selfTest,
      }),
    ),
  );
  trainer.dispose();
  return { state: 'finished', seconds: run.seconds, figures: last, modelBlob, predictionsBlob };
}

function diverged(config: TrainConfig, trainer: Trainer): UserError {
  return new UserError(
    'diverged',
    `Training diverged: the loss became infinite or not a number in epoch ${trainer.epoch + 1}, step ${trainer.step}. Lower learningRate (${config.learningRate}); the last good checkpoint is kept.`,
  );
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

/** A few training pictures, spread over the set, with their logits. */
async function selfTestOf(
  evaluator: Evaluator,
  trainer: Trainer,
  pictures: Pictures,
): Promise<{ pixels: Uint8Array; uniform: Float32Array; balanced: Float32Array }> {
  const count = Math.min(SELF_TEST_IMAGES, pictures.count);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * pictures.count) / count));
  const some = selectPictures(pictures, chosen);
  const logits = await logitsOf(evaluator, trainer.state, some, normalisationOf(trainer.config), () => breathe());
  return { pixels: await some.plain(Int32Array.from(chosen.keys())), ...logits };
}

type Checkpoint = ReturnType<typeof readCheckpoint>;

/** What to go on from; undefined for a run that was stopped before its first checkpoint, which begins anew. */
function checkpointOf({ runFolder, resume, bankHash }: TrainSpec, hash: string): Checkpoint | undefined {
  // What a killed attempt was writing.
  removeLeftovers(runFolder);
  const path = join(runFolder, CHECKPOINT_NAME);
  if (!resume || !existsSync(path)) return undefined;
  const checkpoint = readCheckpoint(path);
  if (checkpoint.info.datasetHash !== hash || checkpoint.info.bankHash !== bankHash) {
    throw new UserError('damaged', `The checkpoint ${path} belongs to another data set or bank. Start the run anew.`);
  }
  return checkpoint;
}

/** The bookkeeping around a trainer: checkpoints, warnings given once, seconds over all attempts. */
class RunInProgress {
  readonly #spec: TrainSpec;
  readonly #port: JobPort<TrainEvent>;
  readonly #trainer: Trainer;
  readonly #engine: EngineFingerprint;
  readonly #datasetHash: string;
  readonly #path: string;
  readonly #warned = new Set<string>();
  #secondsBefore = 0;
  readonly #began: number;
  #lastCheckpoint = performance.now();

  /** @param began when this attempt did, by `performance.now()` */
  constructor(
    spec: TrainSpec,
    port: JobPort<TrainEvent>,
    trainer: Trainer,
    engine: EngineFingerprint,
    hash: string,
    began: number,
  ) {
    this.#began = began;
    this.#spec = spec;
    this.#port = port;
    this.#trainer = trainer;
    this.#engine = engine;
    this.#datasetHash = hash;
    this.#path = join(spec.runFolder, CHECKPOINT_NAME);
  }

  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#began) / 1000;
  }

  warn(warning: TrainWarning): void {
    if (this.#warned.has(warning.name)) return;
    this.#warned.add(warning.name);
    this.#port.emit({ type: 'warning', epoch: this.#trainer.epoch, ...warning });
  }

  goOnFrom({ state, info }: Checkpoint): void {
    this.#trainer.restore(state);
    this.#secondsBefore = info.seconds;
    for (const name of info.warned) this.#warned.add(name);
    const differences = engineDifferences(info.engine, this.#engine);
    if (differences.length > 0) {
      this.warn({ name: 'not-exact', message: `The run goes on, but not digit for digit: ${differences.join('; ')}.` });
    }
  }

  checkpointIfDue(): void {
    if (performance.now() - this.#lastCheckpoint >= this.#spec.checkpointSeconds * 1000) this.checkpoint();
  }

  /** Replace the checkpoint; a spoilt state never does. */
  checkpoint(): void {
    const { config, bankHash } = this.#spec;
    if (!this.#trainer.sound) throw diverged(config, this.#trainer);
    writeCheckpoint(this.#path, this.#trainer.save(), {
      config,
      datasetHash: this.#datasetHash,
      bankHash,
      engine: this.#engine,
      seconds: this.seconds,
      warned: [...this.#warned],
    });
    this.#lastCheckpoint = performance.now();
    this.#port.emit({ type: 'checkpoint', epoch: this.#trainer.epoch, step: this.#trainer.step });
  }

  /** Keep everything and say so. */
  stop(figures: EpochFigures | null): TrainResult {
    this.checkpoint();
    this.#trainer.dispose();
    return { state: 'stopped', seconds: this.seconds, figures, modelBlob: null, predictionsBlob: null };
  }
}
