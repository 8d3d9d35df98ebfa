/** Runs: the history, what a person writes on them, their figures, and what they answered for each test image. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Estimate, GroupName, Head, HeadSummary, Thresholds } from './figures.ts';
import { Task } from './tasks.ts';

export const RUN_STATES = ['queued', 'running', 'stopped', 'finished', 'failed'] as const;
export const METHOD_NAMES = ['ce', 'cbrs', 'control', 'csa'] as const;

/** A run as the history shows it. */
export const RunRow = z
  .object({
    id: z.number(),
    name: z.string(),
    method: z.enum(METHOD_NAMES),
    seed: z.number(),
    state: z.enum(RUN_STATES),
    /** Why it failed or stopped. */
    reason: z.string().nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    /** Seconds of work. */
    seconds: z.number(),
    /** Epochs that were asked for, and those that are over. */
    epochs: z.number().nullable(),
    epochsDone: z.number(),
    datasetHash: z.string(),
    /** It has a model, so pictures can be shown to it. */
    model: z.boolean(),
    tags: z.array(z.string()),
    starred: z.boolean(),
    trashedAt: z.string().nullable(),
    /** The beginning of its notes. */
    note: z.string(),
    /** Of the head that it is judged by, after the last epoch; null before there are any. */
    figures: z
      .object({
        head: Head,
        /** What they are measured on, such as "test as found". */
        split: z.string(),
        top1: z.number().nullable(),
        macroRecall: z.number().nullable(),
        many: z.number().nullable(),
        medium: z.number().nullable(),
        few: z.number().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'RunRow' });
export type RunRow = z.infer<typeof RunRow>;

export const RUN_ORDERS = [
  'created',
  'name',
  'method',
  'state',
  'seed',
  'epochs',
  'seconds',
  'top1',
  'macroRecall',
  'many',
  'medium',
  'few',
] as const;
export const RunOrder = z.enum(RUN_ORDERS);
export type RunOrder = z.infer<typeof RunOrder>;

export const RunHistory = z
  .object({
    /** Those that were asked for, in the order asked for. */
    runs: z.array(RunRow),
    /** Runs that are not in the trash, and those that are. */
    total: z.number(),
    trashed: z.number(),
    /** All tags in use, the most used first. */
    tags: z.array(z.object({ tag: z.string(), runs: z.number() })),
  })
  .meta({ id: 'RunHistory' });
export type RunHistory = z.infer<typeof RunHistory>;

export const RunWarning = z.object({ name: z.string(), message: z.string(), epoch: z.number() });

/** Everything that a run's digits depend on. */
export const ReproducibilityCard = z
  .object({
    run: z.number(),
    name: z.string(),
    method: z.enum(METHOD_NAMES),
    seed: z.number(),
    config: z.record(z.string(), z.json()),
    datasetHash: z.string(),
    trainImages: z.number(),
    /** Null without a curated bank. */
    bankHash: z.string().nullable(),
    codeVersion: z.string(),
    /** TensorFlow, device, threads, processor; null before the start. */
    engine: z.record(z.string(), z.union([z.string(), z.number()])).nullable(),
    precision: z.string(),
    createdAt: z.string(),
    seconds: z.number(),
  })
  .meta({ id: 'ReproducibilityCard' });
export type ReproducibilityCard = z.infer<typeof ReproducibilityCard>;

export const RunDetail = z
  .object({
    run: RunRow,
    notes: z.string(),
    /** Name of the method for people. */
    methodTitle: z.string(),
    /** Its network and the weights that it began with, and what of them was trained, for people. */
    network: z.string(),
    trained: z.string(),
    /** The study that it was made for; null for most. */
    study: z.number().nullable(),
    /** Its answers for each test image are kept: it has finished. */
    answers: z.boolean(),
    /** The head that it is judged by. */
    judgedBy: Head,
    classes: z.number(),
    /** What the figures are measured on and by how many images; null before there are any. */
    measured: z.object({ split: z.string(), images: z.number() }).nullable(),
    /** Of its last epoch; null before there is one. */
    timing: z
      .object({
        imagesPerSecond: z.number(),
        /** Share of the steps' time for which they waited for pictures, 0 to 1. */
        inputShare: z.number(),
        /** Most memory that its process held, bytes. */
        peakMemory: z.number(),
      })
      .nullable(),
    thresholds: Thresholds,
    /** How many classes each group has. */
    groupSizes: z.object({ many: z.number(), medium: z.number(), few: z.number() }),
    heads: z.object({
      uniform: HeadSummary.nullable(),
      balanced: HeadSummary.nullable(),
      mean: HeadSummary.nullable(),
    }),
    warnings: z.array(RunWarning),
    card: ReproducibilityCard,
  })
  .meta({ id: 'RunDetail' });
export type RunDetail = z.infer<typeof RunDetail>;

export const CURVES = [
  'uniformLoss',
  'balancedLoss',
  'learningRate',
  'confidentShare',
  'bankFill',
  'imagesPerSecond',
  'uniform.top1',
  'uniform.macroRecall',
  'uniform.many',
  'uniform.medium',
  'uniform.few',
  'balanced.top1',
  'balanced.macroRecall',
  'balanced.many',
  'balanced.medium',
  'balanced.few',
  'mean.top1',
  'mean.macroRecall',
  'mean.many',
  'mean.medium',
  'mean.few',
] as const;
export const CurveName = z.enum(CURVES);
export type CurveName = z.infer<typeof CurveName>;

export const RunCurves = z
  .object({
    /** Epochs that the values are of, counted from 0. */
    epochs: z.array(z.number()),
    /** A value for each of `epochs`; null where there is none. Curves without any value are left out. */
    curves: z.array(z.object({ name: CurveName, values: z.array(z.number().nullable()) })),
    /** Ask from here to get what comes later. */
    next: z.number(),
  })
  .meta({ id: 'RunCurves' });
export type RunCurves = z.infer<typeof RunCurves>;

export const ClassRow = z
  .object({
    /** Position in the run's list of classes. */
    label: z.number(),
    /** Id in the project. */
    classId: z.number(),
    name: z.string(),
    group: GroupName,
    /** Training and test images. */
    trained: z.number(),
    tested: z.number(),
    recall: Estimate.nullable(),
    precision: Estimate.nullable(),
    f1: Estimate.nullable(),
  })
  .meta({ id: 'ClassRow' });
export type ClassRow = z.infer<typeof ClassRow>;

export const RunClasses = z
  .object({
    head: Head,
    /** In label order. */
    classes: z.array(ClassRow),
  })
  .meta({ id: 'RunClasses' });
export type RunClasses = z.infer<typeof RunClasses>;

export const Confusion = z
  .object({
    head: Head,
    /** Class names and training images in label order. */
    classes: z.array(z.object({ classId: z.number(), name: z.string(), trained: z.number() })),
    /** Cells that are not 0, each as true label, predicted label, images; one after the other. */
    cells: z.array(z.number()),
  })
  .meta({ id: 'Confusion' });
export type Confusion = z.infer<typeof Confusion>;

export const ANSWER_KINDS = ['all', 'right', 'wrong'] as const;
export const ANSWER_ORDERS = ['confidence', 'true-probability', 'image'] as const;

/** Answers, column by column: the i-th of each list belong together. */
export const Answers = z
  .object({
    head: Head,
    /** Ids of the images. */
    images: z.array(z.number()),
    /** True and predicted label of each. */
    truth: z.array(z.number()),
    predicted: z.array(z.number()),
    /** Probability of the predicted and of the true class. */
    confidence: z.array(z.number()),
    trueProbability: z.array(z.number()),
  })
  .meta({ id: 'Answers' });
export type Answers = z.infer<typeof Answers>;

/** Evidence for a class in the part of a picture that the model saw. */
export const SaliencyMap = z
  .object({
    label: z.number(),
    /** Size of its grid. */
    width: z.number(),
    height: z.number(),
    /** One byte a cell, rows from the top, in base64; 255 is the strongest evidence. */
    data: z.string(),
    /** What the model saw, in shares of the upright picture's width and height. */
    box: z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() }),
  })
  .meta({ id: 'SaliencyMap' });
