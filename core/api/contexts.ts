/** Contexts: found with a finished run, looked at, decided on; masks with their history. What is accepted is the bank. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { GroupName, ImageStateName, MOST_DETAILS, MOST_THUMBNAILS, SplitName } from './images.ts';
import { Task } from './tasks.ts';

export const ContextStateName = z.enum(['undecided', 'accepted', 'rejected']);
export type ContextStateName = z.infer<typeof ContextStateName>;

/** "restore": of an earlier mask · "retire", "reinstate": out of the bank and back into it. */
export const ContextStepKind = z.enum([
  'accept',
  'reject',
  'reset',
  'remask',
  'mask',
  'restore',
  'retire',
  'reinstate',
]);

const Share = z.number().min(0).max(1);

/** Saliency is brought to the picture's own edges by a guided filter before it becomes a mask. */
export const MaskRefinement = z
  .object({
    /** Radius of the filter's windows as a share of the picture's shorter side. */
    radius: z.number().gt(0).max(0.5),
    /** Variance of the colours (0 to 1) in a window below which it counts as flat. */
    epsilon: z.number().gt(0).max(1),
    /** Variance of the colours up to which texture leaves no specks; absent: it leaves them all. */
    grain: z.number().gt(0).max(1).exactOptional(),
  })
  .meta({ id: 'MaskRefinement' });

/** How saliency A becomes a mask M, 1 = context. "soft": (1 - A)^2 · "threshold": 1 where A < threshold, else 0. */
export const MaskRule = z
  .discriminatedUnion('form', [
    z.object({ form: z.literal('soft'), refine: MaskRefinement.exactOptional() }),
    z.object({ form: z.literal('threshold'), threshold: Share, refine: MaskRefinement.exactOptional() }),
  ])
  .meta({ id: 'MaskRule' });
export type MaskRule = z.infer<typeof MaskRule>;

/** Which contexts are meant. What is not named does not narrow; of several values one must fit. */
export const ContextFilter = z
  .object({
    state: z.array(ContextStateName).optional(),
    /** Only what is retired from the bank, or only what is not. */
    retired: z.boolean().optional(),
    /** Ids of classes, merges applied. */
    class: z.array(z.int().positive()).max(5000).optional(),
    /** Groups of classes by the thresholds of the project. */
    group: z.array(GroupName).optional(),
    /** Probability of the true class, and share of the picture that is context; bounds included. */
    minProbability: Share.optional(),
    maxProbability: Share.optional(),
    minArea: Share.optional(),
    maxArea: Share.optional(),
    /** What the path of the image holds. */
    text: z.string().max(500).optional(),
    /** What the note holds. */
    note: z.string().max(500).optional(),
    /** Who accepted or rejected it. */
    reviewer: z.string().max(500).optional(),
    /** Only what a run or a finished export used, or only what none did. */
    used: z.boolean().optional(),
  })
  .meta({ id: 'ContextFilter' });
export type ContextFilter = z.infer<typeof ContextFilter>;

export const ContextQuery = ContextFilter.extend({
  /**
   * "class": by name. "changed": by the last decision or mask. "gain": see core/contexts/review-order.ts. "uses": by runs
   * and finished exports.
   */
  sort: z.enum(['id', 'probability', 'area', 'class', 'changed', 'gain', 'uses', 'reviewer']).default('id'),
  descending: z.boolean().default(false),
}).meta({ id: 'ContextQuery' });
export type ContextQuery = z.infer<typeof ContextQuery>;

const Id = z
  .int()
  .positive()
  .max(2 ** 32 - 1);

/** Contexts by number, or all that fit. */
export const ContextSelection = z
  .union([z.strictObject({ ids: z.array(Id).min(1).max(1_000_000) }), z.strictObject({ filter: ContextFilter })])
  .meta({ id: 'ContextSelection' });
export type ContextSelection = z.infer<typeof ContextSelection>;

