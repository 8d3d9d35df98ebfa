/** Ready-made settings, and the rules that fit them to a data set. */
import { UserError } from '../base/errors.ts';
import { DEFAULT_THRESHOLDS } from '../data/groups.ts';
import { backboneOf } from '../models/backbones.ts';
import { ModelConfig, type StartingWeights, type TrainConfig, type Tuning } from './config.ts';
import { usesFeatures } from './frozen-views.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { scaledSchedule } from './schedule.ts';
import { checkConfig } from './setting-issues.ts';

export const PRESETS = ['small', 'quick', 'standard', 'paper', 'photos-20', 'photos-200', 'photos-2000'] as const;
export type PresetName = (typeof PRESETS)[number];

export interface Preset {
  title: string;
  summary: string;
  /** Blocks a stage of the small ResNet that small pictures get. */
  blocks: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  bankSize: number;
  keepBank: boolean;
  /** Weights to begin with; null: at random. */
  pretrained: Pretrained | null;
}

export interface Pretrained {
  /** Name of the backbone's pack. */
  backbone: string;
  tune: Tuning;
  weightDecay: number;
  /** Smallest share of a picture that a random part has: few pictures are learned by heart if they always show all. */
  leastArea: number;
}

export const PRESET_SETTINGS: Readonly<Record<PresetName, Preset>> = {
  small: {
    title: 'Small set',
    summary: 'For up to some 5,000 small pictures: a small network, small batches, a bank that is kept.',
    blocks: 1,
    epochs: 20,
    batchSize: 32,
    learningRate: 0.05,
    bankSize: 256,
    keepBank: true,
    pretrained: null,
  },
  quick: {
    title: 'Quick',
    summary: 'A first look at a larger set: ResNet-32 for 10 epochs.',
    blocks: 5,
    epochs: 10,
    batchSize: 128,
    learningRate: 0.05,
    bankSize: 128,
    keepBank: false,
    pretrained: null,
  },
  standard: {
    title: 'Standard',
    summary: 'ResNet-32 for 60 epochs.',
    blocks: 5,
    epochs: 60,
    batchSize: 128,
    learningRate: 0.1,
    bankSize: 128,
    keepBank: false,
    pretrained: null,
  },
  paper: {
    title: 'Paper',
    summary: 'As the paper has it (NeurIPS 2023, arXiv 2310.18236): ResNet-32, 200 epochs, rate 0.2.',
    blocks: 5,
    epochs: 200,
    batchSize: 128,
    learningRate: 0.2,
    bankSize: 128,
    keepBank: false,
    pretrained: null,
  },
  'photos-20': {
    title: 'Photographs, some 20 a class',
    summary: 'EfficientNet-Lite0 with ImageNet weights stays as it is, and the heads alone learn: seconds to minutes.',
    blocks: 1,
    epochs: 10,
    batchSize: 32,
    learningRate: 0.02,
    bankSize: 64,
    keepBank: true,
    pretrained: {
      backbone: 'efficientnet-lite0',
      tune: { stages: 0, rate: 1, batchNorm: 'frozen' },
      weightDecay: 1e-3,
      leastArea: 0.35,
    },
  },
  'photos-200': {
    title: 'Photographs, some 200 a class',
    summary: 'EfficientNet-Lite0 with ImageNet weights: its last stages learn on, a tenth as fast as the heads.',
    blocks: 1,
    epochs: 12,
    batchSize: 32,
    learningRate: 0.02,
    bankSize: 64,
    keepBank: true,
    pretrained: {
      backbone: 'efficientnet-lite0',
      tune: { stages: 3, rate: 0.1, batchNorm: 'frozen' },
      weightDecay: 5e-4,
      leastArea: 0.35,
    },
  },
  'photos-2000': {
    title: 'Photographs, some 2,000 a class',
    summary:
      'EfficientNet-Lite0 with ImageNet weights: all of it learns on, a tenth as fast as the heads. Takes hours.',
    blocks: 1,
    epochs: 10,
    batchSize: 32,
    learningRate: 0.02,
    bankSize: 128,
    keepBank: true,
    pretrained: {
      backbone: 'efficientnet-lite0',
      tune: { stages: 'all', rate: 0.1, batchNorm: 'batch' },
      weightDecay: 5e-4,
      leastArea: 0.2,
    },
  },
};

