/** Pretrained backbones of this machine: which there are, and getting one. */
import type { BackboneEntry } from '../../core/api/backbones.ts';
import type { Task } from '../../core/api/tasks.ts';
import { call } from './api.ts';
import { resource, type Resource } from './resource.svelte.ts';
import { isActive, tasks } from './tasks.svelte.ts';
import { toasts } from './toasts.svelte.ts';

export class Backbones {
  readonly list: Resource<readonly BackboneEntry[]>;
  readonly gets: readonly Task[] = $derived(tasks.list.filter(({ kind }) => kind === 'backbone'));

  /** Make it while the component is being made. */
  constructor() {
    // The list is another one when a download has ended.
    const ended = $derived(this.gets.filter((task) => !isActive(task)).length);
    this.list = resource(async (signal) => {
      void ended;
      return (await call('GET /api/backbones', { signal })).backbones;
    });
  }

  /** The last task that gets one, at work or ended. */
  taskOf({ title }: BackboneEntry): Task | undefined {
    return this.gets.filter((task) => task.title === `Get ${title}`).at(-1);
  }

  async get(name: string): Promise<void> {
    try {
      tasks.add(await call('POST /api/backbones/{backbone}', { params: { backbone: name } }));
    } catch (error) {
      toasts.error(error);
    }
  }
}
