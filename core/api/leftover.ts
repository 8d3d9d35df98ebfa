/** Leftover check: does a model still see a context's own class in it? See core/contexts/leftover.ts. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Head } from './figures.ts';
import { Task } from './tasks.ts';

/** "open": flagged, and nobody has looked at it yet · "stale": its mask has changed since · "fine": looked at. */
export const LEFTOVER_PARTS = ['open', 'stale', 'fine', 'all'] as const;

/** What the model names the class by. */
export const LEFTOVER_VERDICTS = ['leftover', 'usual-background', 'outline'] as const;

const Ids = z.array(z.int().positive()).min(1).max(100_000);

export const LeftoverCheck = z.strictObject({
  /** Whose model looks; the newest finished run when absent. */
  run: z.int().positive().optional(),
  /** Contexts of this class only: its id, merges applied. */
  class: z.int().positive().optional(),
  /** Only contexts that this run has not been asked about with the mask that they have now. */
  unchecked: z.boolean().default(false),
});
export type LeftoverCheck = z.infer<typeof LeftoverCheck>;

/** What a task of the kind "leftover" results in. */
export const LeftoverOutcome = z
  .object({
    run: z.number(),
    /** Contexts that were looked at, and those of them that are flagged. */
    checked: z.number(),
    flagged: z.number(),
    /** Contexts whose class the run does not know. */
    unknown: z.number(),
    /** Contexts whose picture cannot be read. */
    unreadable: z.array(z.object({ context: z.number(), reason: z.string() })),
  })
  .meta({ id: 'LeftoverOutcome' });
export type LeftoverOutcome = z.infer<typeof LeftoverOutcome>;

export const LeftoverClass = z
  .object({
    /** Effective class: merges applied. */
    classId: z.number(),
    name: z.string(),
    checked: z.number(),
    /** Flagged with the mask in force; those nobody has looked at; those whose mask has changed; those found fine. */
    flagged: z.number(),
    open: z.number(),
    stale: z.number(),
    fine: z.number(),
    /** Of those that are open, by verdict. */
    leftovers: z.number(),
    backgrounds: z.number(),
    outlines: z.number(),
    /** Mean over its contexts. */
    score: z.number(),
  })
  .meta({ id: 'LeftoverClass' });
export type LeftoverClass = z.infer<typeof LeftoverClass>;

export const LeftoverReport = z
  .object({
    run: z.number(),
    runName: z.string(),
    /** The head that answered. */
    head: Head,
    /** When one was checked last. */
    checkedAt: z.string(),
    /** Least score of what is flagged. */
    from: z.number(),
    checked: z.number(),
    open: z.number(),
    stale: z.number(),
    fine: z.number(),
    /** Of those that are open, by verdict. */
    leftovers: z.number(),
    backgrounds: z.number(),
    outlines: z.number(),
    /** Contexts of the bank that this run has not been asked about with the mask that they have now. */
    unchecked: z.number(),
    /** What to do next, in one sentence. */
    sentence: z.string(),
    /** Most open contexts first. */
    classes: z.array(LeftoverClass),
  })
  .meta({ id: 'LeftoverReport' });
export type LeftoverReport = z.infer<typeof LeftoverReport>;

export const LeftoverContext = z
  .object({
    context: z.number(),
    image: z.number(),
    className: z.string(),
    path: z.string(),
    /** The mask version that was looked at. */
    mask: z.number(),
    /** Probability of its class: by the whole picture, with the foreground painted over, by contexts of other classes. */
    whole: z.number(),
    probability: z.number(),
    base: z.number(),
    /** `probability` less `base`. */
    score: z.number(),
    /** The class that the model names with the foreground painted over, and whether that is its own. */
    answer: z.string(),
    named: z.boolean(),
    flagged: z.boolean(),
    /** Why it is flagged, and that in one sentence; null where it is not, or was looked at before there were verdicts. */
    verdict: z.enum(LEFTOVER_VERDICTS).nullable(),
    reason: z.string().nullable(),
    /**
     * Scores that the verdict rests on: the hole filled from round it, that with the hole grown besides, and the mean of the
     * latter over other contexts of the class.
     */
    filled: z.number().nullable(),
    grown: z.number().nullable(),
    usual: z.number().nullable(),
    stale: z.boolean(),
    fine: z.boolean(),
  })
  .meta({ id: 'LeftoverContext' });
export type LeftoverContext = z.infer<typeof LeftoverContext>;

const OfRun = z.object({
  /** The run that was asked last when absent. */
  run: z.int().positive().optional(),
});

export const LEFTOVER_ENDPOINTS = {
  'POST /api/projects/{project}/bank/leftover': {
    summary: 'Look for leftovers in the bank; the result of the task is a LeftoverOutcome.',
    body: LeftoverCheck,
    response: Task,
  },
  'GET /api/projects/{project}/bank/leftover': {
    summary: 'What was found, by class; null where nothing has been looked at yet.',
    query: OfRun,
    response: LeftoverReport.nullable(),
  },
  'GET /api/projects/{project}/bank/leftover/contexts': {
    summary:
      'Contexts that were looked at: open ones first, likely leftovers before other verdicts, then by score, largest first.',
    query: OfRun.extend({
      part: z.enum(LEFTOVER_PARTS).default('open'),
      /** Id of a class, merges applied. */
      class: z.int().positive().optional(),
      limit: z.int().min(1).max(500).default(60),
      offset: z.int().min(0).default(0),
    }),
    response: z.object({ total: z.number(), contexts: z.array(LeftoverContext) }),
  },
  'GET /api/projects/{project}/bank/leftover/contexts/{context}/picture': {
    summary: 'A context as the model saw it: at input size, the foreground painted over by the mask of that time.',
    query: z.object({
      run: z.int().positive(),
      /** The whole picture instead. */
      whole: z.boolean().default(false),
      /** Another version of the mask than that of the time. */
      version: z.int().positive().optional(),
    }),
    response: { media: 'image/png' },
  },
  'POST /api/projects/{project}/bank/leftover/fine': {
    summary: 'Remember that contexts were looked at and are fine with the masks that they have now; or forget it.',
    body: z.strictObject({ ids: Ids, fine: z.boolean().default(true) }),
    response: z.object({ changed: z.number() }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
