/** Edits of the view: each can be taken back, newest first; files are never touched. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { SplitName } from './images.ts';
import { DuplicateKind } from './stats.ts';

export const EditEntry = z
  .object({
    id: z.number(),
    kind: z.enum(['exclude', 'include', 'relabel', 'merge', 'split', 'long-tail']),
    /** What it did, one sentence. */
    text: z.string(),
    author: z.string(),
    at: z.string(),
    undoneAt: z.string().nullable(),
    /** Taken back, and no other edit has been made since: it can be made again. */
    redoable: z.boolean(),
    /** Images (of a merge: classes) that it changed. */
    changes: z.number(),
  })
  .meta({ id: 'EditEntry' });
export type EditEntry = z.infer<typeof EditEntry>;

const Ids = z.array(z.int().positive()).min(1).max(1_000_000);
const ClassName = z.string().trim().min(1).max(500);

export const SplitOptions = z
  .object({
    /** Shares of the images that are dealt, from 0 to below 1; the rest is for training. */
    val: z.number().min(0).max(1),
    test: z.number().min(0).max(1),
    seed: z.int().min(0),
  })
  .meta({ id: 'SplitOptions' });
export type SplitOptions = z.infer<typeof SplitOptions>;

export const SplitPreview = z
  .object({
    classes: z.array(z.object({ name: z.string(), train: z.number(), val: z.number(), test: z.number() })),
    /** Images that would get another split than they have. */
    changes: z.number(),
  })
  .meta({ id: 'SplitPreview' });
export type SplitPreview = z.infer<typeof SplitPreview>;

export const LongTailOptions = z
  .object({
    /** Largest over smallest class. */
    ratio: z.number().min(1),
    /** Images of the first class; as many as it has when absent. */
    largest: z.int().min(1).optional(),
    /** "name": first by name is largest. "size": classes keep their order of size. */
    order: z.enum(['name', 'size']),
    seed: z.int().min(0),
  })
  .meta({ id: 'LongTailOptions' });
export type LongTailOptions = z.infer<typeof LongTailOptions>;

export const LongTailPreview = z
  .object({
    /** In order of the profile: images in the view, and what stays of them. */
    classes: z.array(z.object({ name: z.string(), images: z.number(), kept: z.number() })),
    /** Images that would be excluded. */
    excluded: z.number(),
  })
  .meta({ id: 'LongTailPreview' });
export type LongTailPreview = z.infer<typeof LongTailPreview>;

export const EDIT_ENDPOINTS = {
  'GET /api/projects/{project}/edits': {
    summary: 'The newest edits, newest first; those taken back are marked.',
    query: z.object({ limit: z.int().min(1).max(10_000).default(200) }),
    response: z.array(EditEntry),
  },
  'POST /api/projects/{project}/edits/undo': {
    summary: 'Take the newest edit back; refused when it is not the one that the caller means.',
    body: z.object({ edit: z.int().positive().optional() }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/redo': {
    summary: 'Make the edit that was taken back last again; refused when it is not the one that the caller means.',
    body: z.object({ edit: z.int().positive().optional() }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/exclude': {
    summary: 'Take images out of the view.',
    body: z.object({ ids: Ids, reason: z.string().max(500).default('') }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/include': {
    summary: 'Bring images back into the view.',
    body: z.object({ ids: Ids, reason: z.string().max(500).default('') }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/relabel': {
    summary: 'Give images another class.',
    body: z.object({
      ids: Ids,
      class: ClassName,
      /** Make the class where there is none of that name. */
      create: z.boolean().default(false),
    }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/merge': {
    summary: 'Let classes count as another one, or (null) stand for themselves again.',
    body: z.object({ classes: z.array(ClassName).min(1).max(10_000), into: ClassName.nullable() }),
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/keep-one': {
    summary: 'Of each group of identical, or nearly the same, images, exclude all but one.',
    body: z.object({
      /** Groups of near-duplicates instead of identical images. */
      near: z.boolean().default(false),
      /** Groups of this kind; all when absent. */
      kind: DuplicateKind.optional(),
      /** Only these groups, by the hash of their bytes, or of near-duplicates by that of their first image. */
      hashes: z.array(z.string().length(64)).max(100_000).optional(),
      /** The split whose image stays, where the group has one there; else the first image. */
      prefer: SplitName.optional(),
    }),
    response: EditEntry,
  },
  'GET /api/projects/{project}/edits/split': {
    summary: 'Whether the import found a val or test split; images in one stay there and are not dealt.',
    response: z.object({ val: z.boolean(), test: z.boolean() }),
  },
  'POST /api/projects/{project}/edits/split': {
    summary: 'Deal images to val and test, stratified by class.',
    body: SplitOptions,
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/split/preview': {
    summary: 'What that would give.',
    body: SplitOptions,
    response: SplitPreview,
  },
  'POST /api/projects/{project}/edits/long-tail': {
    summary: 'Make the training split long-tailed by leaving images out.',
    body: LongTailOptions,
    response: EditEntry,
  },
  'POST /api/projects/{project}/edits/long-tail/preview': {
    summary: 'What that would give.',
    body: LongTailOptions,
    response: LongTailPreview,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