export const ContextRow = z
  .object({
    id: z.number(),
    /** Id of the image. */
    image: z.number(),
    path: z.string(),
    classId: z.number(),
    className: z.string(),
    state: ContextStateName,
    /** Probability of the true class by the model that made the mask. */
    probability: z.number(),
    /** Share of the picture that is context, 0 to 1. */
    area: z.number(),
    /** The mask version in force, and what made it. */
    mask: z.number(),
    origin: z.enum(['soft', 'threshold', 'edit', 'import']),
    /** Upright size of the picture, pixels. */
    width: z.number(),
    height: z.number(),
    /** Why no run and no export uses it though it may be accepted; null when nothing stands against it. */
    unused: z.string().nullable(),
    /** Strokes were painted that no mask version shows yet. */
    draft: z.boolean(),
    /** Counts changes of the mask; see core/api/review.ts. */
    revision: z.number(),
    /** Since when it is out of the bank, whatever its state; null while it is not. */
    retiredAt: z.string().nullable(),
    note: z.string(),
    /** Who accepted or rejected it; null while it is undecided. */
    reviewer: z.string().nullable(),
  })
  .meta({ id: 'ContextRow' });
export type ContextRow = z.infer<typeof ContextRow>;

export const MaskVersion = z
  .object({
    id: z.number(),
    origin: ContextRow.shape.origin,
    /** In words: the rule, or the file. */
    how: z.string(),
    area: z.number(),
    author: z.string(),
    at: z.string(),
    /** A saliency map stands behind it. */
    saliency: z.boolean(),
  })
  .meta({ id: 'MaskVersion' });
export type MaskVersion = z.infer<typeof MaskVersion>;

export const ContextDetail = ContextRow.extend({
  split: SplitName.nullable(),
  imageState: ImageStateName,
  /** Mask versions, oldest first. */
  masks: z.array(MaskVersion),
  history: z.array(
    z.object({
      action: z.enum(['created', 'accepted', 'rejected', 'undecided', 'mask', 'retired', 'reinstated']),
      mask: z.number(),
      author: z.string(),
      at: z.string(),
    }),
  ),
}).meta({ id: 'ContextDetail' });
export type ContextDetail = z.infer<typeof ContextDetail>;

