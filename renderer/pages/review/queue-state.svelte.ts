/** The queue: which contexts are reviewed, which one is shown, what is decided. */
import { untrack } from 'svelte';
import type { ContextRow, ContextStateName } from '../../../core/api/contexts.ts';
import type { Disputes, ReviewProgress } from '../../../core/api/review.ts';
import { RowStore } from '../../grid/row-store.svelte.ts';
import { call, errorText, isAbort } from '../../lib/api.ts';
import { connection } from '../../lib/connection.svelte.ts';
import { events } from '../../lib/events.svelte.ts';
import { NO_PAIRS, unpackPairs, type IdPairs } from '../../lib/id-pairs.ts';
import { Preparation } from '../../lib/preparation.svelte.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { type Filter } from '../contexts/filter.ts';
import type { CanvasState } from './canvas-state.svelte.ts';
import { queueAddressOf, queueFilterOf } from './queue-filter.ts';
import { shelfOf, type Shelf } from './shelf.ts';

/** Contexts that are made ready: after the one shown, and before it. */
const AHEAD = 3;
const BEHIND = 1;
/** Rows that are known round the one shown. */
const ROWS = 24;

/** Disputed contexts that are listed: as many as details are given of at once. */
const MOST_DISPUTED = 2000;

export class QueueState {
  readonly project: string;
  readonly canvas: CanvasState;
  readonly rows: RowStore<ContextRow>;
  readonly progress: Resource<ReviewProgress>;
  /** Compares the masks with the newest model's, when that is the queue. */
  readonly comparing: Preparation;
  /** What the newest model disputes, when that is the queue. */
  readonly disputes: Resource<Disputes>;
  active = $state(0);
  /** A disputed mask is painted on instead of compared. */
  editing = $state(false);
  /** Why the active context cannot be shown. */
  error: string | undefined = $state();
  /** Decisions on their way. */
  deciding = $state(0);

