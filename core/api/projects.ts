/** Projects: which are known, which are open. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Task } from './tasks.ts';

export const ProjectEntry = z
  .object({
    /** Id of the project; null when its file has never been opened here. */
    id: z.string().nullable(),
    name: z.string(),
    /** Absolute path of the project file. */
    file: z.string(),
    open: z.boolean(),
    /** The file is not where it was. */
    missing: z.boolean(),
    openedAt: z.string(),
  })
  .meta({ id: 'ProjectEntry' });
export type ProjectEntry = z.infer<typeof ProjectEntry>;

export const LostSource = z.object({ id: z.number(), path: z.string() });

export const OpenedProject = z
  .object({
    id: z.string(),
    name: z.string(),
    file: z.string(),
    createdAt: z.string(),
    /** Sources that are not where they were; relink them to see their pictures. */
    lostSources: z.array(LostSource),
  })
  .meta({ id: 'OpenedProject' });
export type OpenedProject = z.infer<typeof OpenedProject>;

export const PROJECT_ENDPOINTS = {
  'GET /api/projects': {
    summary: 'Projects that are open or were opened before, newest first.',
    response: z.array(ProjectEntry),
  },
  'POST /api/projects': {
    summary: 'Open a project file, or make one.',
    body: z.object({
      /** Absolute path of the project file. */
      file: z.string().min(1),
      create: z.boolean().default(false),
      /** Shown name of a new project; its file name when absent. */
      name: z.string().min(1).max(200).optional(),
    }),
    response: OpenedProject,
  },
  'GET /api/projects/{project}': { summary: 'An open project.', response: OpenedProject },
  'POST /api/projects/{project}/close': {
    summary: 'Close a project. What is at work in it is paused first.',
    response: z.object({}),
  },
  'POST /api/projects/forget': {
    summary: 'Take a project that is not open off the list. Its file stays.',
    body: z.object({ file: z.string().min(1) }),
    response: z.object({}),
  },
  'POST /api/sample': {
    summary: 'Make the sample data set and a project that holds it.',
    body: z.object({
      /** Folder for the project and its pictures; a folder of the user's when absent. */
      folder: z.string().min(1).optional(),
    }),
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