export type SaliencyMap = z.infer<typeof SaliencyMap>;

export const RunSaliency = z
  .object({
    /** Those that are known by now, in the order asked for. */
    maps: z.array(z.object({ image: z.number(), map: SaliencyMap })),
    /** Finds the rest: ask again when it is done. Null when there is no rest. */
    task: Task.nullable(),
  })
  .meta({ id: 'RunSaliency' });
export type RunSaliency = z.infer<typeof RunSaliency>;

/** Most pictures that saliency is asked for at once. */
export const MOST_SALIENCY = 200;

const RunIds = z.object({ runs: z.array(z.int().positive()).min(1).max(10_000) });
const OfHead = z.object({
  /** The head that the run is judged by when absent. */
  head: Head.optional(),
});

export const RUN_ENDPOINTS = {
  'GET /api/projects/{project}/runs': {
    summary: 'The history: runs by search, filter and order.',
    query: z.object({
      /** Words that must all stand in name, tags, notes, method, network or the weights that it began with. */
      search: z.string().max(200).default(''),
      states: z.array(z.enum(RUN_STATES)).default([]),
      methods: z.array(z.enum(METHOD_NAMES)).default([]),
      /** Runs that have all of these tags. */
      tags: z.array(z.string()).default([]),
      starred: z.boolean().default(false),
      /** What is in the trash, instead of what is not. */
      trashed: z.boolean().default(false),
      order: RunOrder.default('created'),
      descending: z.boolean().default(true),
    }),
    response: RunHistory,
  },
  'GET /api/projects/{project}/runs/{run}': {
    summary: 'One run, with figures by head and group.',
    response: RunDetail,
  },
  'PATCH /api/projects/{project}/runs/{run}': {
    summary: 'Rename a run, star it, write notes and tags.',
    body: z.strictObject({
      name: z.string().trim().min(1).max(200).optional(),
      notes: z.string().max(100_000).optional(),
      tags: z.array(z.string().trim().min(1).max(60)).max(50).optional(),
      starred: z.boolean().optional(),
    }),
    response: RunDetail,
  },
  'GET /api/projects/{project}/runs/{run}/curves': {
    summary: 'Losses and figures epoch by epoch, thinned out evenly; the last epoch is always there.',
    query: z.object({
      /** First epoch, counted from 0. */
      from: z.int().min(0).default(0),
      /** Most epochs in the answer. */
      points: z.int().min(2).max(5000).default(1000),
      /** All when empty. */
      curves: z.array(CurveName).default([]),
    }),
    response: RunCurves,
  },
  'GET /api/projects/{project}/runs/{run}/classes': {
    summary: 'Figures of every class after the last epoch.',
    query: OfHead,
    response: RunClasses,
  },
  'GET /api/projects/{project}/runs/{run}/confusion': {
    summary: 'How often each class was taken for each other one.',
    query: OfHead,
    response: Confusion,
  },
  'GET /api/projects/{project}/runs/{run}/answers': {
    summary: 'What the run answered for each test image.',
    query: OfHead.extend({
      kind: z.enum(ANSWER_KINDS).default('all'),
      /** Labels. */
      truth: z.int().min(0).optional(),
      predicted: z.int().min(0).optional(),
      order: z.enum(ANSWER_ORDERS).default('confidence'),
      descending: z.boolean().default(true),
    }),
    response: Answers,
  },
  'POST /api/projects/{project}/runs/{run}/saliency': {
    summary: 'What in the pictures speaks for a class: maps that are known, and a task that finds the others.',
    body: z.object({
      head: Head.optional(),
      /** Images of this project, each with the label that is asked about. */
      pictures: z
        .array(z.object({ image: z.int().positive(), label: z.int().min(0) }))
        .min(1)
        .max(MOST_SALIENCY),
    }),
    response: RunSaliency,
  },
  'POST /api/projects/{project}/run-trash': {
    summary: 'Throw runs away; they can be restored until the trash is emptied.',
    body: RunIds,
    response: z.object({}),
  },
  'POST /api/projects/{project}/run-trash/restore': {
    summary: 'Take runs out of the trash.',
    body: RunIds,
    response: z.object({}),
  },
  'GET /api/projects/{project}/run-trash': {
    summary: 'How much emptying the trash would free.',
    response: z.object({ runs: z.number(), bytes: z.number() }),
  },
  'POST /api/projects/{project}/run-trash/empty': {
    summary: 'Delete the runs in the trash for good, with the files that nothing else needs.',
    response: z.object({ runs: z.number(), bytes: z.number() }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
