/** Between head and tail of a finished run, without training: curves, one point of them, and the variants that are kept. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { DifferenceByGroup, Difference, Head, HeadSummary } from './figures.ts';

export const ADJUSTMENT_KINDS = ['logit-adjustment', 'tau-norm'] as const;
/** "logit-adjustment": logits less tau times the log prior · "tau-norm": logits over the length of the weights to tau. */
export const AdjustmentKind = z.enum(ADJUSTMENT_KINDS).meta({ id: 'AdjustmentKind' });
export type AdjustmentKind = z.infer<typeof AdjustmentKind>;

export const CALIBRATION_KINDS = ['none', 'overall', 'group'] as const;
/** Whether logits are divided by one temperature, or by that of the group of the class that is answered. */
export const Calibration = z.enum(CALIBRATION_KINDS).meta({ id: 'Calibration' });
export type Calibration = z.infer<typeof Calibration>;

const ChosenOn = z.enum(['val', 'half']);

/** What was measured, and on which images. */
const Measured = z.object({
  head: Head,
  kind: AdjustmentKind,
  /** What the run was judged on, such as "test as found". */
  split: z.string(),
  /** What tau and temperatures are chosen on: the val split, or one half of what the run was judged on. */
  chosenOn: ChosenOn,
  /** Images that these are chosen on, and those of "split" that the figures are reported on. */
  choosing: z.number(),
  reporting: z.number(),
});

export const AdjustmentCurve = Measured.extend({
  /** By rising tau; 0 is the run itself. */
  points: z.array(
    z.object({
      tau: z.number(),
      /** Macro recall on the images that choose; null where there are none. */
      chosenBy: z.number().nullable(),
      /** On the images that report. */
      figures: HeadSummary.omit({ ranges: true }),
    }),
  ),
  /** The tau of the largest macro recall on the images that choose. */
  suggested: z.number(),
}).meta({ id: 'AdjustmentCurve' });
export type AdjustmentCurve = z.infer<typeof AdjustmentCurve>;

/** 1 leaves probabilities as they are. */
export const Temperatures = z.object({
  overall: z.number(),
  groups: z.object({ many: z.number(), medium: z.number(), few: z.number() }),
});
export type Temperatures = z.infer<typeof Temperatures>;

export const Reliability = z
  .object({
    /** Expected calibration error over 15 bins of equal width; null without answers. */
    error: z.number().nullable(),
    answers: z.number(),
    /** Bins that hold answers, by rising confidence. */
    bins: z.array(
      z.object({
        /** Mean confidence of its answers. */
        confidence: z.number(),
        /** Share of right answers with its 95 % interval. */
        right: z.object({ value: z.number(), low: z.number(), high: z.number(), images: z.number() }),
      }),
    ),
  })
  .meta({ id: 'Reliability' });
export type Reliability = z.infer<typeof Reliability>;

/** Of all answers, and of those whose class is of a group. */
const ReliabilityByGroup = z.object({
  all: Reliability,
  many: Reliability,
  medium: Reliability,
  few: Reliability,
});

export const AdjustmentPoint = Measured.extend({
  tau: z.number(),
  /** On the images that report, of the run and of the adjusted one. */
  before: HeadSummary,
  after: HeadSummary,
  /** After less before. */
  differences: z.object({
    overall: Difference.nullable(),
    macroRecall: Difference.nullable(),
    groups: DifferenceByGroup,
  }),
  /** Fitted on the images that choose. */
  temperatures: Temperatures,
  /** Of the adjusted answers on the images that report, under each calibration. */
  reliability: z.object({ none: ReliabilityByGroup, overall: ReliabilityByGroup, group: ReliabilityByGroup }),
}).meta({ id: 'AdjustmentPoint' });
export type AdjustmentPoint = z.infer<typeof AdjustmentPoint>;

/** What was measured when a variant was kept; all on the images that report. */
export const VariantFigures = z.object({
  split: z.string(),
  /** Variants of before there was a choice were chosen on a half. */
  chosenOn: ChosenOn.default('half'),
  choosing: z.number(),
  reporting: z.number(),
  /** Of the run, and of the variant. */
  before: HeadSummary,
  after: HeadSummary,
  /** Expected calibration error of the adjusted answers without and with the variant's calibration. */
  calibrationError: z.object({ before: z.number().nullable(), after: z.number().nullable() }),
});
export type VariantFigures = z.infer<typeof VariantFigures>;

export const Variant = z
  .object({
    id: z.number(),
    runId: z.number(),
    name: z.string(),
    head: Head,
    kind: AdjustmentKind,
    tau: z.number(),
    calibration: Calibration,
    temperatures: Temperatures,
    figures: VariantFigures,
    createdAt: z.string(),
  })
  .meta({ id: 'Variant' });
export type Variant = z.infer<typeof Variant>;

const VariantName = z.string().trim().min(1).max(100);
const OfAdjustment = z.object({
  kind: AdjustmentKind.default('logit-adjustment'),
  /** The head that the run is judged by when absent. */
  head: Head.optional(),
});

export const VARIANT_ENDPOINTS = {
  'GET /api/projects/{project}/runs/{run}/adjustment': {
    summary: 'Figures between head and tail over tau, without training, and the tau that is suggested.',
    query: OfAdjustment,
    response: AdjustmentCurve,
  },
  'GET /api/projects/{project}/runs/{run}/adjustment/point': {
    summary: 'One tau: figures before and after with paired differences, temperatures, and reliability.',
    query: OfAdjustment.extend({ tau: z.number() }),
    response: AdjustmentPoint,
  },
  'GET /api/projects/{project}/runs/{run}/variants': {
    summary: 'The variants of a run, oldest first.',
    response: z.array(Variant),
  },
  'POST /api/projects/{project}/runs/{run}/variants': {
    summary: 'Keep a point between head and tail as a variant, with a model file of its own.',
    body: z.strictObject({
      ...OfAdjustment.shape,
      name: VariantName,
      tau: z.number(),
      calibration: Calibration.default('group'),
    }),
    response: Variant,
  },
  'PATCH /api/projects/{project}/variants/{variant}': {
    summary: 'Rename a variant.',
    body: z.strictObject({ name: VariantName }),
    response: Variant,
  },
  'DELETE /api/projects/{project}/variants/{variant}': {
    summary: 'Delete a variant; its model file goes with the next clean-up.',
    response: z.object({}),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
