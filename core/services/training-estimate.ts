/** What a run will cost: measured, by runs of this project or by a trial, and never guessed. */
import { cpus } from 'node:os';
import { z } from 'zod';
import { asJson, canonicalJson } from '../base/json.ts';
import { packBytes, pictureBytes } from '../data/pack-file.ts';
import type { EngineFingerprint } from '../engine/fingerprint.ts';
import { networkSizes, type NetworkSizes } from '../models/backbones.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { TrainConfig, type MethodName } from '../training/config.ts';
import { featureViews, keepsMaps, looksAtMaps, usesFeatures } from '../training/frozen-views.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import { storedSummary } from '../training/stored-figures.ts';
import type { TrialResult } from '../training/trial-job.ts';
import type { RunPlan, TrainingFacts } from './training-plan.ts';

export interface TrainingEstimate {
  method: MethodName;
  network: string;
  parameters: number;
  /** Of one run; null while nothing like it was ever measured here. */
  secondsPerEpoch: number | null;
  seconds: number | null;
  /** Most memory that the run's process will hold, bytes; null as above. */
  memory: number | null;
  checkpointBytes: number;
  modelBytes: number;
  /** What time and memory are taken from. */
  source: 'run' | 'trial' | 'none';
  /** The same in a sentence. */
  basis: string;
}

/** What time and memory of a step depend on, beside the machine. */
type Work = Pick<TrainConfig, 'model' | 'inputSize' | 'batchSize' | 'precision' | 'threads'> & {
  branches: 'one' | 'two' | 'two with contexts';
  crop: string;
  tune: Omit<TrainConfig['tune'], 'rate'>;
  /** Where a step looks for contexts: in maps that were kept, or through the whole frozen backbone; null: neither. */
  looksAt: 'kept maps' | 'pictures' | null;
};

/** What was measured, and on what. */
interface Measure {
  secondsPerStep: number;
  secondsPerEvaluatedImage: number;
  /** Of one view through a frozen backbone; null where none is frozen. */
  secondsPerLook: number | null;
  /** Bytes, without the bank; of a trial also without decoded pictures that a run holds. */
  memory: number;
}

/** Name of the setting that keeps trials. */
const TRIALS_SETTING = 'training-trials';
const KEPT_TRIALS = 60;

const Trials = z.array(
  z.object({
    work: z.string(),
    processor: z.string(),
    device: z.string(),
    secondsPerStep: z.number(),
    secondsPerEvaluatedImage: z.number(),
    secondsPerLook: z.number().nullable().default(null),
    memory: z.number(),
    at: z.string(),
  }),
);

const LOOKS_ONCE =
  ' Each picture goes through the frozen backbone once; where an earlier run has kept what comes out, it takes less.';

/** Runs that are looked at, newest first. */
const MOST_RUNS = 50;
/** Packs up to this many bytes are held in memory. */
const HELD_PACK = 2 ** 30;

/** The work of a step, as a key. @param trainImages of which maps are kept, where there is space for them */
function workOf(config: TrainConfig, trainImages: number): string {
  const { method, model, inputSize, batchSize, precision, threads, augment, tune } = config;
  const branches = method === 'csa' ? 'two with contexts' : method === 'control' ? 'two' : 'one';
  const { stages, batchNorm } = tune;
  const { crop } = augment;
  const looksAt = looksAtMaps(config) ? (keepsMaps(config, trainImages) ? 'kept maps' : 'pictures') : null;
  const network = { model, inputSize, tune: { stages, batchNorm }, looksAt } as const;
  const work: Work = { branches, batchSize, precision, threads, crop, ...network };
  return canonicalJson(work);
}

const thisProcessor = (): string => cpus()[0]?.model.trim() ?? 'unknown';

/** Bytes of a context of the method's own bank: 8-bit picture, float mask, label. */
const contextBytes = (size: number): number => size * size * (3 + 4) + 4;

const bankBytes = ({ method, bankSize, inputSize }: TrainConfig): number =>
  method === 'csa' ? bankSize * contextBytes(inputSize) : 0;

/** Bytes of decoded pictures that a run holds in memory. */
function heldPictures({ inputSize: size, augment }: TrainConfig, facts: TrainingFacts): number {
  const { trainImages, evaluation, besideTest } = facts;
  const held = (count: number): number => {
    const bytes = packBytes({ count, recordBytes: pictureBytes(size) });
    return bytes <= HELD_PACK ? bytes : 0;
  };
  return (augment.crop === 'resized' ? 0 : held(trainImages)) + held(evaluation?.images ?? 0) + held(besideTest);
}

/** Bytes of a checkpoint: weights, momentum of what is trained, statistics, bank, and what is known of each training image. */
function checkpointBytes(
  config: TrainConfig,
  { trunk, tuned, balanced, statistics }: NetworkSizes,
  images: number,
): number {
  return 4 * (trunk + tuned + 2 * balanced + statistics) + bankBytes(config) + 12 * images;
}

/** Keep what a trial has measured, for the estimates to come. */
export function keepTrial(
  store: ProjectStore,
  configs: readonly TrainConfig[],
  trainImages: number,
  { engine, measures }: TrialResult,
): void {
  const at = new Date().toISOString();
  const fresh = measures.map(({ method, peakMemory, ...times }) => ({
    work: workOf(
      configs.find((config) => config.method === method)!,
      trainImages,
    ),
    processor: engine.processor,
    device: engine.device,
    ...times,
    memory: peakMemory,
    at,
  }));
  const known = new Set(fresh.map(({ work }) => work));
  const older = trials(store).filter(({ work }) => !known.has(work));
  store.settings.set(TRIALS_SETTING, asJson([...fresh, ...older].slice(0, KEPT_TRIALS)));
}

