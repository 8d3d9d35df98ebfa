/**
 * Review: painting on the mask of a context, stroke by stroke, and how far a person has come. A *stroke* is one change by
 * one tool: a rectangle of the upright picture and the 8-bit values in it afterwards (255 = context). It is stored before
 * it is answered. A *draft* is what has been painted since the mask in force was made; *settling* makes a mask version of
 * it. Its strokes stay, to be taken back and redone, until something else changes the mask.
 */
import { z } from 'zod';
import { ContextDetail, ContextSelection, ContextStateName } from './contexts.ts';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { GroupName } from './images.ts';
import { Task } from './tasks.ts';

/** Counts what has been painted, taken back, redone or replaced of one mask. Whoever changes it says what it has seen. */
const Revision = z.int().nonnegative();

/** Strokes that can be taken back, for each picture. */
export const UNDO_DEPTH = 100;

export const MORPH_OPERATIONS = [
  'invert',
  'grow',
  'shrink',
  'fill-holes',
  'drop-specks',
  'smooth',
  'binarize',
] as const;
export const MorphOperation = z.enum(MORPH_OPERATIONS);
export type MorphOperation = z.infer<typeof MorphOperation>;

export const STROKE_TOOLS = [
  'brush',
  'eraser',
  'polygon-add',
  'polygon-subtract',
  'box-add',
  'box-subtract',
  'fill',
  'threshold',
  ...MORPH_OPERATIONS,
  'soft',
  'snap',
  'again',
] as const;
/** "again": strokes made before a conflict, painted once more over what the other window made. */
export const StrokeTool = z.enum(STROKE_TOOLS);
export type StrokeTool = z.infer<typeof StrokeTool>;

/** A part of the upright picture, whole pixels. */
export const Region = z
  .object({
    x: z.int().nonnegative(),
    y: z.int().nonnegative(),
    width: z.int().positive(),
    height: z.int().positive(),
  })
  .meta({ id: 'Region' });
export type Region = z.infer<typeof Region>;

export const StrokeSummary = z
  .object({
    id: z.number(),
    tool: StrokeTool,
    author: z.string(),
    at: z.string(),
    /** Taken back; it can be redone until the next stroke. */
    undone: z.boolean(),
  })
  .meta({ id: 'StrokeSummary' });

export const Draft = z
  .object({
    context: z.number(),
    revision: Revision,
    /** The mask version in force, which what is painted lies on. */
    baseMask: z.number(),
    width: z.number(),
    height: z.number(),
    /** Strokes that can be taken back, and redone. */
    undo: z.number(),
    redo: z.number(),
    /** The newest, oldest first. */
    strokes: z.array(StrokeSummary),
    /** The mask version that shows what is painted; null while none does. */
    settledMask: z.number().nullable(),
  })
  .meta({ id: 'Draft' });
export type Draft = z.infer<typeof Draft>;

/** Where a draft stands after a stroke. */
export const DraftState = z
  .object({ revision: Revision, undo: z.number(), redo: z.number() })
  .meta({ id: 'DraftState' });
export type DraftState = z.infer<typeof DraftState>;

/** Where it stands, and the pixels that came of it. */
export const DraftChange = DraftState.extend(Region.shape)
  .extend({
    tool: StrokeTool,
    /** 8-bit values of the region by rows, as a zlib stream (`DecompressionStream('deflate')`) in Base64. */
    values: z.string(),
  })
  .meta({ id: 'DraftChange' });
export type DraftChange = z.infer<typeof DraftChange>;

/** Beyond the bounds of a rectangle: what the largest pictures can need, deflated. */
const LARGEST_STROKE = 64 * 2 ** 20;

const Seen = z.object({ revision: Revision });

export const ClassProgress = z
  .object({
    id: z.number(),
    name: z.string(),
    group: GroupName,
    undecided: z.number(),
    accepted: z.number(),
    rejected: z.number(),
    /** Contexts with strokes that no mask version shows yet. */
    drafts: z.number(),
    /** Whether more review is unlikely to change much, by the rule of core/contexts/review-enough.ts, and why. */
    enough: z.boolean(),
    sentence: z.string(),
  })
  .meta({ id: 'ClassProgress' });

export const ReviewProgress = z
  .object({
    /** Largest training set first; classes without contexts are left out. */
    classes: z.array(ClassProgress),
    all: ClassProgress.omit({ id: true, name: true, group: true }),
    /** The context that a person decided on last: where to go on. */
    last: z.object({ context: z.number(), state: ContextStateName, author: z.string(), at: z.string() }).nullable(),
  })
  .meta({ id: 'ReviewProgress' });
