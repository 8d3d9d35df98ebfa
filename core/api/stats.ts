/** What the data set looks like: classes and their groups, splits, duplicates, problems. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { GroupName, SplitName } from './images.ts';

export const Groups = z
  .object({
    /** More training images than this: many. */
    many: z.int().min(1),
    /** Fewer than this: few. What lies between is medium. */
    few: z.int().min(1),
  })
  .meta({ id: 'Groups' });
export type Groups = z.infer<typeof Groups>;

export const ClassCounts = z
  .object({
    id: z.number(),
    name: z.string(),
    /** Usable images of each split; those without a split count as train. */
    train: z.number(),
    val: z.number(),
    test: z.number(),
    excluded: z.number(),
    group: GroupName,
    /** By place in the order of size, as the CSA paper divides. */
    rankGroup: GroupName,
    /** Names of classes that were merged into it. */
    merged: z.array(z.string()),
  })
  .meta({ id: 'ClassCounts' });
export type ClassCounts = z.infer<typeof ClassCounts>;

export const Tail = z
  .object({
    images: z.object({ usable: z.number(), excluded: z.number(), missing: z.number(), changed: z.number() }),
    splits: z.object({
      train: z.number(),
      val: z.number(),
      test: z.number(),
      /** Of train: those that have no split of their own. */
      unassigned: z.number(),
    }),
    /** What figures will be measured on; null without val and test. */
    evaluation: z.object({ split: SplitName, name: z.string(), images: z.number() }).nullable(),
    /** By name. */
    classes: z.array(ClassCounts),
    /** Largest over smallest class of the training split; null without any image. */
    ratio: z.number().nullable(),
    gini: z.number().nullable(),
    effectiveClasses: z.number().nullable(),
    thresholds: Groups,
    duplicates: z.object({
      surplus: z.number(),
      copies: z.number(),
      leaks: z.number(),
      conflicts: z.number(),
    }),
    /** The same of near-duplicates; null before they were looked for. */
    near: z.object({ surplus: z.number(), copies: z.number(), leaks: z.number(), conflicts: z.number() }).nullable(),
    /** What to look at before training, a sentence each. */
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Tail' });
export type Tail = z.infer<typeof Tail>;

export const DuplicateKind = z.enum(['copy', 'leak', 'conflict']);
export type DuplicateKind = z.infer<typeof DuplicateKind>;

export const DuplicateGroup = z
  .object({
    /** SHA-256 of the bytes that they share. */
    hash: z.string(),
    /** In more than one split, in more than one class; a group can be both, and is a plain copy when it is neither. */
    leak: z.boolean(),
    conflict: z.boolean(),
    images: z.array(z.object({ id: z.number(), path: z.string(), className: z.string(), split: SplitName })),
  })
  .meta({ id: 'DuplicateGroup' });
export type DuplicateGroup = z.infer<typeof DuplicateGroup>;

export const STATS_ENDPOINTS = {
  'GET /api/projects/{project}/tail': { summary: 'Classes, tail, splits, warnings.', response: Tail },
  'PUT /api/projects/{project}/groups': {
    summary: 'Set the thresholds of the groups.',
    body: Groups.refine(({ many, few }) => many >= few, { message: '“many” must not be below “few”' }),
    response: Groups,
  },
  'GET /api/projects/{project}/duplicates': {
    summary: 'Groups of usable images with the same bytes.',
    query: z.object({
      kind: DuplicateKind.optional(),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(1000).default(200),
    }),
    response: z.object({ total: z.number(), groups: z.array(DuplicateGroup) }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
