/** The options of `train` as settings of a run. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { TrainConfig, Tuning } from '../../training/config.ts';
import { makeConfig, type PresetName, type TrainOverrides } from '../../training/presets.ts';
import { integer } from '../arguments.ts';

/** A number of contexts, or so many times the batch size. */
export type BankSize = { contexts: number } | { batches: number };

/** What commander makes of the options; a setting that is not given is the preset's. */
export interface TrainOptions {
  epochs?: number | undefined;
  batchSize?: number | undefined;
  learningRate?: number | undefined;
  momentum?: number | undefined;
  weightDecay?: number | undefined;
  inputSize?: number | undefined;
  backbone?: string | undefined;
  tune?: Tuning['stages'] | undefined;
  backboneRate?: number | undefined;
  batchNorm?: Tuning['batchNorm'] | undefined;
  model?: TrainConfig['model']['kind'] | undefined;
  blocks?: number | undefined;
  crop?: TrainConfig['augment']['crop'] | undefined;
  pad?: number | undefined;
  leastArea?: number | undefined;
  jitter?: number | undefined;
  flip: boolean;
  minSteps?: number | undefined;
  warmupEpochs?: number | undefined;
  dropEpochs?: [number, number] | undefined;
  startBalanced?: number | undefined;
  groups?: TrainConfig['groups'] | undefined;
  evaluateEvery?: number | undefined;
  delta?: number | undefined;
  bankSize?: BankSize | undefined;
  bank?: 'kept' | 'emptied' | undefined;
  contexts?: TrainConfig['contextClasses'] | undefined;
  lambda?: [number, number] | undefined;
  lambdaPer?: TrainConfig['lambda']['per'] | undefined;
  mask?: TrainConfig['mask'] | undefined;
  curated?: number | undefined;
  curatedUses?: number | undefined;
  curatedUsesPer?: TrainConfig['curatedUsesPer'] | undefined;
  seed?: number | undefined;
  threads?: number | undefined;
  precision?: TrainConfig['precision'] | undefined;
}

/** "256", or "5x" for five times the batch size. */
export function parseBankSize(text: string): BankSize {
  const times = /^(\d+)x$/.exec(text);
  if (times && Number(times[1]) >= 1) return { batches: Number(times[1]) };
  try {
    return { contexts: integer(2)(text) };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError('Expected a number of contexts, such as 256, or of batches, such as 5x.');
  }
}

/** "heads" is 0, "last:3" three stages, "all" every one. */
export function parseTune(text: string): Tuning['stages'] {
  if (text === 'all') return 'all';
  if (text === 'heads') return 0;
  const last = /^last:([1-9]\d?)$/.exec(text);
  if (last) return Number(last[1]);
  throw new InvalidArgumentError('Expected heads, all, or a number of last stages, such as last:3.');
}

/**
 * What differs from the preset.
 * @throws UserError 'usage' when the preset does not fit the method
 */
export function overridesFrom(
  options: TrainOptions,
  method: TrainConfig['method'],
  preset: PresetName,
  groups: TrainConfig['groups'],
): TrainOverrides {
  const base = makeConfig(method, preset, 32);
  const { bankSize, lambda, batchSize = base.batchSize } = options;
  const bank = bankSize && ('batches' in bankSize ? bankSize.batches * batchSize : bankSize.contexts);
  const [min, max] = lambda ?? [base.lambda.min, base.lambda.max];
  return definedOnly<TrainOverrides>({
    epochs: options.epochs,
    batchSize: options.batchSize,
    learningRate: options.learningRate,
    momentum: options.momentum,
    weightDecay: options.weightDecay,
    inputSize: options.inputSize,
    model: modelFrom(options),
    weights:
      options.backbone === undefined ? undefined : options.backbone === 'none' ? null : { name: options.backbone },
    tune: definedOnly<Tuning>({ stages: options.tune, rate: options.backboneRate, batchNorm: options.batchNorm }),
    augment: definedOnly<TrainConfig['augment']>({
      crop: options.crop,
      pad: options.pad,
      flip: options.flip,
      leastArea: options.leastArea,
      jitter: options.jitter,
    }),
    minSteps: options.minSteps,
    warmupEpochs: options.warmupEpochs,
    dropEpochs: options.dropEpochs,
    startBalanced: options.startBalanced,
    evaluateEvery: options.evaluateEvery,
    delta: options.delta,
    bankSize: bank,
    keepBank: options.bank === undefined ? undefined : options.bank === 'kept',
    contextClasses: options.contexts,
    lambda: { min, max, per: options.lambdaPer ?? base.lambda.per },
    mask: options.mask,
    curatedShare: options.curated,
    curatedUses: options.curatedUses,
    curatedUsesPer: options.curatedUsesPer,
    groups: options.groups ?? groups,
    seed: options.seed,
    threads: options.threads,
    precision: options.precision,
  });
}

function modelFrom({ model, blocks }: TrainOptions): TrainConfig['model'] | undefined {
  if (model === undefined && blocks === undefined) return undefined;
  if (model === undefined || model === 'resnet-cifar') return { kind: 'resnet-cifar', blocks: blocks ?? 5 };
  return { kind: model };
}

/** Without the fields that are undefined: they would hide the preset's. */
function definedOnly<Settings extends object>(settings: {
  [K in keyof Settings]?: Settings[K] | undefined;
}): Partial<Settings> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same fields, those that are left
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<Settings>;
}
