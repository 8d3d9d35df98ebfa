/** The bank: contexts are retired and put back, carry a note, and tell what was made with them. */
import { z } from 'zod';
import { ContextCounts, ContextDetail, ContextSelection } from './contexts.ts';
import { GroupName } from './images.ts';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Task } from './tasks.ts';

/** What was made with contexts and stays as it is, whatever becomes of them. */
export const MadeWith = z
  .object({
    /** Runs that had one of them in their curated bank. */
    runs: z.number(),
    /** Finished exports with a picture that one of them lies on. */
    exports: z.number(),
    /** In one sentence. */
    sentence: z.string(),
  })
  .meta({ id: 'MadeWith' });
export type MadeWith = z.infer<typeof MadeWith>;

export const ContextUses = z
  .object({
    /** Runs that had the context in their curated bank, newest first. How often it was drawn is not recorded. */
    runs: z.array(
      z.object({
        run: z.number(),
        name: z.string(),
        state: z.enum(['queued', 'running', 'stopped', 'finished', 'failed']),
        /** The run has left a model file. */
        model: z.boolean(),
        /** The mask version it was used with, and whether that is still in force. */
        mask: z.number(),
        current: z.boolean(),
      }),
    ),
    /** Finished exports that used it, newest first, once for each mask version. */
    exports: z.array(
      z.object({
        export: z.number(),
        path: z.string(),
        /** Pictures that it lies on. */
        pictures: z.number(),
        mask: z.number(),
        current: z.boolean(),
      }),
    ),
    /** In one sentence, with what was made with an earlier mask. */
    sentence: z.string(),
  })
  .meta({ id: 'ContextUses' });
export type ContextUses = z.infer<typeof ContextUses>;

export const UseCount = z
  .object({ context: z.number(), runs: z.number(), exports: z.number(), pictures: z.number() })
  .meta({ id: 'UseCount' });
export type UseCount = z.infer<typeof UseCount>;

/** Cosine between pooled features from which two contexts count as near twins, unless another one is asked for. */
export const DEFAULT_TWINS_FROM = 0.98;

/** A context or a plain background, by its id. */
export const BankMember = z
  .object({ kind: z.enum(['context', 'background']), id: z.number() })
  .meta({ id: 'BankMember' });
export type BankMember = z.infer<typeof BankMember>;

/** How diverse the bank is, by the features of a model that looks at its contexts with the foreground painted over. */
export const DiversityReport = z
  .object({
    run: z.number(),
    runName: z.string(),
    /** Of training images. */
    contexts: z.number(),
    /** How many different ones they and the plain backgrounds come to: the Vendi score of order 2; see core/contexts/diversity.ts. */
    effective: z.number(),
    /** Classes without contexts are left out. */
    classes: z.array(z.object({ name: z.string(), contexts: z.number(), effective: z.number() })),
    /** Plain backgrounds, which are of no class; null without any. */
    plain: z.object({ backgrounds: z.number(), effective: z.number() }).nullable(),
    twinsFrom: z.number(),
    /** Those most alike first, 500 at most. */
    twins: z.array(z.object({ a: BankMember, b: BankMember, cosine: z.number() })),
    /** Pairs of twins in all, and members of the bank that have one. */
    pairs: z.number(),
    withTwin: z.number(),
    /** What kind to add next. */
    sentence: z.string(),
  })
  .meta({ id: 'DiversityReport' });
export type DiversityReport = z.infer<typeof DiversityReport>;

/** The last report, whoever asked for it. */
export const StoredDiversity = DiversityReport.extend({
  measuredAt: z.string(),
  /** Contexts and plain backgrounds that have come into the bank, left it, or got another mask or file since. */
  changed: z.number(),
}).meta({ id: 'StoredDiversity' });
export type StoredDiversity = z.infer<typeof StoredDiversity>;

/** The bank as a whole. */
export const BankSummary = z
  .object({
    /** In the bank, and accepted but retired. */
    contexts: z.number(),
    retired: z.number(),
    /** Contexts in the bank by group of their class. */
    groups: z.record(GroupName, z.number()),
    /** Plain backgrounds, in the bank and retired. */
    backgrounds: z.object({ held: z.number(), retired: z.number() }),
    /** Classes with contexts, accepted or retired; those with most first. */
    classes: z.array(
      z.object({ id: z.number(), name: z.string(), group: GroupName, contexts: z.number(), retired: z.number() }),
    ),
    /** Who accepted them, retired ones too; by name. */
    reviewers: z.array(z.object({ name: z.string(), contexts: z.number() })),
    diversity: StoredDiversity.omit({ twins: true }).nullable(),
    /** What to do next, in a sentence, and on which page or tab that is done. */
    next: z.object({ sentence: z.string(), where: z.enum(['contexts', 'review', 'diversity']).nullable() }),
  })
  .meta({ id: 'BankSummary' });
export type BankSummary = z.infer<typeof BankSummary>;

const BankChange = z.object({ changed: z.number(), counts: ContextCounts, madeWith: MadeWith });

export const BANK_ENDPOINTS = {
  'GET /api/projects/{project}/bank': { summary: 'The bank as a whole.', response: BankSummary },
  'POST /api/projects/{project}/bank/retire': {
    summary: 'Take contexts out of the bank, accepted or not, all in one step: no later run or export draws from them.',
    body: z.object({ select: ContextSelection }),
    response: BankChange,
  },
  'POST /api/projects/{project}/bank/reinstate': {
    summary: 'Put retired contexts back, all in one step.',
    body: z.object({ select: ContextSelection }),
    response: BankChange.omit({ madeWith: true }),
  },
  'PUT /api/projects/{project}/contexts/{context}/note': {
    summary: 'Write the note of a context; an empty one removes it.',
    body: z.object({ note: z.string().max(10_000) }),
    response: ContextDetail,
  },
  'GET /api/projects/{project}/contexts/{context}/uses': {
    summary: 'What was made with a context: runs with it in their bank, exports that it lies on.',
    response: ContextUses,
  },
  'POST /api/projects/{project}/bank/uses': {
    summary: 'How often contexts were used, in the order asked for.',
    body: z.object({ ids: z.array(z.int().positive()).max(5000) }),
    response: z.array(UseCount),
  },
  'POST /api/projects/{project}/bank/uses/count': {
    summary:
      'Count which contexts the banks of runs held, before uses are asked for: a task where that takes long, null when it has been done.',
    response: z.object({ task: Task.nullable() }),
  },
  'GET /api/projects/{project}/bank/diversity': {
    summary: 'The last report on how diverse the bank is; null before the first.',
    response: StoredDiversity.nullable(),
  },
  'POST /api/projects/{project}/bank/diversity': {
    summary: 'Measure how diverse the bank is; the result of the task is a DiversityReport.',
    body: z.strictObject({
      /** Whose model looks; the newest finished run when absent. */
      run: z.int().positive().optional(),
      twinsFrom: z.number().min(0.5).max(1).default(DEFAULT_TWINS_FROM),
    }),
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
