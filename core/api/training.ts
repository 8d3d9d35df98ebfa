/** Training: what a run would be and cost on this data, starting runs, and watching the one at work. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { GroupName } from './figures.ts';
import { METHOD_NAMES, RUN_STATES, RunWarning } from './runs.ts';
import { Task } from './tasks.ts';

export const PRESET_NAMES = ['small', 'quick', 'standard', 'paper', 'photos-20', 'photos-200', 'photos-2000'] as const;
export const PresetName = z.enum(PRESET_NAMES);
export type PresetName = z.infer<typeof PresetName>;

export const MethodName = z.enum(METHOD_NAMES);
export type MethodName = z.infer<typeof MethodName>;

/** Most runs that one request starts. */
export const MOST_RUNS = 60;

/** Runs that are asked for: one for each method and seed. */
export const TrainingRequest = z
  .object({
    preset: PresetName,
    methods: z.array(MethodName).min(1).max(METHOD_NAMES.length),
    seeds: z.array(z.int().min(0).max(4_294_967_295)).min(1).max(20),
    /** Settings that differ from the preset's, by name, as {"epochs": 30, "lambda": {"max": 0.5}}. */
    settings: z.record(z.string().max(40), z.json()).default({}),
    /** Shown name of the runs; made from method and seed when absent. */
    name: z.string().trim().min(1).max(150).optional(),
  })
  .meta({ id: 'TrainingRequest' });
export type TrainingRequest = z.infer<typeof TrainingRequest>;

/** What should be looked at before a start. An "error" is what a start would be refused for. */
export const TrainingCheck = z
  .object({
    name: z.enum([
      'no-images',
      'no-test-split',
      'one-class',
      'empty-bank',
      'no-backbone',
      'untrained-classes',
      'tiny-classes',
      'untested-classes',
      'lost-images',
      'leaks',
      'near-leaks',
      'never-balanced',
      'little-memory',
      'little-disk',
    ]),
    severity: z.enum(['error', 'warning']),
    message: z.string(),
  })
  .meta({ id: 'TrainingCheck' });
export type TrainingCheck = z.infer<typeof TrainingCheck>;

/** What a setting may be. */
export const SettingRange = z
  .object({
    /** Path such as "lambda.min". */
    setting: z.string(),
    minimum: z.number().nullable(),
    maximum: z.number().nullable(),
    whole: z.boolean(),
    choices: z.array(z.string()).nullable(),
  })
  .meta({ id: 'SettingRange' });
export type SettingRange = z.infer<typeof SettingRange>;

export const TrainingSetup = z
  .object({
    presets: z.array(
      z.object({
        name: PresetName,
        title: z.string(),
        summary: z.string(),
        epochs: z.number(),
        batchSize: z.number(),
        /** Name of the weights that it begins with; null: at random. */
        backbone: z.string().nullable(),
        /** The one that fits the size of the data set. */
        proposed: z.boolean(),
      }),
    ),
    /** Pretrained weights to begin with, by name; those that are not here can be got. */
    backbones: z.array(z.object({ name: z.string(), title: z.string(), here: z.boolean() })),
    methods: z.array(z.object({ name: MethodName, title: z.string(), summary: z.string() })),
    ranges: z.array(SettingRange),
    trainImages: z.number(),
    classes: z.number(),
    /** The split that runs are judged on; null without any. */
    evaluation: z.object({ split: z.enum(['val', 'test']), images: z.number() }).nullable(),
    /** Input size that fits the pictures, pixels. */
    proposedInputSize: z.number(),
    /** What the curated bank would be: accepted contexts, of how many classes, and plain backgrounds. */
    bank: z.object({ contexts: z.number(), classes: z.number(), backgrounds: z.number() }),
    /** Whether this processor computes bfloat16 itself. */
    bfloat16: z.boolean(),
  })
  .meta({ id: 'TrainingSetup' });
export type TrainingSetup = z.infer<typeof TrainingSetup>;

export const SettingIssue = z.object({ setting: z.string(), message: z.string() });

export const TrainingEstimate = z
  .object({
    method: MethodName,
    /** Network, as in "ResNet-32". */
    network: z.string(),
    parameters: z.number(),
    /** Of one run; null while nothing like it was ever measured here. */
    secondsPerEpoch: z.number().nullable(),
    seconds: z.number().nullable(),
    /** Most memory that the run's process will hold, bytes; null as above. */
    memory: z.number().nullable(),
    /** Bytes of its checkpoint, and of the model in the end. */
    checkpointBytes: z.number(),
    modelBytes: z.number(),
    /** What time and memory are taken from: a run of this project, a trial on this machine, nothing. */
    source: z.enum(['run', 'trial', 'none']),
    /** The same in a sentence. */
    basis: z.string(),
  })
  .meta({ id: 'TrainingEstimate' });
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;