export type ReviewProgress = z.infer<typeof ReviewProgress>;

export const Disputes = z
  .object({
    run: z.number(),
    runName: z.string(),
    /** Reviewed contexts that the run's model has a mask of; 0: find contexts with that run first. */
    compared: z.number(),
    /** Those whose foregrounds overlap by less than half (IoU), worst first. */
    disputed: z.array(
      z.object({
        context: z.number(),
        /** The reviewed mask version in force, and the one of the run's model. */
        mask: z.number(),
        modelMask: z.number(),
        /** Intersection over union of the two foregrounds, 0 to 1. */
        iou: z.number(),
      }),
    ),
  })
  .meta({ id: 'Disputes' });
export type Disputes = z.infer<typeof Disputes>;

export const MaskFormat = z.enum(['png-folder', 'coco-rle']);
export type MaskFormat = z.infer<typeof MaskFormat>;

const Place = z.string().min(1).max(4096);

export const REVIEW_ENDPOINTS = {
  'GET /api/projects/{project}/contexts/{context}/draft': {
    summary: 'What is painted on the mask of a context: the mask version below, the newest strokes.',
    response: Draft,
  },
  'GET /api/projects/{project}/contexts/{context}/draft/values': {
    summary:
      'The mask as it stands: revision, width and height as unsigned 32-bit numbers, little end first, then 8-bit values by rows as a zlib stream; 255 = context.',
    response: { media: 'application/octet-stream' },
  },
  'POST /api/projects/{project}/contexts/{context}/draft/strokes': {
    summary:
      'Paint: the 8-bit values of a rectangle by rows, as a zlib stream. It is stored when this is answered. Answered 409 "conflict" when the revision is not the newest.',
    query: z.object({
      revision: Revision,
      tool: StrokeTool,
      ...Region.shape,
      /** JSON with what the tool was set to, for the history. */
      params: z.string().max(2000).default('{}'),
    }),
    upload: LARGEST_STROKE,
    response: DraftState,
  },
  'POST /api/projects/{project}/contexts/{context}/draft/undo': {
    summary: 'Take back the newest stroke that is in force.',
    body: Seen,
    response: DraftChange,
  },
  'POST /api/projects/{project}/contexts/{context}/draft/redo': {
    summary: 'Redo the stroke that was taken back last.',
    body: Seen,
    response: DraftChange,
  },
  'POST /api/projects/{project}/contexts/{context}/draft/settle': {
    summary: 'Make a mask version of what is painted; nothing happens where one shows it already.',
    body: Seen,
    response: ContextDetail,
  },
  'POST /api/projects/{project}/contexts/{context}/draft/snap': {
    summary: 'Move the border of the mask inside a region to edges of the picture, as one stroke.',
    body: z.object({ revision: Revision, region: Region, method: z.enum(['grabcut']).default('grabcut') }),
    response: DraftChange,
  },
  'GET /api/projects/{project}/review/progress': {
    summary: 'How far the review has come, by class; whether it may stop; where it was left.',
    response: ReviewProgress,
  },
  'GET /api/projects/{project}/review/disputed': {
    summary: 'Reviewed contexts whose mask the saliency of a run contradicts, worst first.',
    query: z.object({
      /** The newest finished run that contexts were found with when absent. */
      run: z.int().positive().optional(),
    }),
    response: Disputes,
  },
  'POST /api/projects/{project}/review/compare': {
    summary:
      'Compare reviewed masks with those of a run before disputed ones are asked for: a task where that takes long, null when the answer comes at once.',
    body: z.strictObject({ run: z.int().positive().optional() }),
    response: z.object({ task: Task.nullable() }),
  },
  'POST /api/projects/{project}/contexts/morph': {
    summary: 'Change the masks of contexts by one operation each, all in one step.',
    body: z.object({
      select: ContextSelection,
      operation: MorphOperation,
      /** Pixels: radius for grow, shrink and smooth, at most 200; largest area for drop-specks and fill-holes. */
      amount: z.int().min(1).max(1_000_000).default(1),
    }),
    response: Task,
  },
  'POST /api/projects/{project}/masks/import': {
    summary:
      'Read masks from a folder of PNG files, or a COCO file; each becomes a mask version of the context it fits.',
    body: z.object({ path: Place, format: MaskFormat }),
    response: Task,
  },
  'POST /api/projects/{project}/masks/export': {
    summary: 'Write the masks of contexts to a new folder, as PNG files or one COCO file.',
    body: z.object({ folder: Place, format: MaskFormat, select: ContextSelection }),
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
