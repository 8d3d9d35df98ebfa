/** Whether it has been counted what the banks of runs held. In an older project that takes a while, and is a task. */
import type { Task } from '../../../core/api/tasks.ts';
import { call } from '../../lib/api.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';

export class UsesCount {
  /** Asked again when a run or an export has come: few are counted before the answer. */
  readonly asked: Resource<{ task: Task | null }>;

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.asked = resource(
      async (signal) => {
        const answer = await call('POST /api/projects/{project}/bank/uses/count', { params: { project }, signal });
        const { task } = answer;
        // Where it is quick, its end has been told of before this answer.
        if (task !== null && tasks.get(task.id) === undefined) tasks.add(task);
        return answer;
      },
      { project: () => project, topics: ['runs', 'exports'] },
    );
  }

  /** The task that counts; null where none is needed. */
  get task(): Task | null {
    const task = this.asked.data?.task ?? null;
    return task === null ? null : (tasks.get(task.id) ?? task);
  }

  /** Uses can be asked for and are answered at once. */
  get known(): boolean {
    return this.asked.data !== undefined && (this.task === null || this.task.state === 'done');
  }
}