export const ContextCounts = z
  .object({
    undecided: z.number(),
    accepted: z.number(),
    rejected: z.number(),
    /** How many are in the bank: accepted and not retired. */
    bank: z.number(),
    /** By class, largest training set first; classes without contexts too. */
    classes: z.array(
      z.object({
        id: z.number(),
        name: z.string(),
        group: GroupName,
        /** Training images. */
        train: z.number(),
        undecided: z.number(),
        accepted: z.number(),
        rejected: z.number(),
      }),
    ),
    /** The step that undo would take back. */
    lastStep: z
      .object({
        kind: ContextStepKind,
        contexts: z.number(),
        author: z.string(),
        at: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'ContextCounts' });
export type ContextCounts = z.infer<typeof ContextCounts>;

/** A finished run that contexts can be found with. */
export const ContextModel = z
  .object({
    run: z.number(),
    name: z.string(),
    method: z.string(),
    endedAt: z.string().nullable(),
    /** How it looks at pictures, lengths of the shorter side in pixels, and what it makes of them where nothing is chosen. */
    size: z.number(),
    secondSize: z.number().nullable(),
    mirror: z.boolean(),
    rule: MaskRule,
  })
  .meta({ id: 'ContextModel' });
export type ContextModel = z.infer<typeof ContextModel>;

const SaliencySize = z.int().min(32).max(1024);

/** How a picture was looked at: lengths of its shorter side, pixels, and whether its mirror image was, too. */
export const SaliencyLook = z.object({ sizes: z.array(z.int().positive()), mirror: z.boolean() });

export const ContextSearch = z
  .object({
    /** The run whose model looks; the newest finished one when absent. */
    run: z.int().positive().optional(),
    /** Shorter side that goes through the network, pixels; as suits the model when absent. */
    size: SaliencySize.optional(),
    /** A second one, whose map is averaged with the first one's; as suits the model when both are absent. */
    secondSize: SaliencySize.optional(),
    /** The maps of the mirror images are averaged in as well; as suits the model when absent. */
    mirror: z.boolean().optional(),
    /** As suits the model when absent. */
    rule: MaskRule.optional(),
    /** Where p(true class) comes from: "on-line", or held-out folds, which train one model more for each. */
    folds: z.int().min(2).max(20).nullable().default(null),
  })
  .meta({ id: 'ContextSearch' });
export type ContextSearch = z.infer<typeof ContextSearch>;

/** Largest mask file, bytes: 8-bit PNG of the largest pictures there are. */
const LARGEST_MASK = 64 * 2 ** 20;

export const CONTEXT_ENDPOINTS = {
  'GET /api/projects/{project}/contexts/ids': {
    summary:
      'The contexts that fit, in order: id of the context and id of its image by turns, unsigned 32-bit numbers, little end first.',
    query: ContextQuery,
    response: { media: 'application/octet-stream' },
  },
  'POST /api/projects/{project}/contexts/details': {
    summary: 'What is known of contexts, in the order asked for; ids that are not there are left out.',
    body: z.object({ ids: z.array(Id).max(MOST_DETAILS) }),
    response: z.array(ContextRow),
  },
  'GET /api/projects/{project}/contexts/counts': {
    summary: 'Contexts by state and class, and the step that undo would take back.',
    response: ContextCounts,
  },
  'GET /api/projects/{project}/contexts/models': {
    summary: 'Finished runs that contexts can be found with, newest first.',
    response: z.array(ContextModel),
  },
  'POST /api/projects/{project}/contexts/sheet': {
    summary:
      'A sheet of small layers to be laid over the thumbnails of the images, laid out as those are: white, with the mask, its border or the saliency as opacity.',
    body: z.object({
      layer: z.enum(['mask', 'outline', 'saliency']),
      /** Longer side in pixels. */
      size: z.int().min(16).max(512),
      ids: z.array(Id).min(1).max(MOST_THUMBNAILS),
    }),
    response: { media: 'application/octet-stream' },
  },
  'GET /api/projects/{project}/contexts/{context}': {
    summary: 'A context with its mask versions and history.',
    response: ContextDetail,
  },
  'GET /api/projects/{project}/contexts/{context}/mask': {
    summary:
      'A mask as 8-bit grey PNG on the upright picture, white = context; the one in force, or the version asked for.',
    query: z.object({ version: z.int().positive().optional() }),
    response: { media: 'image/png' },
  },
  'GET /api/projects/{project}/contexts/{context}/layer': {
    summary: 'One layer at a size, as WebP; see the sheet.',
    query: z.object({
      layer: z.enum(['mask', 'outline', 'saliency']),
      size: z.int().min(16).max(2048).default(1024),
      version: z.int().positive().optional(),
    }),
    response: { media: 'image/webp' },
  },
  'GET /api/projects/{project}/contexts/{context}/saliency': {
    summary: 'The saliency map behind the mask, 8-bit grey PNG on its own grid, white = evidence for the class.',
    query: z.object({ version: z.int().positive().optional() }),
    response: { media: 'image/png' },
  },
  'PUT /api/projects/{project}/contexts/{context}/mask': {
    summary: 'A new mask version from a picture file of the same upright size, white = context.',
    query: z.object({
      /** Name of the file, for the history. */
      name: z.string().min(1).max(300).default('mask.png'),
    }),
    upload: LARGEST_MASK,
    response: ContextDetail,
  },
  'POST /api/projects/{project}/contexts/{context}/restore': {
    summary: 'Go back to an earlier mask version. Those in between stay.',
    body: z.object({ mask: z.int().positive() }),
    response: ContextDetail,
  },
  'POST /api/projects/{project}/contexts/decide': {
    summary: 'Accept, reject or put back contexts, all in one step.',
    body: z.object({ select: ContextSelection, state: ContextStateName }),
    response: z.object({ changed: z.number(), counts: ContextCounts }),
  },
  'POST /api/projects/{project}/contexts/undo': {
    summary:
      'Take back the newest step over contexts: a decision, new masks, a restored mask, contexts retired or put back.',
    response: z.object({
      kind: ContextStepKind,
      /** Contexts that are as before; those that something else has changed since were kept. */
      changed: z.number(),
      kept: z.number(),
      counts: ContextCounts,
    }),
  },
  'POST /api/projects/{project}/contexts/remask': {
    summary: 'Make masks anew from the stored saliency by another rule, all in one step.',
    body: z.object({ select: ContextSelection, rule: MaskRule }),
    response: Task,
  },
  'POST /api/projects/{project}/context-searches': {
    summary:
      'Find contexts in the training images; those that this model has been through in the same way are left out.',
    body: ContextSearch,
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
