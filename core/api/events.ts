/**
 * What the service tells its pages, as one stream of server-sent events (`GET /api/events`). Each has an id; a page that
 * comes back with the last one it saw gets what it missed, or `reset` when that is gone.
 */
import { z } from 'zod';
import { ContextStateName } from './contexts.ts';
import { Task } from './tasks.ts';

/** Parts of a project that a page may show; it fetches again what an event names. */
export const TOPICS = [
  'images',
  'classes',
  'sources',
  'problems',
  'edits',
  'contexts',
  'runs',
  'exports',
  'settings',
] as const;
export const Topic = z.enum(TOPICS);
export type Topic = z.infer<typeof Topic>;

export const ServiceEvent = z
  .discriminatedUnion('type', [
    /** A task is new or has changed; at most ten a second each, the last always. */
    z.object({ type: z.literal('task'), task: Task }),
    z.object({ type: z.literal('task-gone'), id: z.string() }),
    /** Data of a project has changed. */
    z.object({ type: z.literal('data'), project: z.string(), topics: z.array(Topic) }),
    /** Some contexts were decided on, and nothing else of them has changed: "data" of the topic contexts, spelt out. */
    z.object({ type: z.literal('decided'), project: z.string(), ids: z.array(z.number()), state: ContextStateName }),
    /** The mask of a context was painted on, or a stroke taken back; who shows it reads its draft again. */
    z.object({ type: z.literal('draft'), project: z.string(), context: z.number(), revision: z.number() }),
    /** The list of projects has changed. */
    z.object({ type: z.literal('projects') }),
    /** The settings of the app have changed. */
    z.object({ type: z.literal('settings') }),
    /** Losses of a run between its epochs; `step` counts from the start of the run. */
    z.object({
      type: z.literal('run-step'),
      project: z.string(),
      run: z.number(),
      epoch: z.number(),
      step: z.number(),
      uniformLoss: z.number(),
      balancedLoss: z.number().nullable(),
      learningRate: z.number(),
      imagesPerSecond: z.number().nullable(),
    }),
    /** An epoch of a run is over; its figures are there to be fetched. */
    z.object({ type: z.literal('run-epoch'), project: z.string(), run: z.number(), epoch: z.number() }),
    /** New pictures of what the balanced branch sees are there to be fetched. */
    z.object({ type: z.literal('run-preview'), project: z.string(), run: z.number(), epoch: z.number() }),
    /** What came before is not known any more: fetch everything again. */
    z.object({ type: z.literal('reset') }),
  ])
  .meta({ id: 'ServiceEvent' });
export type ServiceEvent = z.infer<typeof ServiceEvent>;
