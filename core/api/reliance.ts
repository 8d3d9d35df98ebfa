/** Context reliance: how far a finished run goes by what surrounds the object. See core/evaluation/reliance.ts. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Difference, DifferenceByGroup, Estimate, GroupName, Head } from './figures.ts';
import { Task } from './tasks.ts';

export const COMPOSITION_NAMES = ['original', 'no-fg', 'only-fg', 'mixed-same', 'mixed-rand'] as const;
/**
 * "original": the picture · "no-fg": its background alone · "only-fg": its foreground alone · "mixed-same",
 * "mixed-rand": its foreground in front of the background of a training picture of its class, and of another class.
 */
export const CompositionName = z.enum(COMPOSITION_NAMES).meta({ id: 'Composition' });
export type CompositionName = z.infer<typeof CompositionName>;

const byComposition = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({
    original: schema,
    'no-fg': schema,
    'only-fg': schema,
    'mixed-same': schema,
    'mixed-rand': schema,
  });

const Means = z.object({
  /** Over all pictures, and over classes. */
  all: Estimate.nullable(),
  macro: Estimate.nullable(),
  groups: z.object({ many: Estimate.nullable(), medium: Estimate.nullable(), few: Estimate.nullable() }),
});

export const RelianceClass = z
  .object({
    /** Position in the run's list of classes. */
    label: z.number(),
    /** Id in the project. */
    classId: z.number(),
    name: z.string(),
    group: GroupName,
    trained: z.number(),
    /** Mean probability of the class; null without pictures. */
    confidence: byComposition(Estimate.nullable()),
    accuracy: byComposition(Estimate.nullable()),
    bgGap: Difference.nullable(),
  })
  .meta({ id: 'RelianceClass' });
export type RelianceClass = z.infer<typeof RelianceClass>;

export const RelianceReport = z
  .object({
    run: z.number(),
    head: Head,
    measuredAt: z.string(),
    /** What was looked at, such as "test as found", and how many pictures. */
    split: z.string(),
    images: z.number(),
    /** The run whose saliency told foreground from background, by its name then; null: the run itself. */
    masksOf: z.string().nullable(),
    /** Pictures, lenders of backgrounds among them, whose mask a person accepted instead. */
    reviewed: z.number(),
    /** Mean share of a picture that counted as background. */
    background: z.number(),
    /** Mean probability of the true class, and share of right answers. */
    confidence: byComposition(Means),
    accuracy: byComposition(Means),
    /** Accuracy on mixed-same less accuracy on mixed-rand (arXiv 2006.09994). */
    bgGap: z.object({
      images: z.number(),
      overall: Difference.nullable(),
      macro: Difference.nullable(),
      groups: DifferenceByGroup,
    }),
    /** In label order. */
    classes: z.array(RelianceClass),
  })
  .meta({ id: 'RelianceReport' });
export type RelianceReport = z.infer<typeof RelianceReport>;

/**
 * The second run's figure less the first's, with a 95 % interval. Neither way is good or bad by itself: of the BG-Gap less
 * is better, of accuracy and confidence on the whole picture more.
 */
export const RelianceDifference = z
  .object({
    a: z.number(),
    b: z.number(),
    value: z.number(),
    low: z.number(),
    high: z.number(),
    images: z.number(),
    direction: z.enum(['higher', 'lower', 'no clear difference']),
  })
  .meta({ id: 'RelianceDifference' });
export type RelianceDifference = z.infer<typeof RelianceDifference>;

const DifferenceByGroups = z.object({
  /** Mean over classes. */
  macro: RelianceDifference.nullable(),
  groups: z.object({
    many: RelianceDifference.nullable(),
    medium: RelianceDifference.nullable(),
    few: RelianceDifference.nullable(),
  }),
});

export const RelianceComparedClass = RelianceClass.pick({
  label: true,
  classId: true,
  name: true,
  group: true,
  trained: true,
})
  .extend({
    bgGap: RelianceDifference.nullable(),
    confidence: byComposition(RelianceDifference.nullable()),
  })
  .meta({ id: 'RelianceComparedClass' });
export type RelianceComparedClass = z.infer<typeof RelianceComparedClass>;

export const RelianceComparison = z
  .object({
    baseline: z.number(),
    run: z.number(),
    /** The heads that were compared, and whose masks each was measured by; null: its own. */
    heads: z.tuple([Head, Head]),
    masksOf: z.tuple([z.string().nullable(), z.string().nullable()]),
    /** What the second run was measured on. */
    split: z.string(),
    images: z.number(),
    /** Why they are not compared picture by picture, and what to do; null when they are. */
    unpaired: z.string().nullable(),
    bgGap: DifferenceByGroups,
    /** Of the mean probability of the true class. */
    confidence: byComposition(DifferenceByGroups),
    /** In label order. */
    classes: z.array(RelianceComparedClass),
  })
  .meta({ id: 'RelianceComparison' });
export type RelianceComparison = z.infer<typeof RelianceComparison>;

export const RELIANCE_ORDERS = ['swap', 'background'] as const;

/** Pictures with the probability of their true class in each composition. */
export const RelianceCases = z
  .object({
    head: Head,
    cases: z.array(
      z.object({
        image: z.number(),
        label: z.number(),
        /** Null where the composition cannot be made: no training picture of the class, or of no other. */
        probability: byComposition(z.number().nullable()),
        right: byComposition(z.boolean().nullable()),
        /** Training images whose backgrounds it was put in front of. */
        same: z.number().nullable(),
        rand: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'RelianceCases' });
export type RelianceCases = z.infer<typeof RelianceCases>;

const OfHead = z.object({
  /** The head that a run is judged by when absent. */
  head: Head.optional(),
});

export const RELIANCE_ENDPOINTS = {
  'GET /api/projects/{project}/runs/{run}/reliance': {
    summary: 'How far a run goes by the background, by class and group; null where it has not been measured.',
    query: OfHead,
    response: RelianceReport.nullable(),
  },
  'POST /api/projects/{project}/runs/{run}/reliance': {
    summary: 'Measure it, or measure it again.',
    body: z.strictObject({
      /** The run whose saliency tells foreground from background; the run itself when absent. */
      masksOf: z.int().positive().optional(),
    }),
    response: Task,
  },
  'GET /api/projects/{project}/runs/{run}/reliance/cases': {
    summary: 'The pictures in which a run goes most by the background.',
    query: OfHead.extend({
      /** "swap": by how much the true class loses in front of another class's background. "background": by how sure the
       * run is of the true class when it sees the background alone. */
      order: z.enum(RELIANCE_ORDERS).default('swap'),
      /** Of this true class only: its label. */
      truth: z.int().min(0).optional(),
      limit: z.int().min(1).max(1000).default(50),
    }),
    response: RelianceCases,
  },
  'GET /api/projects/{project}/runs/{run}/reliance/images/{image}': {
    summary: 'A picture as the model was shown it, at input size.',
    query: z.object({ composition: CompositionName }),
    response: { media: 'image/png' },
  },
  'GET /api/projects/{project}/comparison/reliance': {
    summary:
      'By how much a run goes more by the background than a baseline; paired where both were shown the same pictures.',
    query: OfHead.extend({ baseline: z.int().positive(), run: z.int().positive() }),
    response: RelianceComparison,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
