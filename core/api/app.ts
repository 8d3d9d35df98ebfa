/** The service itself: version, settings of the app, folders to choose from, events, the OpenAPI document. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';

export const About = z
  .object({
    version: z.string(),
    node: z.string(),
    platform: z.string(),
    pid: z.number(),
    /** Whether paths anywhere may be named ("private": the desktop app), or only below `roots` ("loopback": a browser). */
    access: z.enum(['private', 'loopback']),
    /** Canonical folders that may be imported from and written to; empty where access is private. */
    roots: z.array(z.string()),
    /** Where new projects go unless another place is chosen. */
    projectFolder: z.string(),
  })
  .meta({ id: 'About' });
export type About = z.infer<typeof About>;

export const AppSettings = z
  .object({
    theme: z.enum(['system', 'light', 'dark']).default('system'),
    /** Own keys by name of the action, such as {"contexts.accept": "p"}. */
    keys: z.record(z.string(), z.string()).default({}),
    /** Shown name of the person, for histories; the system's user name when empty. */
    author: z.string().max(200).default(''),
    /** Side of a thumbnail, CSS pixels. */
    thumbnailSize: z.int().min(48).max(320).default(128),
  })
  .meta({ id: 'AppSettings' });
export type AppSettings = z.infer<typeof AppSettings>;

export const FolderEntry = z.object({
  name: z.string(),
  /** Absolute. */
  path: z.string(),
  kind: z.enum(['folder', 'zip', 'csv', 'project']),
});
export type FolderEntry = z.infer<typeof FolderEntry>;

export const APP_ENDPOINTS = {
  'GET /api/about': { summary: 'What this service is.', response: About },
  'GET /api/settings': { summary: 'Settings of the app.', response: AppSettings },
  'PATCH /api/settings': {
    summary: 'Change settings of the app.',
    body: z.object({
      theme: AppSettings.shape.theme.unwrap().optional(),
      keys: AppSettings.shape.keys.unwrap().optional(),
      author: AppSettings.shape.author.unwrap().optional(),
      thumbnailSize: AppSettings.shape.thumbnailSize.unwrap().optional(),
    }),
    response: AppSettings,
  },
  'GET /api/folders': {
    summary:
      'What can be opened or imported from a folder; the roots when no path is given. For pages without dialogs.',
    query: z.object({ path: z.string().optional() }),
    response: z.object({
      path: z.string().nullable(),
      parent: z.string().nullable(),
      entries: z.array(FolderEntry),
    }),
  },
  'GET /api/events': { summary: 'Server-sent events; see events.ts.', response: { media: 'text/event-stream' } },
  'GET /api/openapi.json': { summary: 'This document.', response: { media: 'application/json' } },
} as const satisfies Record<EndpointKey, Endpoint>;