export const TrainingPlan = z
  .object({
    /** What is wrong with settings; the rest is then null or empty. */
    issues: z.array(SettingIssue),
    /** The whole configuration of the first run; what is not set follows from preset, method and data. */
    config: z.record(z.string(), z.json()).nullable(),
    /** The configuration without any own setting. */
    defaults: z.record(z.string(), z.json()),
    stepsPerEpoch: z.number().nullable(),
    /** How much more a step costs than at 32 pixels. */
    cost: z.number().nullable(),
    /** Settings that were changed because the set is small, a sentence each. */
    notes: z.array(z.string()),
    /** One for each method. */
    estimates: z.array(TrainingEstimate),
    checks: z.array(TrainingCheck),
    /** One for each run: what does the same on the command line. */
    commands: z.array(z.string()),
  })
  .meta({ id: 'TrainingPlan' });
export type TrainingPlan = z.infer<typeof TrainingPlan>;

/** Losses of one step; see the event "run-step". */
export const LiveStep = z.object({
  step: z.number(),
  uniformLoss: z.number(),
  balancedLoss: z.number().nullable(),
  imagesPerSecond: z.number().nullable(),
});
export type LiveStep = z.infer<typeof LiveStep>;

export const LiveRun = z
  .object({
    id: z.number(),
    name: z.string(),
    method: MethodName,
    methodTitle: z.string(),
    seed: z.number(),
    state: z.enum(RUN_STATES),
    /** Why it failed or stopped. */
    reason: z.string().nullable(),
    /** Seconds of work, without the attempt that goes on. */
    seconds: z.number(),
    epochs: z.number(),
    epochsDone: z.number(),
    stepsPerEpoch: z.number(),
    /** Epoch, counted from 0, from which the balanced branch is trained; null for methods without one. */
    startBalanced: z.number().nullable(),
    delta: z.number(),
    /** Its losses since the service started, thinned out evenly when there are many. */
    steps: z.array(LiveStep),
    /** The bank at the end of the last epoch; null for methods without one and before. */
    bank: z
      .object({
        contexts: z.number(),
        capacity: z.number(),
        /** Mean of the masks, 0 to 1. */
        meanArea: z.number().nullable(),
        /** Classes that have contexts in it, the most first. */
        classes: z.array(z.object({ name: z.string(), group: GroupName, contexts: z.number() })),
        /** Classes of the run without any. */
        absent: z.number(),
      })
      .nullable(),
    /** Share of the samples of the last epoch with p >= delta; null as above. */
    confidentShare: z.number().nullable(),
    /** Steps of the last epoch that laid contexts on, and all. */
    mixedSteps: z.object({ mixed: z.number(), all: z.number() }).nullable(),
    warnings: z.array(RunWarning),
  })
  .meta({ id: 'LiveRun' });
export type LiveRun = z.infer<typeof LiveRun>;

export const RunPreview = z
  .object({
    /** Counted from 0. */
    epoch: z.number(),
    step: z.number(),
    /** Side of a tile, pixels. */
    size: z.number(),
    columns: z.number(),
    /** In rows from the top left: class of the picture, class of the context over it, how strongly. */
    tiles: z.array(
      z.object({ className: z.string(), contextClass: z.string().nullable(), lambda: z.number().nullable() }),
    ),
    /** The sheet as WebP, base64. */
    sheet: z.string(),
  })
  .meta({ id: 'RunPreview' });
export type RunPreview = z.infer<typeof RunPreview>;

export const TRAINING_ENDPOINTS = {
  'GET /api/projects/{project}/training': {
    summary: 'Presets, methods, ranges of settings, and what of the data matters for training.',
    response: TrainingSetup,
  },
  'POST /api/projects/{project}/training/plan': {
    summary: 'What these runs would be and cost, and what is wrong with the settings; starts nothing.',
    body: TrainingRequest,
    response: TrainingPlan,
  },
  'POST /api/projects/{project}/training/trial': {
    summary: 'Measure some steps of these methods on this machine, for the estimate.',
    body: TrainingRequest,
    response: Task,
  },
  'POST /api/projects/{project}/runs': {
    summary: 'Put runs into the queue, method by method for each seed.',
    body: TrainingRequest,
    response: z.array(Task),
  },
  'GET /api/projects/{project}/runs/{run}/request': {
    summary: 'What to ask for to get a run like this one.',
    response: TrainingRequest,
  },
  'GET /api/projects/{project}/runs/{run}/live': {
    summary: 'A run at work: losses between epochs, health of the balanced branch, warnings.',
    response: LiveRun,
  },
  'GET /api/projects/{project}/runs/{run}/preview': {
    summary: 'What the balanced branch saw last, as pictures; null when there are none (yet, or any more).',
    response: RunPreview.nullable(),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
