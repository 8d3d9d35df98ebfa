/** Plain backgrounds of the bank: pictures without an object, all of them context, in no class and no split. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Task } from './tasks.ts';

export const BackgroundEntry = z
  .object({
    id: z.number(),
    /** Where its file lies. */
    file: z.string(),
    /** Upright, pixels. */
    width: z.number(),
    height: z.number(),
    author: z.string(),
    addedAt: z.string(),
    /** Since when it is out of the bank; null while it is not. */
    retiredAt: z.string().nullable(),
    note: z.string(),
    /** Runs that had it in their curated bank; finished exports and their pictures that it lies on. */
    runs: z.number(),
    exports: z.number(),
    pictures: z.number(),
  })
  .meta({ id: 'BackgroundEntry' });
export type BackgroundEntry = z.infer<typeof BackgroundEntry>;

/** What became of the files of folders. */
export const AddedBackgrounds = z
  .object({
    /** Files seen, pictures or not. */
    files: z.number(),
    added: z.number(),
    /** They were backgrounds before; those with another content than before are `changed`. */
    known: z.number(),
    changed: z.number(),
    /** Pictures that cannot be used: damaged, or in the data set. */
    refused: z.number(),
    /** The first 200, each with its file and a sentence. */
    problems: z.array(
      z.object({
        path: z.string(),
        kind: z.string(),
        severity: z.enum(['error', 'warning', 'note']),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'AddedBackgrounds' });
export type AddedBackgrounds = z.infer<typeof AddedBackgrounds>;

const Ids = z.array(z.int().positive()).min(1).max(10_000);

export const BACKGROUND_ENDPOINTS = {
  'GET /api/projects/{project}/backgrounds': {
    summary: 'All plain backgrounds, retired ones too.',
    response: z.array(BackgroundEntry),
  },
  'POST /api/projects/{project}/backgrounds': {
    summary: 'Add the pictures of folders to the bank; the result of the task is AddedBackgrounds.',
    body: z.strictObject({
      /** Absolute. */
      folders: z.array(z.string().min(1)).min(1).max(20),
    }),
    response: Task,
  },
  'POST /api/projects/{project}/backgrounds/retire': {
    summary: 'Take plain backgrounds out of the bank: no later run or export draws from them.',
    body: z.strictObject({ ids: Ids }),
    response: z.object({ changed: z.number() }),
  },
  'POST /api/projects/{project}/backgrounds/reinstate': {
    summary: 'Put retired plain backgrounds back.',
    body: z.strictObject({ ids: Ids }),
    response: z.object({ changed: z.number() }),
  },
  'PUT /api/projects/{project}/backgrounds/{background}/note': {
    summary: 'Write the note of a plain background; an empty one removes it.',
    body: z.strictObject({ note: z.string().max(10_000) }),
    response: z.object({ note: z.string() }),
  },
  'DELETE /api/projects/{project}/backgrounds/{background}': {
    summary: 'Forget a plain background that nothing was made with; its file stays.',
    response: z.object({ removed: z.number() }),
  },
  'GET /api/projects/{project}/backgrounds/{background}/picture': {
    summary: 'A plain background as WebP, reduced for the eye.',
    response: { media: 'image/webp' },
  },
} as const satisfies Record<EndpointKey, Endpoint>;
