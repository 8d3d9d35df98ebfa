/** What a run is told to do. One schema for the command line, the service and the stored run. */
import { z } from 'zod';

export const METHODS = ['ce', 'cbrs', 'control', 'csa'] as const;
export type MethodName = (typeof METHODS)[number];

export const PRECISIONS = ['float32', 'bfloat16'] as const;
export type Precision = (typeof PRECISIONS)[number];

export const ModelConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    /** CIFAR-form ResNet, 16/32/64 channels, 6n+2 layers: 5 blocks a stage is ResNet-32. */
    kind: z.literal('resnet-cifar'),
    blocks: z.int().min(1).max(9),
  }),
  /** ResNet-18, 64 to 512 channels, 7x7 stem: for pictures of 64 px and more. */
  z.strictObject({ kind: z.literal('resnet18') }),
  /** EfficientNet-Lite, for photographs and with pretrained weights: Lite0 at 224 px, Lite2 at 260 px. */
  z.strictObject({ kind: z.literal('efficientnet-lite0') }),
  z.strictObject({ kind: z.literal('efficientnet-lite2') }),
]);
export type ModelConfig = z.infer<typeof ModelConfig>;

const Channels = z.tuple([z.number(), z.number(), z.number()]);

/** Weights of a backbone that a run starts from. */
export const StartingWeights = z.strictObject({
  /** Of the pack, such as "efficientnet-lite0"; names a file. */
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/i),
  /** SHA-256 of the pack's file, 64 hex digits; null in a plan that is made where the pack is not: no run starts so. */
  hash: z.string().length(64).nullable().default(null),
  /** How they expect pixels, where the pack says so; null: as the backbone's published weights do. */
  normalisation: z.strictObject({ mean: Channels, deviation: Channels }).nullable().default(null),
});
export type StartingWeights = z.infer<typeof StartingWeights>;

/** What of a backbone is trained, and how. */
const Tuning = z.strictObject({
  /** Stages that are trained, counted from the last one; 0: the heads alone. */
  stages: z.union([z.int().min(0), z.literal('all')]).default('all'),
  /** Learning rate of the backbone's stages relative to that of the heads. */
  rate: z.number().positive().max(1).default(1),
  /** Statistics that trained stages normalise by: those of the batch, or the running ones, left as they are. */
  batchNorm: z.enum(['batch', 'frozen']).default('batch'),
});
export type Tuning = z.infer<typeof Tuning>;

export const TrainConfig = z.strictObject({
  method: z.enum(METHODS),
  model: ModelConfig,
  /** Null: drawn at random. */
  weights: StartingWeights.nullable().default(null),
  tune: Tuning.prefault({}),
  /** Side of the square network input, pixels. */
  inputSize: z.int().min(32).max(260),
  epochs: z.int().min(1).max(1000),
  /** Images a step of each stream. */
  batchSize: z.int().min(2).max(1024),
  /** Base rate of SGD with momentum, before warm-up and drops. */
  learningRate: z.number().positive().max(10),
  momentum: z.number().min(0).max(0.999),
  weightDecay: z.number().min(0).max(0.1),
  /** Linear warm-up over this many epochs: rate * (epoch + 1) / warmup, as the peer does. */
  warmupEpochs: z.int().min(0),
  /** 0-based epochs from which the rate is 0.1 and 0.01 of the base. */
  dropEpochs: z.tuple([z.int().min(0), z.int().min(0)]),
  /** 0-based epoch from which the balanced stream is trained (control, csa). */
  startBalanced: z.int().min(0),
  /** Smallest p(true class) of a sample whose context enters the bank. */
  delta: z.number().min(0).max(1),
  /** Contexts in the first-in-first-out bank. */
  bankSize: z.int().min(2).max(65536),
  /** Carry the bank over from epoch to epoch instead of emptying it at each start. */
  keepBank: z.boolean(),
  /** Which classes' confident samples enter the bank: any, or only those of the "many" group. */
  contextClasses: z.enum(['any', 'head']),
  lambda: z.strictObject({
    min: z.number().min(0).max(1),
    max: z.number().min(0).max(1),
    /** One draw for the whole batch (the paper's) or one for each image. */
    per: z.enum(['batch', 'image']),
  }),
  /** "saliency": (1 - A)^2 · "random": a random region of matched area, as a control. */
  mask: z.enum(['saliency', 'random']),
  /** Share of contexts drawn from the curated bank: 0 = the method's own only, 1 = curated only. */
  curatedShare: z.number().min(0).max(1),
  /** How often one context of the curated bank may be drawn, in the whole run or in each epoch; 0: any number of times. */
  curatedUses: z.int().min(0).max(1_000_000).default(0),
  curatedUsesPer: z.enum(['run', 'epoch']).default('run'),
  augment: z.strictObject({
    /** "padded": the whole picture, padded, and a crop of it · "resized": a random part of it, resized (method.md 3.1). */
    crop: z.enum(['padded', 'resized']).default('padded'),
    /** Zero padding on each side before the random crop, as a share of the input size: 0.125 is 4 px of 32. */
    pad: z.number().min(0).max(0.5),
    flip: z.boolean(),
    /** Smallest share of a picture's area that a resized part has. */
    leastArea: z.number().min(0.01).max(1).default(0.08),
    /** Colour jitter: brightness, contrast and saturation are each multiplied by up to 1 +- jitter; 0 is none. */
    jitter: z.number().min(0).max(1).default(0),
  }),
  /** Thresholds of the groups: many > many, few < few, by training count. */
  groups: z.strictObject({ many: z.int().min(1), few: z.int().min(1) }),
  /** An epoch has at least this many steps; small sets are cycled. */
  minSteps: z.int().min(1),
  /** Evaluate every this many epochs; the last epoch always is. */
  evaluateEvery: z.int().min(1),
  /** Whole number; everything random follows from it. */
  seed: z.int().min(0),
  /** Threads of the engine inside an operation; 0 = all cores. */
  threads: z.int().min(0).max(256),
  /** Of the maps between layers while training; weights, statistics and evaluation are float32. */
  precision: z.enum(PRECISIONS).default('float32'),
});
export type TrainConfig = z.infer<typeof TrainConfig>;