/** Input sizes that are offered. */
export const INPUT_SIZES = [32, 48, 64, 96, 128, 160, 192, 224] as const;

/**
 * The input size that fits a set of pictures: the smallest offered size that is not below their median shorter side, so
 * that pictures are neither blown up nor thrown away, and at most 128: beyond that, training on processors takes days.
 */
export function proposeInputSize(sides: readonly SideCount[]): number {
  const median = medianSide(sides);
  return INPUT_SIZES.find((size) => size >= median && size <= 128) ?? 128;
}

/** Pictures that have a shorter side of this many pixels. */
interface SideCount {
  side: number;
  count: number;
}

/** Median shorter side, pixels; 0 without any. */
export function medianSide(sides: readonly SideCount[]): number {
  const sorted = sides.toSorted((a, b) => a.side - b.side);
  let above = Math.floor(sorted.reduce((sum, { count }) => sum + count, 0) / 2);
  return sorted.find(({ count }) => (above -= count) < 0)?.side ?? 0;
}

/**
 * How much more a step costs at this size than at 32 pixels, with the same network: its area against theirs.
 */
export function sizeCost(inputSize: number): number {
  return (inputSize / 32) ** 2;
}

/** The network for an input size: the CIFAR form for small pictures, ResNet-18 from 64 px on. */
export function modelFor(inputSize: number, blocks: number): ModelConfig {
  return inputSize < 64 ? { kind: 'resnet-cifar', blocks } : { kind: 'resnet18' };
}

/** What a person may set; everything else follows from preset and method. */
export type TrainOverrides = Partial<Omit<TrainConfig, 'method' | 'augment' | 'lambda' | 'weights' | 'tune'>> & {
  augment?: Partial<TrainConfig['augment']>;
  lambda?: Partial<TrainConfig['lambda']>;
  tune?: Partial<Tuning>;
  /** The rest follows from the name, where the pack is here. */
  weights?: (Partial<StartingWeights> & Pick<StartingWeights, 'name'>) | null;
};

/** How pictures of an input size are augmented (method.md 3.1): as CIFAR's up to 64 px, beyond that as ImageNet's. */
export function augmentFor(inputSize: number): TrainConfig['augment'] {
  const photos = inputSize > 64;
  return { crop: photos ? 'resized' : 'padded', pad: 0.125, flip: true, leastArea: 0.08, jitter: photos ? 0.4 : 0 };
}

/**
 * The whole configuration of a run.
 * @throws UserError 'usage' naming the setting that is out of its range
 */
export function makeConfig(
  method: TrainConfig['method'],
  presetName: PresetName,
  inputSize: number,
  overrides: TrainOverrides = {},
): TrainConfig {
  const checked = checkConfig(candidateConfig(method, presetName, inputSize, overrides));
  if ('config' in checked) return checked.config;
  throw new UserError('usage', checked.issues[0].message);
}

/** The same before anything has been checked: for `checkConfig`. */
export function candidateConfig(
  method: TrainConfig['method'],
  presetName: PresetName,
  inputSize: number,
  overrides: TrainOverrides,
): object {
  const { blocks, epochs, batchSize, learningRate, bankSize, keepBank, pretrained } = PRESET_SETTINGS[presetName];
  const weights = overrides.weights === undefined ? pretrained && { name: pretrained.backbone } : overrides.weights;
  const start = weights && pretrained;
  const chosen = ModelConfig.safeParse(overrides.model ?? { kind: weights?.name }).data;
  const trainedAt = weights && chosen ? backboneOf(chosen).inputSize : null;
  const size = overrides.inputSize ?? trainedAt ?? inputSize;
  const tune = { ...(start?.tune ?? WHOLE), ...overrides.tune };
  return {
    method,
    model: chosen ?? modelFor(size, blocks),
    inputSize: size,
    epochs,
    batchSize,
    learningRate,
    momentum: 0.9,
    weightDecay: start?.weightDecay ?? 2e-4,
    ...(tune.stages === 0 && FROZEN_HEADS),
    ...scaledSchedule(overrides.epochs ?? epochs),
    delta: 0.8,
    bankSize: Math.max(bankSize, overrides.batchSize ?? 0),
    keepBank,
    contextClasses: 'any',
    mask: 'saliency',
    curatedShare: 0,
    curatedUses: 0,
    curatedUsesPer: 'run',
    groups: { ...DEFAULT_THRESHOLDS },
    minSteps: 20,
    evaluateEvery: 1,
    seed: 1,
    threads: 0,
    precision: 'float32',
    ...overrides,
    weights,
    tune,
    lambda: { min: 0, max: 1, per: 'batch', ...overrides.lambda },
    augment: { ...augmentFor(size), ...(start && photoAugment(start, tune)), ...overrides.augment },
  };
}

