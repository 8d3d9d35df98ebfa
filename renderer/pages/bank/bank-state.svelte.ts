/** The contexts of the bank: which are shown, how often each was used, what is retired and put back. */
import { untrack } from 'svelte';
import type { BankSummary } from '../../../core/api/bank.ts';
import type { ContextQuery, ContextSelection } from '../../../core/api/contexts.ts';
import { RowStore } from '../../grid/row-store.svelte.ts';
import { call } from '../../lib/api.ts';
import { plural } from '../../lib/format.ts';
import { Preparation } from '../../lib/preparation.svelte.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { ContextList } from '../contexts/context-list.svelte.ts';
import { bankAddressOf, bankFilterOf } from './filter.ts';

/** How often a context was used. */
export interface Uses {
  /** Of the context. */
  id: number;
  runs: number;
  exports: number;
  /** Pictures of the exports that it lies on. */
  pictures: number;
}

export class BankState extends ContextList {
  readonly summary: Resource<BankSummary>;
  /** Counts what the banks of runs held; asked again when a run or an export has come. */
  readonly counting: Preparation;
  readonly uses: RowStore<Uses>;
  /** The filter as text: equal while other parts of the address change. */
  readonly #address: string = $derived(JSON.stringify(bankAddressOf(bankFilterOf(router.route.query))));
  readonly filter: ContextQuery = $derived(bankFilterOf(parse(this.#address)));

  /** Call it while a component is being made. */
  constructor(project: string) {
    super(project);
    this.mode = 'dimmed';
    this.summary = resource((signal) => call('GET /api/projects/{project}/bank', { params: { project }, signal }), {
      project: () => project,
      topics: ['contexts', 'images', 'classes'],
    });
    this.counting = new Preparation(
      (signal) => call('POST /api/projects/{project}/bank/uses/count', { params: { project }, signal }),
      { project: () => project, topics: ['runs', 'exports'] },
    );
    this.uses = new RowStore(async (ids, signal) => {
      const body = { ids: [...ids] };
      const counted = await call('POST /api/projects/{project}/bank/uses', { params: { project }, body, signal });
      return counted.map(({ context: id, ...uses }) => ({ id, ...uses }));
    });
    $effect(() => {
      // Each answer may stand for new runs.
      void this.counting.asked.data;
      if (!this.counting.known) return;
      untrack(() => {
        this.uses.refresh();
        if (this.filter.sort === 'uses' || this.filter.used !== undefined) this.pairs.changed();
      });
    });
    $effect(() => () => this.uses.close());
  }

  narrow(change: Partial<ContextQuery>): void {
    router.setQuery(bankAddressOf({ ...this.filter, ...change }));
    this.selection.clear();
  }

  /** Show the whole bank; the order stays. */
  clear(): void {
    const { sort, descending, retired } = this.filter;
    const whole: ContextQuery = { sort, descending, ...(retired === undefined ? {} : { retired }) };
    router.setQuery(bankAddressOf(whole));
  }

  override show(images: readonly number[], size: number): void {
    super.show(images, size);
    if (this.counting.known)
      this.uses.show(images.map((image) => this.contextOf(image)).filter((id) => id !== undefined));
  }

  /** Take what is chosen, or the active context, out of the bank, or put it back. */
  async retire(retired: boolean): Promise<void> {
    const ids = this.targets();
    if (ids.length === 0) return;
    this.rows.patch(ids, { retiredAt: retired ? new Date().toISOString() : null });
    try {
      await this.#retire({ ids }, retired);
    } catch (error) {
      this.rows.refresh();
      toasts.error(error);
    }
  }

  /** The same with all that the filter shows, as one step. @throws ApiError */
  async retireAll(retired: boolean): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    await this.#retire({ filter }, retired);
  }

  async #retire(select: ContextSelection, retired: boolean): Promise<void> {
    const { project } = this;
    const undo = { label: 'Undo', run: () => void this.undo() };
    if (retired) {
      const body = { select };
      const answer = await call('POST /api/projects/{project}/bank/retire', { params: { project }, body });
      this.counts.set(answer.counts);
      const made = answer.changed === 0 ? '' : ` ${answer.madeWith.sentence}`;
      toasts.ok(`${plural(answer.changed, 'context')} retired.${made}`, undo);
    } else {
      const body = { select };
      const answer = await call('POST /api/projects/{project}/bank/reinstate', { params: { project }, body });
      this.counts.set(answer.counts);
      toasts.ok(`${plural(answer.changed, 'context')} put back.`, undo);
    }
  }
}

function parse(address: string): Record<string, string> {
  return JSON.parse(address);
}
