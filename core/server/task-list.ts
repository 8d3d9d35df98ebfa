/** The list of all tasks as the pages show it: whatever changes in it, they are told. */
import type { Task, TaskKind } from '../api/tasks.ts';
import type { Json } from '../base/json.ts';
import type { TaskRecord, TaskState } from '../storage/records.ts';
import type { EventHub } from './event-hub.ts';
import type { ServedProject } from './open-projects.ts';
import { TaskOwners, type OwnedTask } from './task-owners.ts';
import { taskId, viewTask, type AtWork, type TaskOwner } from './task-view.ts';

/** A task that is asked for. */
export interface NewTask {
  kind: TaskKind;
  title: string;
  params: Json;
  /** The command line that does the same. */
  command: string;
  runId?: number;
}

export class TaskList {
  readonly owners = new TaskOwners();
  readonly #hub: EventHub;
  readonly #atWork: (key: string) => AtWork | undefined;

  /** @param atWork what the task of that key has told; undefined when it is not at work */
  constructor(hub: EventHub, atWork: (key: string) => AtWork | undefined) {
    this.#hub = hub;
    this.#atWork = atWork;
  }

  /** All tasks, in order of the queue. */
  all(): Task[] {
    return this.owners.tasks().map((task) => this.view(task));
  }

  view({ owner, record }: OwnedTask): Task {
    return viewTask(owner, record, this.#atWork(taskId(owner, record.id)));
  }

  /** Put a task behind all others. */
  add(project: ServedProject | null, { runId, ...task }: NewTask): OwnedTask {
    const owner = this.owners.of(project);
    const record = owner.table.add({
      ...task,
      runId: runId ?? null,
      state: 'queued',
      position: this.owners.nextPosition(),
      attempts: 0,
      error: null,
      result: null,
      createdAt: now(),
      startedAt: null,
      endedAt: null,
    });
    this.publish({ owner, record });
    return { owner, record };
  }

  change(owner: TaskOwner, id: number, fields: Partial<TaskRecord>): void {
    owner.table.update(id, fields);
    this.publish({ owner, record: owner.table.get(id)! });
  }

  remove(owner: TaskOwner, id: number): void {
    owner.table.remove(id);
    this.publishGone(owner, id);
  }

  publish(task: OwnedTask): void {
    this.#hub.publish({ type: 'task', task: this.view(task) });
  }

  publishGone(owner: TaskOwner, id: number): void {
    this.#hub.publish({ type: 'task-gone', id: taskId(owner, id) });
  }
}

/** Whether a task in that state may still do something by itself. */
export const isOpen = (state: TaskState): boolean => state === 'queued' || state === 'running';

/** For a record. */
export function now(): string {
  return new Date().toISOString();
}
