/** Comparing runs: settings, figures, paired differences, seeds, and the images that tell two runs apart. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Difference, DifferenceByGroup, GroupName, Head, HeadSummary, SeedDifference } from './figures.ts';
import { RunRow } from './runs.ts';

/** Most runs that are compared at once. */
export const MOST_COMPARED = 20;

/** Mean and standard deviation over seeds; no deviation from one. */
export const SeedFigure = z
  .object({ mean: z.number(), deviation: z.number().nullable(), seeds: z.number() })
  .meta({ id: 'SeedFigure' });
export type SeedFigure = z.infer<typeof SeedFigure>;

export const FIGURE_NAMES = ['top1', 'macroRecall', 'many', 'medium', 'few'] as const;
export const FigureName = z.enum(FIGURE_NAMES);
export type FigureName = z.infer<typeof FigureName>;

const figures = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({
    top1: schema.nullable(),
    macroRecall: schema.nullable(),
    many: schema.nullable(),
    medium: schema.nullable(),
    few: schema.nullable(),
  });

/** Runs with the same settings, data and bank that differ by their seed. */
export const SeedGroup = z
  .object({
    /** As in "Context-shift augmentation". */
    name: z.string(),
    /** In order of seed. */
    runs: z.array(z.object({ run: z.number(), seed: z.number() })),
    figures: figures(SeedFigure),
    /** Against the group of the baseline, paired by seed; null for that group itself and where no seed is shared. */
    differences: figures(SeedDifference).nullable(),
  })
  .meta({ id: 'SeedGroup' });
export type SeedGroup = z.infer<typeof SeedGroup>;

export const RunComparison = z
  .object({
    baseline: z.number(),
    runs: z.array(
      z.object({
        run: RunRow,
        head: Head,
        summary: HeadSummary.nullable(),
        /** Why it cannot be paired with the baseline image by image; null when it can, and for the baseline itself. */
        unpaired: z.string().nullable(),
      }),
    ),
    /** Settings that are not the same in all runs, each with its value in every run as text. */
    settings: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
    seedGroups: z.array(SeedGroup),
  })
  .meta({ id: 'RunComparison' });
export type RunComparison = z.infer<typeof RunComparison>;

export const ComparedClass = z
  .object({
    label: z.number(),
    classId: z.number(),
    name: z.string(),
    group: GroupName,
    trained: z.number(),
    /** Null without test images. */
    recall: Difference.nullable(),
  })
  .meta({ id: 'ComparedClass' });
export type ComparedClass = z.infer<typeof ComparedClass>;

export const PairComparison = z
  .object({
    baseline: z.number(),
    run: z.number(),
    /** The heads that were compared, and what both were judged on. */
    heads: z.tuple([Head, Head]),
    split: z.string(),
    images: z.number(),
    overall: Difference.nullable(),
    macroRecall: Difference.nullable(),
    groups: DifferenceByGroup,
    ranges: DifferenceByGroup,
    /** In label order. */
    classes: z.array(ComparedClass),
  })
  .meta({ id: 'PairComparison' });
export type PairComparison = z.infer<typeof PairComparison>;

/** Images that one of two runs has right and the other wrong, column by column. */
export const Disagreements = z
  .object({
    images: z.array(z.number()),
    truth: z.array(z.number()),
    /** What the baseline and the other run answered, and how sure each was. */
    baseline: z.array(z.number()),
    run: z.array(z.number()),
    baselineConfidence: z.array(z.number()),
    runConfidence: z.array(z.number()),
  })
  .meta({ id: 'Disagreements' });
export type Disagreements = z.infer<typeof Disagreements>;

const Pair = z.object({
  baseline: z.int().positive(),
  run: z.int().positive(),
  /** Of both runs; each is judged by its own when absent. */
  head: Head.optional(),
});

export const COMPARE_ENDPOINTS = {
  'GET /api/projects/{project}/comparison': {
    summary: 'Runs side by side: settings that differ, figures, seeds.',
    query: z.object({
      runs: z.array(z.int().positive()).min(2).max(MOST_COMPARED),
      /** One of the runs; the first when absent. */
      baseline: z.int().positive().optional(),
      head: Head.optional(),
    }),
    response: RunComparison,
  },
  'GET /api/projects/{project}/comparison/pair': {
    summary:
      'A run against a baseline on the test images that both were judged on, with intervals by paired bootstrap.',
    query: Pair,
    response: PairComparison,
  },
  'GET /api/projects/{project}/comparison/disagreements': {
    summary: 'Test images that one of two runs has right and the other wrong.',
    query: Pair.extend({
      /** "gained": only the run has them right. "lost": only the baseline has. */
      kind: z.enum(['gained', 'lost']),
      /** Of this true class only: its label. */
      truth: z.int().min(0).optional(),
    }),
    response: Disagreements,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
