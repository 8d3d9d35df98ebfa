/** The state of the page: which contexts are shown, which is active, and what is decided. */
import { untrack } from 'svelte';
import type { ContextCounts, ContextRow, ContextStateName, MaskRule } from '../../../core/api/contexts.ts';
import type { MorphOperation } from '../../../core/api/review.ts';
import { RowStore } from '../../grid/row-store.svelte.ts';
import { call } from '../../lib/api.ts';
import { events, type EventBatch } from '../../lib/events.svelte.ts';
import { plural } from '../../lib/format.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { Selection } from '../../lib/selection.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { ContextLayers } from './context-layers.svelte.ts';
import { addressOf, filterOf, type Filter } from './filter.ts';

/** How a context is shown: the picture alone, with its mask over it, its border, or with the foreground taken out. */
export type ViewMode = 'outline' | 'overlay' | 'context' | 'saliency' | 'picture';

/** What a decision is called when it is done. */
const DONE: Readonly<Record<ContextStateName, string>> = {
  accepted: 'accepted',
  rejected: 'rejected',
  undecided: 'made undecided again',
};
const STEPS: Readonly<Record<NonNullable<ContextCounts['lastStep']>['kind'], string>> = {
  accept: 'accepting',
  reject: 'rejecting',
  reset: 'making undecided',
  remask: 'new masks for',
  mask: 'the mask of',
  restore: 'the restored mask of',
  retire: 'retiring',
  reinstate: 'putting back',
};

const NOTHING = new Uint32Array();

export class ContextsState {
  readonly project: string;
  readonly rows: RowStore<ContextRow>;
  readonly layers: ContextLayers;
  /** By id of the image: each has one context. */
  readonly selection = new Selection();
  active = $state(0);
  mode: ViewMode = $state('outline');
  /** The large view is open. */
  large = $state(false);