function trials(store: ProjectStore): z.infer<typeof Trials> {
  return Trials.catch([]).parse(store.settings.get(TRIALS_SETTING) ?? []);
}

/**
 * Estimate a run.
 * @param device what runs compute on here
 */
export function estimateRun(
  store: ProjectStore,
  facts: TrainingFacts,
  { config, stepsPerEpoch }: RunPlan,
  device: EngineFingerprint['device'],
): TrainingEstimate {
  const sizes = networkSizes(config.model, facts.classes, config.tune.stages);
  const parameters = sizes.trunk + sizes.balanced;
  const fixed = {
    method: config.method,
    network: sizes.title,
    parameters,
    checkpointBytes: checkpointBytes(config, sizes, facts.trainImages),
    modelBytes: 4 * (parameters + sizes.statistics),
  };
  // What runs have measured says nothing of the looks before them.
  const frozen = usesFeatures(config);
  const { trainImages, besideTest } = facts;
  const work = workOf(config, trainImages);
  const run = frozen ? undefined : measureOfRun(store, work, device);
  const trial = run ? undefined : measureOfTrial(store, work, device);
  const measure = run?.measure ?? trial;
  if (!measure) {
    const basis = 'Nothing like it has been trained or measured here yet: measure some steps to know.';
    return { ...fixed, secondsPerEpoch: null, seconds: null, memory: null, source: 'none', basis };
  }
  const judged = facts.evaluation?.images ?? 0;
  const answers = Math.ceil(config.epochs / config.evaluateEvery) * judged;
  const looks = trainImages * featureViews(config, 'train') + judged + besideTest;
  const { secondsPerStep, secondsPerEvaluatedImage, secondsPerLook } = measure;
  const epochs = config.epochs * stepsPerEpoch * secondsPerStep + answers * secondsPerEvaluatedImage;
  return {
    ...fixed,
    secondsPerEpoch: epochs / config.epochs,
    seconds: epochs + looks * (secondsPerLook ?? 0) + besideTest * secondsPerEvaluatedImage,
    memory: measure.memory + bankBytes(config) + (run ? 0 : heldPictures(config, facts)),
    ...(run
      ? {
          source: 'run',
          basis: `From run ${run.id} of this project, which had the same network, size and batch on this processor.`,
        }
      : { source: 'trial', basis: `From a trial of some steps on this machine.${frozen ? LOOKS_ONCE : ''}` }),
  };
}

function measureOfTrial(store: ProjectStore, work: string, device: string): Measure | undefined {
  return trials(store).find(
    (trial) => trial.work === work && trial.processor === thisProcessor() && trial.device === device,
  );
}

/** What runs do, by id: it never changes. */
const WORK_OF_RUNS = new WeakMap<ProjectStore, Map<number, { work: string; processor: string; device: string }>>();

/** The newest run with the same work on the same machine. */
function measureOfRun(store: ProjectStore, work: string, device: string): { id: number; measure: Measure } | undefined {
  const known = WORK_OF_RUNS.get(store) ?? new Map<number, { work: string; processor: string; device: string }>();
  WORK_OF_RUNS.set(store, known);
  const candidates = store.runs.listed().filter(({ state, epochsDone }) => state !== 'running' && epochsDone > 0);
  for (const { id } of candidates.slice(0, MOST_RUNS)) {
    let did = known.get(id);
    if (!did) {
      const run = store.runs.get(id)!;
      const engine = Engine.parse(run.engine);
      // Only runs without kept maps are looked for, so that it does not matter on how many images this one was.
      did = { work: workOf(TrainConfig.parse(run.config), 0), ...engine };
      known.set(id, did);
    }
    if (did.work !== work || did.processor !== thisProcessor() || did.device !== device) continue;
    const measure = measureEpochs(store, id);
    if (measure) return { id, measure };
  }
  return undefined;
}

const Engine = z
  .object({ processor: z.string(), device: z.string() })
  .catch({ processor: 'unknown', device: 'unknown' });

/** Time and memory of a run's epochs; undefined when none has trained all that it was to train. */
function measureEpochs(store: ProjectStore, id: number): Measure | undefined {
  const run = store.runs.get(id)!;
  const config = TrainConfig.parse(run.config);
  const epochs = store.runs.epochSummaries(id, 0).map(({ epoch, summary }) => ({ epoch, ...storedSummary(summary)! }));
  // Before the balanced branch a step costs less; the first epoch is slow, for it traces.
  const whole = epochs.filter(
    ({ epoch }) => epoch > 0 && (isOneBranch(config.method) || epoch >= config.startBalanced),
  );
  if (whole.length === 0) return undefined;
  const speeds = whole.map(({ timing }) => timing.imagesPerSecond).toSorted((a, b) => a - b);
  const stepping = epochs.reduce((sum, { timing }) => sum + timing.seconds, 0);
  // Older runs did not tell it; their seconds of work were steps and evaluation, nearly all of it.
  const evaluating =
    epochs.reduce<number | null>(
      (sum, { timing: { evaluationSeconds = null } }) =>
        sum === null || evaluationSeconds === null ? null : sum + evaluationSeconds,
      0,
    ) ?? Math.max(0, run.seconds - stepping);
  const evaluated = epochs.reduce((sum, { evaluation }) => sum + (evaluation?.images ?? 0), 0);
  return {
    secondsPerStep: config.batchSize / speeds[Math.floor(speeds.length / 2)],
    secondsPerLook: null,
    secondsPerEvaluatedImage: evaluated > 0 ? evaluating / evaluated : 0,
    memory: Math.max(...epochs.map(({ timing }) => timing.peakMemory)) - bankBytes(config),
  };
}

const isOneBranch = (method: MethodName): boolean => METHODS_BY_NAME[method].heads.length === 1;
