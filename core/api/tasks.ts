/** Tasks: long work that the service does, one after the other in each lane, with progress; and their endpoints. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Failure } from './errors.ts';

/** How far it is; see core/base/progress.ts. */
export const Progress = z
  .object({
    /** What is being done, as in "Reading pictures". */
    stage: z.string(),
    /** Units finished and in all; `total` is null while it is not known. */
    done: z.number(),
    total: z.number().nullable(),
    unit: z.string(),
    /** Units a second over the last seconds; null before there is something to measure. */
    rate: z.number().nullable(),
    secondsLeft: z.number().nullable(),
    note: z.string().optional(),
  })
  .meta({ id: 'Progress' });
export type Progress = z.infer<typeof Progress>;

/** "command" is a command line given elsewhere, while its work waits for its turn or is being done. */
export const TASK_KINDS = [
  'sample',
  'train',
  'trial',
  'import',
  'relink',
  'doctor',
  'backbone',
  'predict',
  'saliency',
  'reliance',
  'diversity',
  'backgrounds',
  'leftover',
  'near-duplicates',
  'uses',
  'onnx',
  'contexts',
  'remask',
  'morph',
  'compare-masks',
  'import-masks',
  'export-masks',
  'export',
  'verify',
  'command',
] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const TASK_STATES = ['queued', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const Task = z
  .object({
    id: z.string(),
    /** Id of its project; null for work that belongs to none. */
    project: z.string().nullable(),
    kind: z.enum(TASK_KINDS),
    /** Shown name, as in "Import birds". */
    title: z.string(),
    /** "paused": it was stopped and keeps what it did; it goes on when it is resumed. */
    state: z.enum(TASK_STATES),
    progress: Progress.nullable(),
    /** Why it failed. */
    error: Failure.nullable(),
    /** What came of it; its shape depends on the kind. */
    result: z.json(),
    /** The run that it trains. */
    runId: z.number().nullable(),
    /** The command line that does the same. */
    command: z.string(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;

export const TASK_ENDPOINTS = {
  'GET /api/tasks': {
    summary: 'All tasks of open projects, oldest first; those that ended stay until they are dismissed.',
    response: z.array(Task),
  },
  'GET /api/tasks/{task}': { summary: 'One task.', response: Task },
  'POST /api/tasks/{task}/cancel': {
    summary: 'Stop a task for good. What it has done stays; a run keeps its checkpoint.',
    response: Task,
  },
  'POST /api/tasks/{task}/pause': { summary: 'Stop a task so that it can go on later.', response: Task },
  'POST /api/tasks/{task}/resume': {
    summary: 'Put a paused, failed or cancelled task back into the queue.',
    response: Task,
  },
  'POST /api/tasks/{task}/move': {
    summary: 'Put a queued task before another one, or last.',
    body: z.object({ before: z.string().nullable() }),
    response: Task,
  },
  'DELETE /api/tasks/{task}': { summary: 'Take a task that has ended off the list.', response: z.object({}) },
  'POST /api/tasks/pause-all': {
    summary: 'Pause everything that is queued or at work, and wait until it has stopped.',
    response: z.array(Task),
  },
  'POST /api/tasks/cancel-all': {
    summary: 'Stop everything that is queued or at work, and wait until it has stopped.',
    response: z.array(Task),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
