/** The sample that a person asked for; outlives the component, since the first screen gives way as soon as there is a project. */
import type { Task } from '../../../core/api/tasks.ts';
import { projectOf } from '../../frame/task-place.ts';
import { call, errorText } from '../../lib/api.ts';
import { projects } from '../../lib/projects.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { isActive, tasks } from '../../lib/tasks.svelte.ts';

class Sample {
  /** Id of the task that was started here. */
  #started: string | undefined = $state();
  /** Why there is none. */
  error: string | undefined = $state();
  /** The work, while it goes on; also when another page or the command line started it. */
  readonly task: Task | undefined = $derived(tasks.active.find(({ kind }) => kind === 'sample'));

  constructor() {
    tasks.onEnd((task) => void this.#ended(task));
  }

  async make(): Promise<void> {
    this.error = undefined;
    try {
      const task = await call('POST /api/sample', { body: {} });
      this.#started = task.id;
      tasks.add(task);
      // It may have ended before anybody listened.
      if (!isActive(task)) await this.#ended(task);
    } catch (error) {
      this.error = errorText(error);
    }
  }

  async #ended(task: Task): Promise<void> {
    if (task.id !== this.#started) return;
    if (task.state === 'failed') this.error = task.error?.message;
    const project = projectOf(task);
    if (task.state !== 'done' || project === null) return;
    await projects.reload();
    // Whoever has gone elsewhere meanwhile is not pulled away.
    if (router.route.page === 'library') await router.go({ project, page: 'explore' });
  }
}

export const sample = new Sample();
