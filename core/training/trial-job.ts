/** A trial: some real steps of some methods on pictures of the project, to say what a run will cost on this machine. */
import { setImmediate as breathe } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { peakMemory } from '../base/peak-memory.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { indicesOfSplit, readSnapshot } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { fingerprint, resolveThreads, type EngineFingerprint } from '../engine/fingerprint.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { networkOf } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import type { MethodName, TrainConfig } from './config.ts';
import { logitsOf, logitsOfFeatures } from './evaluate.ts';
import { Evaluator } from './evaluator.ts';
import { openFeatures, type Features } from './features.ts';
import { keepsMaps, usesFeatures } from './frozen-views.ts';
import { openPictures } from './open-pictures.ts';
import { normalisationOf } from './preprocessing.ts';
import { startingState } from './starting-state.ts';
import { Trainer } from './trainer.ts';

export interface TrialSpec {
  /** One for each method; of one size, network and batch. */
  configs: TrainConfig[];
  snapshotBlob: BlobId;
  blobFolder: string;
  cacheFolder: string;
  /** How long to measure each, seconds. */
  seconds: number;
}

/** What was measured of one method. */
export interface TrialMeasure {
  method: MethodName;
  secondsPerStep: number;
  /** Of one picture of the test split, in the batches that evaluation makes. */
  secondsPerEvaluatedImage: number;
  /** Of one view of a picture through a frozen backbone, which is done once before a run; null where none is frozen. */
  secondsPerLook: number | null;
  /** Most memory that the process held, without bank and pictures, bytes. */
  peakMemory: number;
}

export interface TrialResult {
  engine: EngineFingerprint;
  measures: TrialMeasure[];
}

/** Steps in which memory and kernels are made ready and the step is traced. */
const WARM_UP_STEPS = 3;
/** Pictures that are trained on, and evaluated. */
const MOST_PICTURES = 512;
const EVALUATED = 128;
/** The same where each has to go through a frozen backbone first. */
const MOST_LOOKED_AT = 64;

export const trialJob: Job<TrialSpec, Progress, TrialResult> = async (spec, port) => {
  try {
    return await measure(spec, port);
  } catch (error) {
    throw engineFailure(
      error,
      `The engine ran out of memory at batchSize ${spec.configs[0].batchSize}. Choose a smaller batchSize or inputSize.`,
    );
  }
};

async function measure(spec: TrialSpec, port: JobPort<Progress>): Promise<TrialResult> {
  const snapshot = readSnapshot(new BlobStore(spec.blobFolder), spec.snapshotBlob);
  const [{ threads }] = spec.configs;
  const most = usesFeatures(spec.configs[0]) ? MOST_LOOKED_AT : MOST_PICTURES;
  const trained = indicesOfSplit(snapshot, 'train');
  const chosen = spread(trained, most);
  const engine = startEngine(readEngineInstall());
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Measuring steps',
    unit: 'steps',
    total: null,
  });
  const measures: TrialMeasure[] = [];
  for (const wanted of spec.configs) {
    const config = fullWork(wanted);
    await using pictures = await openPictures(snapshot, chosen, config, 'train', spec.cacheFolder, port);
    const network = networkOf(config, snapshot.classes.length);
    using evaluator = new Evaluator(network);
    const state = startingState(network, config);
    const hashes = chosen.map((index) => snapshot.images[index].hash);
    const { cacheFolder } = spec;
    // As a run on all of them will: it keeps maps, or has no space for them.
    const mostMaps = keepsMaps(config, trained.length) ? Infinity : 0;
    using features = await openFeatures(
      { evaluator, state, pictures, hashes, config, use: 'train', cacheFolder, mostMaps },
      port,
    );
    const trainer = new Trainer({
      config,
      network,
      state,
      pictures,
      features,
      labels: Int32Array.from(chosen, (index) => snapshot.images[index].label),
      admitted: snapshot.classes.map(() => true),
      curated: null,
    });
    const steps: number[] = [];
    trainer.beginEpoch();
    let end = Infinity;
    while (steps.length < WARM_UP_STEPS + 1 || performance.now() < end) {
      if (port.signal.aborted) throw new UserError('cancelled', 'The trial was cancelled.');
      if (steps.length === WARM_UP_STEPS) end = performance.now() + spec.seconds * 1000;
      const started = performance.now();
      await trainer.runStep();
      steps.push((performance.now() - started) / 1000);
      meter.add(1, config.method);
      await breathe();
    }
    const lookTime = await evaluationTime();
    measures.push({
      method: config.method,
      secondsPerStep: median(steps.slice(WARM_UP_STEPS)),
      secondsPerEvaluatedImage: features ? await timeOf(() => judge(features.pooled), features.pooled.count) : lookTime,
      secondsPerLook: features ? lookTime : null,
      peakMemory: peakMemory(),
    });
    trainer.dispose();

    function judge(known: Features): Promise<unknown> {
      return logitsOfFeatures(evaluator, trainer.state, known, () => breathe());
    }

    async function evaluationTime(): Promise<number> {
      await using some = await openPictures(
        snapshot,
        spread(chosen, EVALUATED),
        config,
        'evaluate',
        spec.cacheFolder,
        port,
      );
      const look = (): Promise<unknown> =>
        logitsOf(evaluator, trainer.state, some, normalisationOf(config), () => breathe());
      return timeOf(look, some.count);
    }
  }
  meter.finish();
  return { engine: fingerprint(engine, resolveThreads(threads)), measures };
}

/**
 * The same with everything at work from the first step on: the bank is full at once, contexts are laid on; and with a rate
 * that no network diverges at.
 */
function fullWork(config: TrainConfig): TrainConfig {
  const { batchSize: bankSize } = config;
  return {
    ...config,
    startBalanced: 0,
    delta: 0,
    contextClasses: 'any',
    curatedShare: 0,
    bankSize,
    learningRate: 1e-4,
  };
}

/** Seconds of one of `count`. The last of three times counts: evaluation is traced like a step. */
async function timeOf(work: () => Promise<unknown>, count: number): Promise<number> {
  let seconds = 0;
  for (let time = 0; time < 3; time++) {
    const started = performance.now();
    await work();
    seconds = (performance.now() - started) / 1000;
  }
  return seconds / count;
}

/** At most `count` of the values, evenly spread. */
function spread(values: readonly number[], count: number): number[] {
  const kept = Math.min(count, values.length);
  return Array.from({ length: kept }, (_, i) => values[Math.floor((i * values.length) / kept)]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
