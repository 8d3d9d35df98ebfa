/** The look for near-duplicates: by what, how far it is, and what the last one came to. */
import type { NearDescriptor, NearReport } from '../../../core/api/near-duplicates.ts';
import type { Task } from '../../../core/api/tasks.ts';
import { call } from '../../lib/api.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';

export class NearState {
  readonly project: string;
  readonly overview: Resource<{ descriptors: NearDescriptor[]; report: NearReport | null }>;
  readonly report: NearReport | null = $derived.by(() => this.overview.data?.report ?? null);
  /** What a person chose to compare by; undefined before that. */
  #chosen: string | undefined = $state();
  /** What the next look compares by: that, else as the last one, else the best. */
  readonly by: NearDescriptor | undefined = $derived.by(() => {
    const all = this.overview.data?.descriptors ?? [];
    const wanted = this.#chosen ?? this.report?.by;
    return all.find(({ name }) => name === wanted) ?? all.at(0);
  });
  readonly task: Task | undefined = $derived.by(() => tasks.of(this.project, 'near-duplicates').at(-1));

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.project = project;
    this.overview = resource(
      (signal) => call('GET /api/projects/{project}/near-duplicates', { params: { project }, signal }),
      { project: () => project, topics: ['images'] },
    );
  }

  choose(name: string): void {
    this.#chosen = name;
  }

  async find(): Promise<void> {
    const body = this.by === undefined ? {} : { by: this.by.name };
    try {
      tasks.add(
        await call('POST /api/projects/{project}/near-duplicates', { params: { project: this.project }, body }),
      );
    } catch (error) {
      toasts.error(error);
    }
  }

  /** @returns whether it was kept */
  async setThreshold(threshold: number): Promise<boolean> {
    const params = { project: this.project };
    try {
      await call('PUT /api/projects/{project}/near-duplicates/threshold', { params, body: { threshold } });
      return true;
    } catch (error) {
      toasts.error(error);
      return false;
    }
  }
}
