/** Whose tasks there are: those of each open project in its database, those of no project in memory. */
import { UserError } from '../base/errors.ts';
import type { TaskRecord } from '../storage/records.ts';
import { memoryTasks } from './memory-tasks.ts';
import type { ServedProject } from './open-projects.ts';
import { taskId, type TaskOwner } from './task-view.ts';

const APP = 'app';

/** A task and where it is. */
export interface OwnedTask {
  owner: TaskOwner;
  record: TaskRecord;
}

export class TaskOwners {
  readonly #owners = new Map<string, TaskOwner>([[APP, { name: APP, project: null, table: memoryTasks() }]]);

  add(project: ServedProject): TaskOwner {
    const owner = { name: project.id, project, table: project.project.store.tasks };
    this.#owners.set(project.id, owner);
    return owner;
  }

  delete(projectId: string): void {
    this.#owners.delete(projectId);
  }

  all(): TaskOwner[] {
    return [...this.#owners.values()];
  }

  get(projectId: string): TaskOwner | undefined {
    return this.#owners.get(projectId);
  }

  /** @param project null for tasks of none @throws UserError 'not-found' */
  of(project: ServedProject | null): TaskOwner {
    const owner = this.#owners.get(project?.id ?? APP);
    if (!owner) throw new UserError('not-found', 'The project of this task is not open. Open it first.');
    return owner;
  }

  /** All tasks, in order of the queue. */
  tasks(): OwnedTask[] {
    const all = this.all().flatMap((owner) => owner.table.list().map((record) => ({ owner, record })));
    return all.toSorted((a, b) => a.record.position - b.record.position);
  }

  /** @throws UserError 'not-found' */
  find(id: string): OwnedTask {
    const at = id.lastIndexOf(':');
    const owner = this.#owners.get(id.slice(0, at));
    const number = Number(id.slice(at + 1));
    const record = Number.isSafeInteger(number) ? owner?.table.get(number) : undefined;
    // "1" and "01" are the same number, but not the same task.
    if (!owner || !record || taskId(owner, record.id) !== id) {
      throw new UserError('not-found', `There is no task ${id}. The list of tasks shows them.`);
    }
    return { owner, record };
  }

  /** Position behind all others. */
  nextPosition(): number {
    let last = 0;
    for (const { record } of this.tasks()) last = Math.max(last, record.position);
    return last + 1;
  }

  /**
   * Position just before another task, or behind all others.
   * @param moved the task that is to go there
   * @throws UserError 'not-found'
   */
  positionBefore(before: string | null, moved: string): number {
    if (before === null) return this.nextPosition();
    const { record } = this.find(before);
    const others = this.tasks().filter((task) => taskId(task.owner, task.record.id) !== moved);
    const at = others.findIndex((task) => taskId(task.owner, task.record.id) === before);
    return at <= 0 ? record.position - 1 : (others[at - 1].record.position + record.position) / 2;
  }
}
