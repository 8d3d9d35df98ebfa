/** Studies: runs made together to answer a question, such as whether a person's edits of masks helped. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Difference, DifferenceByGroup, GroupName, SeedDifference } from './figures.ts';
import { RUN_STATES } from './runs.ts';
import { Task } from './tasks.ts';
import { PresetName } from './training.ts';

export const STUDY_ARMS = ['without', 'with'] as const;

/** What a study asks and how. */
export const StudySummary = z
  .object({
    id: z.number(),
    /** "edits": did a person's edits of masks help? */
    kind: z.enum(['edits']),
    createdAt: z.string(),
    preset: PresetName,
    seeds: z.array(z.number()),
    /** Share of contexts that were drawn from the bank. */
    curatedShare: z.number(),
    /** Contexts in the bank; those whose edited mask the runs without edits have by the model; edited ones without such. */
    bank: z.number(),
    replaced: z.number(),
    unmatched: z.number(),
    /** Pairs of runs that were made, and that have both finished. */
    pairs: z.number(),
    finished: z.number(),
    /** What can be said so far, in a sentence. */
    sentence: z.string(),
  })
  .meta({ id: 'StudySummary' });
export type StudySummary = z.infer<typeof StudySummary>;

const SeedDifferenceByGroup = z.object({
  many: SeedDifference.nullable(),
  medium: SeedDifference.nullable(),
  few: SeedDifference.nullable(),
});

/** All differences are those of the runs with edits less those without. */
export const StudyReport = StudySummary.extend({
  /** In order of seed; those that were deleted are gone. */
  runs: z.array(
    z.object({
      run: z.number(),
      name: z.string(),
      state: z.enum(RUN_STATES),
      arm: z.enum(STUDY_ARMS),
      seed: z.number(),
      /** Seconds of work. */
      seconds: z.number(),
    }),
  ),
  /** Over the finished pairs, with Student's intervals over seeds; null without any. */
  overSeeds: z
    .object({
      top1: SeedDifference.nullable(),
      macroRecall: SeedDifference.nullable(),
      groups: SeedDifferenceByGroup,
      classes: z.array(
        z.object({
          label: z.number(),
          name: z.string(),
          group: GroupName,
          trained: z.number(),
          tested: z.number(),
          /** Null without test images. */
          recall: SeedDifference.nullable(),
        }),
      ),
    })
    .nullable(),
  /** Each finished pair on its test images, with intervals by the paired bootstrap. */
  bySeed: z.array(
    z.object({
      seed: z.number(),
      without: z.number(),
      with: z.number(),
      overall: Difference.nullable(),
      macroRecall: Difference.nullable(),
      groups: DifferenceByGroup,
    }),
  ),
}).meta({ id: 'StudyReport' });
export type StudyReport = z.infer<typeof StudyReport>;

const Seeds = z.array(z.int().min(0).max(4_294_967_295)).min(1).max(20);

/** A study after runs were made for it, and the tasks that train them. */
const StartedStudy = z.object({ study: StudyReport, tasks: z.array(Task) });

export const STUDY_ENDPOINTS = {
  'GET /api/projects/{project}/studies': {
    summary: 'Studies, newest first.',
    response: z.array(StudySummary),
  },
  'GET /api/projects/{project}/studies/edits': {
    summary: 'How many contexts the bank has, and how many of them have a mask that a person edited.',
    response: z.object({ bank: z.number(), edited: z.number() }),
  },
  'POST /api/projects/{project}/studies/edits': {
    summary: 'Did my edits help? Queue runs with the bank as it is, and with each edited mask as the model made it.',
    body: z.strictObject({
      preset: PresetName,
      seeds: Seeds,
      /** Of CSA, as for other runs. All contexts come from the bank unless `curatedShare` says less. */
      settings: z.record(z.string().max(40), z.json()).default({}),
    }),
    response: StartedStudy,
  },
  'GET /api/projects/{project}/studies/{study}': {
    summary: 'A study: its runs, and what they say so far.',
    response: StudyReport,
  },
  'POST /api/projects/{project}/studies/{study}/seeds': {
    summary: 'Queue more pairs of runs for a study, on the same data, settings and banks.',
    body: z.strictObject({ seeds: Seeds }),
    response: StartedStudy,
  },
  'DELETE /api/projects/{project}/studies/{study}': {
    summary: 'Forget a study. Its runs stay.',
    response: z.object({}),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