  readonly #shelf: Shelf;
  readonly #list: Resource<IdPairs>;
  readonly #address: string = $derived(JSON.stringify(queueAddressOf(queueFilterOf(router.route.query))));
  readonly filter: Filter = $derived(queueFilterOf(parse(this.#address)));
  readonly disputed: boolean = $derived(router.route.query.disputed === '1');
  /** Changes once, and not with each word on progress. */
  readonly #compared: boolean = $derived.by(() => this.comparing.known);
  readonly list: IdPairs = $derived.by(() => this.#list.data ?? NO_PAIRS);
  #later = 0;
  /** The last decision on its way. */
  #sent: Promise<void> = Promise.resolve();
  /** Contexts decided on since the page was opened, newest last. */
  readonly #decided: number[] = [];

  constructor(project: string, canvas: CanvasState) {
    this.project = project;
    this.canvas = canvas;
    this.#shelf = shelfOf(project);
    const params = { project };
    this.rows = new RowStore((ids, signal) =>
      call('POST /api/projects/{project}/contexts/details', { params, body: { ids: [...ids] }, signal }),
    );
    this.comparing = new Preparation((signal) =>
      this.disputed ? call('POST /api/projects/{project}/review/compare', { params, body: {}, signal }) : null,
    );
    this.disputes = resource((signal) =>
      this.disputed && this.#compared ? call('GET /api/projects/{project}/review/disputed', { params, signal }) : null,
    );
    this.#list = resource((signal) => {
      const { disputed, filter } = this;
      const found = this.disputes.data;
      if (!disputed) return this.#find(filter, signal);
      return found === undefined ? null : this.#findDisputed(found, signal);
    });
    this.progress = resource((signal) => call('GET /api/projects/{project}/review/progress', { params, signal }), {
      project: () => project,
      topics: ['contexts', 'classes'],
    });
    this.#listen();
  }

  get length(): number {
    return this.list.contexts.length;
  }

  get loading(): boolean {
    return this.#list.loading || (this.disputed && !this.failed && (this.disputes.loading || !this.#compared));
  }

  /** Why there is no list. */
  get failed(): string | undefined {
    const { task } = this.comparing;
    const ended = task?.state === 'failed' || task?.state === 'cancelled' ? task.error?.message : undefined;
    return (this.#list.error ?? this.disputes.error ?? this.comparing.asked.error)?.message ?? ended;
  }

  /** The active context and its image; undefined where nothing is listed. */
  get current(): { id: number; image: number } | undefined {
    const { contexts, images } = this.list;
    const index = Math.min(this.active, contexts.length - 1);
    return index < 0 ? undefined : { id: contexts[index], image: images[index] };
  }

  get row(): ContextRow | undefined {
    return this.current && this.rows.get(this.current.id);
  }

  /** What the newest model holds against the mask of the active context. */
  get dispute(): Disputes['disputed'][number] | undefined {
    return this.disputes.data?.disputed.find(({ context }) => context === this.current?.id);
  }

  /** Ask for the list anew: what has been decided leaves it, where the filter says so. */
  reload(): void {
    router.setQuery({ context: undefined });
    this.comparing.asked.reload();
    this.disputes.reload();
    this.#list.reload();
  }

  /** Paint on a disputed mask. */
  edit(): void {
    this.editing = true;
  }

  narrow(change: Partial<Filter>): void {
    router.setQuery({ ...queueAddressOf({ ...this.filter, ...change }), context: undefined });
  }

  showDisputed(on: boolean): void {
    router.setQuery({ disputed: on ? '1' : undefined, context: undefined });
  }

  /** Show another context of the list. */
  go(step: number): void {
    this.show(this.active + step);
  }

  show(index: number): void {
    const next = Math.min(this.length - 1, Math.max(0, index));
    if (next < 0 || next === this.active) return;
    this.active = next;
  }

  /** Show the next undecided one in a direction, as far as is known. */
  goUndecided(direction: 1 | -1): void {
    for (let i = this.active + direction; i >= 0 && i < this.length; i += direction) {
      const row = this.rows.get(this.list.contexts[i]);
      if (row === undefined || row.state === 'undecided') {
        this.show(i);
        return;
      }
    }
    toasts.info(direction === 1 ? 'No undecided context follows.' : 'No undecided context comes before.');
  }

  /** Show a context by its id, where it is listed. @returns whether it is */
  showContext(context: number): boolean {
    const index = this.list.contexts.indexOf(context);
    if (index >= 0) this.show(index);
    return index >= 0;
  }

  /** Show a context by its id; where the filter leaves it out, the state is no filter any more. */
  resume(context: number): void {
    if (this.showContext(context)) return;
    router.setQuery({ ...queueAddressOf({ ...this.filter, state: undefined }), context });
  }

  /**
   * Decide on the active context and show the next one at once. Decisions are sent one after the other; while the service
   * is away they wait for it.
   */
  async decide(state: ContextStateName): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    const before = this.rows.get(current.id)?.state;
    this.rows.patch([current.id], { state });
    this.canvas.edits.threshold.take();
    this.go(1);
    this.deciding++;
    const sent = this.#sent.then(() => this.#send(current.id, state));
    this.#sent = sent.catch(() => {});
    try {
      await sent;
      this.#decided.push(current.id);
    } catch (error) {
      if (before !== undefined) this.rows.patch([current.id], { state: before });
      toasts.error(errorText(error), { label: 'Show it', run: () => void this.showContext(current.id) });
    } finally {
      this.deciding--;
    }
  }

  /** The decision is about the mask as it was painted: that is stored first. */
  async #send(id: number, state: ContextStateName): Promise<void> {
    const body = { select: { ids: [id] }, state };
    for (;;) {
      const queue = this.#shelf.peek(id)?.queue;
      await queue?.settled();
      try {
        const mark = queue?.mark;
        if (mark !== undefined && 'why' in mark) throw new Error(`${mark.why} The decision was not made.`);
        await call('POST /api/projects/{project}/contexts/decide', { params: { project: this.project }, body });
        return;
      } catch (error) {
        if (!connection.gone) throw error;
        await back();
      }
    }
  }

  /** Take back the newest step over contexts, and go to the one that was decided on last here. */
  async undoStep(): Promise<void> {
    try {
      const { changed, kept } = await call('POST /api/projects/{project}/contexts/undo', {
        params: { project: this.project },
      });
      const last = this.#decided.pop();
      if (last !== undefined) this.showContext(last);
      this.rows.refresh();
      toasts.ok(changed === 0 && kept > 0 ? 'It had been changed since and stayed.' : 'Taken back.');
    } catch (error) {
      toasts.error(error);
    }
  }

  /** Put the mask of the newest model in force. @throws ApiError */
  async takeModelMask(): Promise<void> {
    const { dispute } = this;
    if (dispute === undefined) return;
    await call('POST /api/projects/{project}/contexts/{context}/restore', {
      params: { project: this.project, context: dispute.context },
      body: { mask: dispute.modelMask },
    });
    this.go(1);
  }

  /** Open the active context, and have its neighbours ready. */
  #open(): void {
    const { current, canvas } = this;
    this.error = undefined;
    this.editing = false;
    if (current === undefined) {
      canvas.show(undefined);
      return;
    }
    const left = canvas.opened;
    const there = this.#shelf.peek(current.id);
    canvas.show(there);
    if (there === undefined) void this.#load(current.id);
    if (left !== undefined && left.id !== current.id) void this.#settle(left.id);
    // The picture comes first; what is only useful later follows its frame.
    cancelAnimationFrame(this.#later);
    this.#later = requestAnimationFrame(() => setTimeout(() => this.#prepare(current.id)));
  }

  /** What follows when a context is shown: the address names it, its neighbours are made ready. */
  #prepare(id: number): void {
    // The page may have been left meanwhile: another one's address is not ours.
    if (this.current?.id !== id || router.route.page !== 'review') return;
    router.setQuery({ context: id });
    this.#shelf.want(this.#near());
    void this.#check(id);
    const first = Math.max(0, this.active - ROWS);
    this.rows.show([...this.list.contexts.subarray(first, this.active + ROWS)]);
  }

