/** Work that has to be done before something can be asked for: within a moment, or as a task where it takes long. */
import type { Task } from '../../core/api/tasks.ts';
import { resource, type Resource, type ResourceOptions } from './resource.svelte.ts';
import { tasks } from './tasks.svelte.ts';

export class Preparation {
  readonly asked: Resource<{ task: Task | null }>;

  /**
   * Call it while a component is being made.
   * @param ask begins it; the task is null where none is needed. Null for "nothing to prepare"; as `resource`
   */
  constructor(ask: (signal: AbortSignal) => Promise<{ task: Task | null }> | null, options: ResourceOptions = {}) {
    this.asked = resource((signal) => ask(signal)?.then(added) ?? null, options);
  }

  /** The task that does it; null where none is needed. */
  get task(): Task | null {
    const task = this.asked.data?.task ?? null;
    return task === null ? null : (tasks.get(task.id) ?? task);
  }

  /** It has been done: what it was for is answered at once. */
  get known(): boolean {
    return this.asked.data !== undefined && (this.task === null || this.task.state === 'done');
  }
}

function added<T extends { task: Task | null }>(answer: T): T {
  const { task } = answer;
  // Where it is quick, its end has been told of before this answer.
  if (task !== null && tasks.get(task.id) === undefined) tasks.add(task);
  return answer;
}
