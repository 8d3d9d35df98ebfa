/** Near-duplicates: pictures that are nearly the same; see core/near. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { DuplicateGroup, DuplicateKind } from './stats.ts';
import { Task } from './tasks.ts';

/** What a task of the kind "near-duplicates" results in. */
export const NearOutcome = z
  .object({
    by: z.string(),
    /** Different contents that were compared. */
    pictures: z.number(),
    groups: z.number(),
    leaks: z.number(),
    conflicts: z.number(),
    /** Images whose file cannot be read. */
    unreadable: z.array(z.object({ image: z.number(), reason: z.string() })),
  })
  .meta({ id: 'NearOutcome' });
export type NearOutcome = z.infer<typeof NearOutcome>;

export const NearReport = z
  .object({
    /** What pictures were described by: "pixels", or the name of a backbone. */
    by: z.string(),
    /** Cosine from which pictures count as near-duplicates, and the least one that it can be set to without another look. */
    threshold: z.number(),
    floor: z.number(),
    lookedAt: z.string(),
    /** How long it took. */
    seconds: z.number(),
    /** Different contents that were compared, that could not be read, and of usable images that came since. */
    pictures: z.number(),
    unreadable: z.number(),
    unseen: z.number(),
    groups: z.number(),
    /** Images beyond the first of each group; groups of each kind. A group can be leak and conflict. */
    surplus: z.number(),
    copies: z.number(),
    leaks: z.number(),
    conflicts: z.number(),
  })
  .meta({ id: 'NearReport' });
export type NearReport = z.infer<typeof NearReport>;

export const NearDescriptor = z
  .object({
    name: z.string(),
    /** For people, in the middle of a sentence. */
    title: z.string(),
    /** The usual threshold. */
    threshold: z.number(),
    floor: z.number(),
  })
  .meta({ id: 'NearDescriptor' });
export type NearDescriptor = z.infer<typeof NearDescriptor>;

export const NearDuplicateGroup = DuplicateGroup.extend({
  /** SHA-256 of its first image: the group's name. */
  hash: z.string(),
  /** The weakest cosine that is needed to hold it together. */
  weakest: z.number(),
}).meta({ id: 'NearDuplicateGroup' });
export type NearDuplicateGroup = z.infer<typeof NearDuplicateGroup>;

export const NEAR_ENDPOINTS = {
  'GET /api/projects/{project}/near-duplicates': {
    summary: 'What pictures can be compared by, the best first, and what the last look came to; null before the first.',
    response: z.object({ descriptors: z.array(NearDescriptor), report: NearReport.nullable() }),
  },
  'POST /api/projects/{project}/near-duplicates': {
    summary: 'Look for near-duplicates; the result of the task is a NearOutcome.',
    body: z.strictObject({
      /** "pixels", or the name of a backbone that is here; the best when absent. */
      by: z.string().min(1).max(100).optional(),
    }),
    response: Task,
  },
  'PUT /api/projects/{project}/near-duplicates/threshold': {
    summary: 'Say from which cosine on pictures count as near-duplicates.',
    body: z.strictObject({ threshold: z.number().min(0).max(1) }),
    response: NearReport,
  },
  'GET /api/projects/{project}/near-duplicates/groups': {
    summary: 'Groups of usable images that are nearly the same; none before the first look.',
    query: z.object({
      kind: DuplicateKind.optional(),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(1000).default(200),
    }),
    response: z.object({ total: z.number(), groups: z.array(NearDuplicateGroup) }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
