/** How diverse the bank is: the last report, measuring anew, and near twins of which one is retired. */
import type { BackgroundEntry } from '../../../../core/api/backgrounds.ts';
import type { BankMember, BankSummary, StoredDiversity } from '../../../../core/api/bank.ts';
import type { ContextRow } from '../../../../core/api/contexts.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { RowStore } from '../../../grid/row-store.svelte.ts';
import { call } from '../../../lib/api.ts';
import { events } from '../../../lib/events.svelte.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { tasks } from '../../../lib/tasks.svelte.ts';
import { toasts } from '../../../lib/toasts.svelte.ts';
import { ContextLayers } from '../../contexts/context-layers.svelte.ts';

export class DiversityState {
  readonly project: string;
  readonly report: Resource<StoredDiversity | null>;
  readonly summary: Resource<BankSummary>;
  readonly rows: RowStore<ContextRow>;
  /** All plain backgrounds, where one of them is a near twin. */
  readonly backgrounds: Resource<BackgroundEntry[]>;
  readonly layers: ContextLayers;

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.project = project;
    const followed = { project: () => project, topics: ['contexts' as const] };
    const params = { project };
    this.report = resource(
      (signal) => call('GET /api/projects/{project}/bank/diversity', { params, signal }),
      followed,
    );
    this.summary = resource((signal) => call('GET /api/projects/{project}/bank', { params, signal }), followed);
    this.rows = new RowStore((ids, signal) =>
      call('POST /api/projects/{project}/contexts/details', { params, body: { ids: [...ids] }, signal }),
    );
    this.backgrounds = resource((signal) => {
      const twins = this.report.data?.twins ?? [];
      if (!twins.some(({ a, b }) => a.kind === 'background' || b.kind === 'background')) return Promise.resolve([]);
      return call('GET /api/projects/{project}/backgrounds', { params, signal });
    }, followed);
    this.layers = new ContextLayers(project);
    $effect(() =>
      events.listen((batch) => {
        if (batch.reset || batch.data.get(project)?.has('contexts') === true) this.rows.refresh();
      }),
    );
    $effect(() => () => {
      this.rows.close();
      this.layers.close();
    });
  }

  /** The task that measures, or the last one where that came to nothing. */
  get task(): Task | undefined {
    const [last] = tasks.of(this.project, 'diversity').slice(-1);
    return last === undefined || last.state === 'done' || last.state === 'cancelled' ? undefined : last;
  }

  /** @param run whose model looks. @param twinsFrom cosine from which two are near twins. @throws ApiError */
  async measure(run: number, twinsFrom: number): Promise<void> {
    const { project } = this;
    const body = { run, twinsFrom };
    tasks.add(await call('POST /api/projects/{project}/bank/diversity', { params: { project }, body }));
  }

  /** Take a context or a plain background out of the bank, or put it back. */
  async retire({ kind, id }: BankMember, retired: boolean): Promise<void> {
    try {
      await (kind === 'context' ? this.#retireContext(id, retired) : this.#retireBackground(id, retired));
    } catch (error) {
      this.rows.refresh();
      toasts.error(error);
    }
  }

  async #retireContext(id: number, retired: boolean): Promise<void> {
    const { project } = this;
    const body = { select: { ids: [id] } };
    this.rows.patch([id], { retiredAt: retired ? new Date().toISOString() : null });
    if (retired) {
      const { madeWith } = await call('POST /api/projects/{project}/bank/retire', { params: { project }, body });
      const undo = { label: 'Undo', run: () => void this.retire({ kind: 'context', id }, false) };
      toasts.ok(`Context retired. ${madeWith.sentence}`, undo);
    } else await call('POST /api/projects/{project}/bank/reinstate', { params: { project }, body });
  }

  async #retireBackground(id: number, retired: boolean): Promise<void> {
    const request = { params: { project: this.project }, body: { ids: [id] } };
    if (retired) {
      await call('POST /api/projects/{project}/backgrounds/retire', request);
      const undo = { label: 'Undo', run: () => void this.retire({ kind: 'background', id }, false) };
      toasts.ok('Plain background retired.', undo);
    } else await call('POST /api/projects/{project}/backgrounds/reinstate', request);
  }
}
