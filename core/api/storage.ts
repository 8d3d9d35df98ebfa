/** Where the bytes are: of a project and of the app; and clean-up. The log, and the licences of what is inside. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';

/** Parts of a project's files. Those of `CLEANABLE_PARTS` can be deleted without losing anything. */
export const StoragePartName = z.enum(['blobs', 'unused', 'runs', 'packs', 'thumbnails', 'other-cache', 'backups']);
export type StoragePartName = z.infer<typeof StoragePartName>;

/**
 * "unused": bytes that nothing refers to · "packs", "thumbnails", "other-cache": made anew when they are wanted ·
 * "backups": the project file as it was before it was brought up to a newer version.
 */
export const CLEANABLE_PARTS = ['unused', 'packs', 'thumbnails', 'other-cache', 'backups'] as const;
export const CleanablePart = z.enum(CLEANABLE_PARTS);
export type CleanablePart = z.infer<typeof CleanablePart>;

export const ProjectStorageUse = z
  .object({
    /** The project file itself, with SQLite's own files beside it. */
    fileBytes: z.number(),
    parts: z.array(z.object({ name: StoragePartName, files: z.number(), bytes: z.number() })),
    /** Free bytes on its disk. */
    free: z.number(),
    /** Why nothing can be cleaned up at the moment; null when it can. */
    busy: z.string().nullable(),
  })
  .meta({ id: 'ProjectStorageUse' });
export type ProjectStorageUse = z.infer<typeof ProjectStorageUse>;

export const CleanableAppPart = z.enum(['compiled', 'logs']);
export type CleanableAppPart = z.infer<typeof CleanableAppPart>;

export const AppStorageUse = z
  .object({
    /** Where caches of the app lie, and where its settings do. */
    cacheFolder: z.string(),
    stateFolder: z.string(),
    /** "engine": TensorFlow, Node and the binding, which set-up has made, wherever; absent where it has not. */
    parts: z.array(z.object({ name: z.enum(['engine', 'compiled', 'logs']), files: z.number(), bytes: z.number() })),
  })
  .meta({ id: 'AppStorageUse' });
export type AppStorageUse = z.infer<typeof AppStorageUse>;

const Freed = z.object({ files: z.number(), bytes: z.number() });

export const STORAGE_ENDPOINTS = {
  'GET /api/projects/{project}/storage': { summary: 'Sizes of a project’s files.', response: ProjectStorageUse },
  'POST /api/projects/{project}/storage/clean': {
    summary: 'Delete parts of a project’s files that can be made anew or that nothing refers to.',
    body: z.object({ parts: z.array(CleanablePart).min(1) }),
    response: Freed,
  },
  'GET /api/storage': { summary: 'Sizes of the app’s own files.', response: AppStorageUse },
  'POST /api/storage/clean': {
    summary: 'Delete files of the app that can be made anew.',
    body: z.object({ parts: z.array(CleanableAppPart).min(1) }),
    response: Freed,
  },
  'GET /api/log': {
    summary: 'The last lines that the service has written since its start, oldest first.',
    response: z.object({ lines: z.array(z.string()) }),
  },
  'GET /api/licences': {
    summary: 'Licences of all parts of a packaged app; "not-found" where it was not packaged.',
    response: { media: 'text/plain' },
  },
} as const satisfies Record<EndpointKey, Endpoint>;