  /** Try once more to show the active context. */
  retry(): void {
    if (this.current !== undefined) void this.#load(this.current.id);
  }

  async #load(id: number): Promise<void> {
    try {
      const opened = await this.#shelf.get(id);
      if (this.current?.id === id) {
        this.error = undefined;
        this.canvas.show(opened);
      }
    } catch (error) {
      if (this.current?.id === id && !isAbort(error)) this.error = errorText(error);
    }
  }

  /** What was fetched ahead may have been changed since. */
  async #check(id: number): Promise<void> {
    try {
      const params = { project: this.project, context: id };
      const { revision } = await call('GET /api/projects/{project}/contexts/{context}/draft', { params });
      this.#shelf.peek(id)?.queue.heard(revision);
    } catch {
      // The bar about the service says why; the page asks again when it is back.
    }
  }

  /** A picture that is left gets a mask version of what was painted on it. */
  async #settle(id: number): Promise<void> {
    const queue = this.#shelf.peek(id)?.queue;
    if (queue === undefined || queue.undoable === 0) return;
    await queue.settled();
    if (queue.mark.state !== 'saved') return;
    try {
      const params = { project: this.project, context: id };
      const { revision } = queue;
      await call('POST /api/projects/{project}/contexts/{context}/draft/settle', { params, body: { revision } });
    } catch {
      // The service settles by itself before anything uses the mask.
    }
  }

  /** The active context first, then those that are wanted soon. */
  #near(): number[] {
    const { contexts } = this.list;
    const steps = [
      0,
      ...Array.from({ length: AHEAD }, (_, i) => i + 1),
      ...Array.from({ length: BEHIND }, (_, i) => -i - 1),
    ];
    return steps
      .map((step) => this.active + step)
      .filter((i) => i >= 0 && i < contexts.length)
      .map((i) => contexts[i]);
  }

  #listen(): void {
    // A new list: the context that the address names is shown, or the first.
    $effect(() => {
      const { contexts } = this.list;
      untrack(() => {
        const wanted = Number(router.route.query.context);
        this.active = Math.max(0, contexts.indexOf(wanted));
      });
    });
    $effect(() => {
      void [this.list, this.active];
      untrack(() => this.#open());
    });
    $effect(() =>
      events.listen((batch) => {
        for (const { project, context, revision } of batch.drafts) {
          if (project === this.project) this.#shelf.peek(context)?.queue.heard(revision);
        }
        const topics = batch.data.get(this.project);
        if (!batch.reset && topics?.has('contexts') !== true) return;
        this.rows.refresh();
        if (this.current !== undefined) void this.#check(this.current.id);
      }),
    );
    $effect(() => () => {
      const left = this.canvas.opened;
      this.canvas.show(undefined);
      this.rows.close();
      if (left !== undefined) void this.#settle(left.id).finally(() => this.#shelf.clear());
      else this.#shelf.clear();
    });
  }

  async #find(query: Filter, signal: AbortSignal): Promise<IdPairs> {
    const params = { project: this.project };
    const response = await call('GET /api/projects/{project}/contexts/ids', { params, query, signal });
    return unpackPairs(new Uint32Array(await response.arrayBuffer()));
  }

  async #findDisputed({ disputed }: Disputes, signal: AbortSignal): Promise<IdPairs> {
    const ids = disputed.map(({ context }) => context).slice(0, MOST_DISPUTED);
    const params = { project: this.project };
    const found = await call('POST /api/projects/{project}/contexts/details', { params, body: { ids }, signal });
    return {
      contexts: Uint32Array.from(found, ({ id }) => id),
      images: Uint32Array.from(found, ({ image }) => image),
    };
  }
}

/** Resolves when the service is there again. */
function back(): Promise<void> {
  return new Promise((resolve) => {
    const stop = connection.onBack(() => {
      stop();
      resolve();
    });
  });
}

function parse(address: string): Record<string, string> {
  return JSON.parse(address);
}
