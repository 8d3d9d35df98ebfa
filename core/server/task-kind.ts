/** What the queue has to know of a kind of long work. */
import type { z } from 'zod';
import type { ServiceEvent, Topic } from '../api/events.ts';
import type { TaskKind } from '../api/tasks.ts';
import type { Json } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { Lane } from './lanes.ts';
import type { ServedProject } from './open-projects.ts';
import type { Service } from './service.ts';

/** Kinds that the queue can begin by itself; the work of a "command" comes with its caller (`TaskQueue.inTurn`). */
export type QueuedKind = Exclude<TaskKind, 'command'>;

/** What a task is given to work with. */
export interface TaskContext<Params> {
  readonly service: Service;
  readonly params: Params;
  /** ISO 8601, when the task was put into the queue. */
  readonly askedAt: string;
  /** Aborted when the task is paused or cancelled. */
  readonly signal: AbortSignal;
  readonly runJob: RunJob;
  /** Show how far it is; any event of a job may be handed in, only progress is shown. */
  readonly onEvent: (event: Progress | { type: string }) => void;
}

/** The same for work that belongs to a project. */
export interface ProjectTaskContext<Params> extends TaskContext<Params> {
  readonly project: ServedProject;
  /** Tell the pages that show these parts of the project to fetch them again. */
  readonly changed: (...topics: Topic[]) => void;
  readonly publish: (event: ServiceEvent) => void;
}

/**
 * A kind of task. `perform` returns the result, or throws: `UserError` 'cancelled' when it stopped because its signal was
 * aborted. It may be called again with the same parameters after it was paused, failed, or died with the service, and
 * then goes on.
 */
export type TaskKindDefinition<Params> =
  | {
      scope: 'project';
      lane: Lane;
      params: z.ZodType<Params>;
      perform: (context: ProjectTaskContext<Params>) => Promise<Json>;
    }
  | { scope: 'app'; lane: Lane; params: z.ZodType<Params>; perform: (context: TaskContext<Params>) => Promise<Json> };

/** A kind whose parameters are checked when a task of it starts. */
export interface AnyTaskKind {
  lane: Lane;
  perform: (context: TaskContext<Json>, project: ServedProject | null) => Promise<Json>;
}

/** Define a kind of task. */
export function taskKind<Params>(definition: TaskKindDefinition<Params>): AnyTaskKind {
  return {
    lane: definition.lane,
    perform: (context, project) => {
      const parsed = { ...context, params: definition.params.parse(context.params) };
      if (definition.scope === 'app') return definition.perform(parsed);
      if (!project) throw new Error('a task of a project was started without one');
      const { hub } = context.service;
      return definition.perform({
        ...parsed,
        project,
        changed: (...topics) => hub.publish({ type: 'data', project: project.id, topics }),
        publish: (event) => hub.publish(event),
      });
    },
  };
}