  /** Ids of context and image by turns. */
  readonly #pairs: Resource<Uint32Array>;
  readonly counts: Resource<ContextCounts>;
  /** The filter as text: equal while other parts of the address change. */
  readonly #address: string = $derived(JSON.stringify(addressOf(filterOf(router.route.query))));
  readonly filter: Filter = $derived(filterOf(parse(this.#address)));
  /** Ids of images and of their contexts, in order. */
  readonly images: Uint32Array = $derived(this.#part(1));
  readonly contexts: Uint32Array = $derived(this.#part(0));
  readonly #contextOf: ReadonlyMap<number, number> = $derived.by(() => {
    const { images, contexts } = this;
    const map = new Map<number, number>();
    for (let i = 0; i < images.length; i++) map.set(images[i], contexts[i]);
    return map;
  });

  constructor(project: string) {
    this.project = project;
    this.rows = new RowStore((ids, signal) =>
      call('POST /api/projects/{project}/contexts/details', { params: { project }, body: { ids: [...ids] }, signal }),
    );
    this.layers = new ContextLayers(project);
    // What is decided is followed in place: see `#follow`.
    const relists = ({ contextsChanged, data }: EventBatch): boolean =>
      contextsChanged.has(project) || data.get(project)?.has('images') === true;
    this.#pairs = resource(
      async (signal) => {
        const query = this.filter;
        const response = await call('GET /api/projects/{project}/contexts/ids', { params: { project }, query, signal });
        return new Uint32Array(await response.arrayBuffer());
      },
      { project: () => project, topics: ['classes'], when: relists },
    );
    this.counts = resource(
      (signal) => call('GET /api/projects/{project}/contexts/counts', { params: { project }, signal }),
      { project: () => project, topics: ['contexts', 'images', 'classes'] },
    );
    $effect(() =>
      events.listen((batch) => {
        if (batch.reset || relists(batch)) this.rows.refresh();
        for (const decision of batch.decisions) if (decision.project === project) this.#follow(decision);
      }),
    );
    $effect(() => () => {
      this.rows.close();
      this.layers.close();
    });
    this.#followActive();
  }

  get loading(): boolean {
    return this.#pairs.loading;
  }

  get error(): string | undefined {
    return this.#pairs.error?.message;
  }

  reload(): void {
    this.#pairs.reload();
  }

  /** What is known of the context of an image. */
  row(image: number): ContextRow | undefined {
    const id = this.#contextOf.get(image);
    return id === undefined ? undefined : this.rows.get(id);
  }

  contextOf(image: number): number | undefined {
    return this.#contextOf.get(image);
  }

  /** The active context and its image; undefined where nothing is listed. */
  get current(): { id: number; image: number } | undefined {
    if (this.images.length === 0) return undefined;
    const index = Math.min(this.active, this.images.length - 1);
    return { id: this.contexts[index], image: this.images[index] };
  }

  narrow(change: Partial<Filter>): void {
    router.setQuery(addressOf({ ...this.filter, ...change }));
    this.selection.clear();
  }

  clear(): void {
    const { sort, descending } = this.filter;
    router.setQuery(addressOf({ sort, descending }));
  }

  /** Ids of the contexts that an action is about: those chosen where they are several, else the active one. */
  targets(): number[] {
    const chosen = this.large || this.selection.size < 2 ? [] : this.selection.ids;
    const ids = chosen.map((image) => this.#contextOf.get(image)).filter((id) => id !== undefined);
    if (ids.length > 0) return ids;
    return this.current === undefined ? [] : [this.current.id];
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

  async undo(): Promise<void> {
    try {
      const undone = await call('POST /api/projects/{project}/contexts/undo', { params: { project: this.project } });
      this.counts.set(undone.counts);
      const kept = undone.kept > 0 ? ` ${plural(undone.kept, 'context')} had been changed since and stayed.` : '';
      toasts.ok(`Taken back: ${STEPS[undone.kind]} ${plural(undone.changed, 'context')}.${kept}`);
    } catch (error) {
      toasts.error(error);
    }
  }

  /** @param everything all that the filter shows, instead of what is chosen. @throws ApiError */
  async remask(rule: MaskRule, everything: boolean): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    const select = everything ? { filter } : { ids: this.targets() };
    const body = { select, rule };
    tasks.add(await call('POST /api/projects/{project}/contexts/remask', { params: { project: this.project }, body }));
  }

  /** @param amount see `POST …/contexts/morph`; @param everything as for `remask`. @throws ApiError */
  async morph(operation: MorphOperation, amount: number, everything: boolean): Promise<void> {
    const { sort: _sort, descending: _descending, ...filter } = this.filter;
    const select = everything ? { filter } : { ids: this.targets() };
    const body = { select, operation, amount };
    tasks.add(await call('POST /api/projects/{project}/contexts/morph', { params: { project: this.project }, body }));
  }

  /** Make another context the active one. */
  go(step: number): void {
    const next = Math.min(this.images.length - 1, Math.max(0, this.active + step));
    if (next < 0) return;
    this.active = next;
    this.selection.set([this.images[next]]);
  }

  /** What undo would take back, in words. */
  get undoTitle(): string {
    const step = this.counts.data?.lastStep;
    if (!step) return 'Nothing to undo';
    return `Undo ${STEPS[step.kind]} ${plural(step.contexts, 'context')}`;
  }

  /** Show what was decided here or in another window without asking for the whole list again, where it tells enough. */
  #follow({ ids, state }: { ids: readonly number[]; state: ContextStateName }): void {
    this.rows.patch(ids, { state });
    const { filter } = this;
    const pairs = this.#pairs.data;
    if (pairs === undefined || this.#pairs.loading || filter.sort === 'changed') {
      this.#pairs.changed();
    } else if (filter.state !== undefined && !filter.state.includes(state)) {
      const gone = new Set(ids);
      if (this.contexts.some((id) => gone.has(id)))
        this.#pairs.set(pairs.filter((_, i) => !gone.has(pairs[i - (i % 2)])));
    } else if (filter.state !== undefined) {
      const listed = new Set(this.contexts);
      // One that fits now is not in the list, and only the service knows where it belongs.
      if (ids.some((id) => !listed.has(id))) this.#pairs.changed();
    }
  }

  #said(changed: number, state: ContextStateName): void {
    toasts.ok(`${plural(changed, 'context')} ${DONE[state]}.`, { label: 'Undo', run: () => void this.undo() });
  }

  #part(which: 0 | 1): Uint32Array {
    const pairs = this.#pairs.data;
    if (pairs === undefined) return NOTHING;
    const part = new Uint32Array(pairs.length / 2);
    for (let i = 0; i < part.length; i++) part[i] = pairs[2 * i + which];
    return part;
  }

  /** When the list changes, the same context stays the active one; where it has left, the one in its place is. */
  #followActive(): void {
    let activeImage: number | undefined;
    $effect(() => {
      activeImage = untrack(() => this.images)[this.active];
    });
    $effect(() => {
      const { images } = this;
      untrack(() => {
        const index = activeImage === undefined ? -1 : images.indexOf(activeImage);
        if (index >= 0) this.active = index;
        else {
          this.active = Math.max(0, Math.min(this.active, images.length - 1));
          activeImage = images[this.active];
        }
        if (this.selection.size > 0) this.selection.keepOnly(new Set(images));
      });
    });
  }
}

function parse(address: string): Record<string, string> {
  return JSON.parse(address);
}