/**
 * Heads of a frozen backbone, on standardised features (`feature-scale.ts`), 10 epochs: what is within a standard error of
 * the best on pictures held out of training, where classes are even and, by the balanced head, where they are not (`bench
 * heads` looks again). Balanced accuracy over 8 draws by rate 0.0005, 0.001 and 0.002: 20 pets a class 95.6, 95.8 and 95.9 %;
 * 119, 60 and 15 of them 95.3, 95.2 and 94.8 %. Decays from 0.01 to 0.1 differ by 0.2 at most.
 */
const FROZEN_HEADS = { learningRate: 1e-3, weightDecay: 1e-2 } as const;

/** Everything is trained alike. */
const WHOLE: Tuning = { stages: 'all', rate: 1, batchNorm: 'batch' };

/** What differs for photographs: a frozen backbone sees them whole, as they are or in a mirror. */
function photoAugment({ leastArea }: Pretrained, { stages }: Partial<Tuning>): Partial<TrainConfig['augment']> {
  return stages === 0 ? { crop: 'padded', pad: 0, jitter: 0, leastArea } : { leastArea };
}

/** A setting that was changed because the data set is small, or does not count, and why. */
export interface SmallSetRule {
  setting: 'keepBank' | 'minSteps' | 'tune.stages';
  message: string;
}

/** What is done where the backbone is frozen as a whole. */
function frozenRule({ method }: TrainConfig): string {
  const kept =
    'The backbone is frozen: what it makes of each picture, whole and in a mirror, is kept, and random parts and colour jitter are not used. The heads begin at zero and learn on standardised features.';
  if (!METHODS_BY_NAME[method].looks) return kept;
  return `${kept} Where contexts are cut is seen from maps that are kept too, up to 2 GiB of them; pictures that contexts are laid on go through it anew at each step.`;
}

function stepsText(steps: number): string {
  if (steps === 0) return 'less than a step';
  return steps === 1 ? '1 step' : `${steps} steps`;
}

/**
 * Fit a configuration to a small set: a bank that is emptied each epoch and could not fill again within a tenth of it is
 * carried over instead.
 * @param trainImages number of training images
 */
export function applySmallSetRules(
  config: TrainConfig,
  trainImages: number,
): { config: TrainConfig; rules: SmallSetRule[] } {
  const rules: SmallSetRule[] = [];
  const pass = Math.floor(trainImages / config.batchSize);
  const steps = Math.max(config.minSteps, pass);
  if (pass < config.minSteps) {
    rules.push({
      setting: 'minSteps',
      message: `A pass over ${trainImages} images is ${stepsText(pass)}; an epoch has ${steps}, so images are shown more than once in it.`,
    });
  }
  if (usesFeatures(config)) rules.push({ setting: 'tune.stages', message: frozenRule(config) });
  let fitted = config;
  // Filling takes at least a batch of contexts; even when every sample is confident that is one step a batch.
  const stepsToFill = Math.ceil(config.bankSize / config.batchSize);
  if (config.method === 'csa' && !config.keepBank && stepsToFill > steps / 10) {
    fitted = { ...config, keepBank: true };
    rules.push({
      setting: 'keepBank',
      message: `The bank of ${config.bankSize} takes ${stepsToFill} steps to fill and an epoch has ${steps}: it is carried over from epoch to epoch.`,
    });
  }
  return { config: fitted, rules };
}
