/** The state of the page: which contexts are shown, which is active, and what is decided. */
import type { MadeWith } from '../../../core/api/bank.ts';
import type { ContextStateName, MaskRule } from '../../../core/api/contexts.ts';
import type { MorphOperation } from '../../../core/api/review.ts';
import type { Task } from '../../../core/api/tasks.ts';
import { call } from '../../lib/api.ts';
import { plural } from '../../lib/format.ts';
import { router } from '../../lib/router.svelte.ts';
import { endOf } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { ContextList, type Decided } from './context-list.svelte.ts';
import { addressOf, filterOf, type Filter } from './filter.ts';

/** What a decision is called when it is done. */
const DONE: Readonly<Record<ContextStateName, string>> = {
  accepted: 'accepted',
  rejected: 'rejected',
  undecided: 'made undecided again',
};

export class ContextsState extends ContextList {
  /** The large view is open. */
  large = $state(false);

  /** The filter as text: equal while other parts of the address change. */
  readonly #address: string = $derived(JSON.stringify(addressOf(filterOf(router.route.query))));
  readonly filter: Filter = $derived(filterOf(parse(this.#address)));
  narrow(change: Partial<Filter>): void {
    router.setQuery(addressOf({ ...this.filter, ...change }));
    this.selection.clear();
  }

  clear(): void {
    const { sort, descending } = this.filter;
    router.setQuery(addressOf({ sort, descending }));
  }

  /** The large view is about the one that it shows. */
  override targets(): number[] {
    if (!this.large) return super.targets();
    return this.current === undefined ? [] : [this.current.id];
  }

  protected override opened(): void {
    this.large = true;
  }

  /** Decide on what is chosen, or on the active context and go on to the next. */
  async decide(state: ContextStateName): Promise<void> {
    const ids = this.targets();
    if (ids.length === 0) return;
    const single = ids.length === 1;
    const before = new Map(ids.map((id) => [id, this.rows.get(id)?.state]));
    this.rows.patch(ids, { state });
    if (single) this.go(1);
    try {
      const body = { select: { ids }, state };
      const { changed, counts } = await call('POST /api/projects/{project}/contexts/decide', {
        params: { project: this.project },
        body,
      });
      this.counts.set(counts);
      if (!single) this.#said(changed, state);
    } catch (error) {
      for (const [id, old] of before) if (old !== undefined) this.rows.patch([id], { state: old });
      toasts.error(error);
    }
  }

  /** Decide on all that the filter shows, as one step. @throws ApiError */
  async decideAll(state: ContextStateName): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    const { changed, counts } = await call('POST /api/projects/{project}/contexts/decide', {
      params: { project: this.project },
      body: { select: { filter }, state },
    });
    this.counts.set(counts);
    this.#said(changed, state);
  }

  /** @param everything all that the filter shows, instead of what is chosen. @throws ApiError */
  async remask(rule: MaskRule, everything: boolean): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    const select = everything ? { filter } : { ids: this.targets() };
    const body = { select, rule };
    this.#follow(
      await call('POST /api/projects/{project}/contexts/remask', { params: { project: this.project }, body }),
    );
  }

  /** @param amount see `POST …/contexts/morph`; @param everything as for `remask`. @throws ApiError */
  async morph(operation: MorphOperation, amount: number, everything: boolean): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    const select = everything ? { filter } : { ids: this.targets() };
    const body = { select, operation, amount };
    this.#follow(
      await call('POST /api/projects/{project}/contexts/morph', { params: { project: this.project }, body }),
    );
  }

  /** Masks are changed; at the end it is said what was made with those before, and stays as it is. */
  #follow(task: Task): void {
    void endOf(task).then(({ state, result }) => {
      const said = state === 'done' && saysMade(result) ? result : undefined;
      if (said !== undefined) toasts.ok(`${plural(said.made, 'mask')} changed. ${said.madeWith.sentence}`);
    });
  }

  /** Show what was decided here or in another window without asking for the whole list again, where it tells enough. */
  protected override follow({ ids, state }: Decided): void {
    this.rows.patch(ids, { state });
    const { filter } = this;
    const pairs = this.pairs.data;
    if (pairs === undefined || this.pairs.loading || filter.sort === 'changed') {
      this.pairs.changed();
    } else if (filter.state !== undefined && !filter.state.includes(state)) {
      const gone = new Set(ids);
      if (this.contexts.some((id) => gone.has(id)))
        this.pairs.set(pairs.filter((_, i) => !gone.has(pairs[i - (i % 2)])));
    } else if (filter.state !== undefined) {
      const listed = new Set(this.contexts);
      // One that fits now is not in the list, and only the service knows where it belongs.
      if (ids.some((id) => !listed.has(id))) this.pairs.changed();
    }
  }

  #said(changed: number, state: ContextStateName): void {
    toasts.ok(`${plural(changed, 'context')} ${DONE[state]}.`, { label: 'Undo', run: () => void this.undo() });
  }
}

function parse(address: string): Record<string, string> {
  return JSON.parse(address);
}

/** What a task that changes masks tells at its end. */
function saysMade(result: unknown): result is { made: number; madeWith: MadeWith } {
  return typeof result === 'object' && result !== null && 'made' in result && 'madeWith' in result;
}
