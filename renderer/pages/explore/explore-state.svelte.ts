/** What Explore shows and does. The filter and the open picture live in the address. */
import { untrack } from 'svelte';
import type { EditEntry } from '../../../core/api/edits.ts';
import type { ImageDetails, SavedView } from '../../../core/api/images.ts';
import type { Groups, Tail } from '../../../core/api/stats.ts';
import { Edits } from '../../dataset/edits.svelte.ts';
import { RowStore } from '../../grid/row-store.svelte.ts';
import { call } from '../../lib/api.ts';
import { events } from '../../lib/events.svelte.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { Selection } from '../../lib/selection.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { addressOf, filterOf, WHOLE_VIEW, type Filter } from './filter.ts';

const NONE = new Uint32Array(0);

export class ExploreState {
  readonly project: string;
  readonly edits: Edits;
  readonly details: RowStore<ImageDetails>;
  readonly selection = new Selection();
  readonly tail: Resource<Tail>;
  readonly views: Resource<SavedView[]>;
  /** Ids of the images that fit, in order. */
  readonly #ids: Resource<Uint32Array>;
  /** Place of the active image. */
  active = $state(0);
  /** What is being done to images that the service has not confirmed yet, in a word or two. */
  pending: ReadonlyMap<number, string> = $state.raw(new Map());
  /** Thresholds that are being moved; the project's else. */
  #moved: Groups | undefined = $state.raw();

  /** The filter as text: equal while other parts of the address change. */
  readonly #address: string = $derived(JSON.stringify(addressOf(filterOf(router.route.query))));
  readonly filter: Filter = $derived(filterOf(read(this.#address)));
  readonly ids: Uint32Array = $derived.by(() => this.#ids.data ?? NONE);
  readonly thresholds: Groups = $derived.by(() => this.#moved ?? this.tail.data?.thresholds ?? { many: 100, few: 20 });
  readonly chosenClasses: ReadonlySet<number> = $derived(new Set(this.filter.class));
  /** Id of the picture that is shown large. */
  readonly picture: number | undefined = $derived(Number(router.route.query.image) || undefined);

  /** Call it while the page is being made. */
  constructor(project: string) {
    this.project = project;
    this.edits = new Edits(project);
    this.details = new RowStore((ids, signal) =>
      call('POST /api/projects/{project}/images/details', { params: { project }, body: { ids: [...ids] }, signal }),
    );
    const of = () => project;
    const params = { project };
    this.tail = resource((signal) => call('GET /api/projects/{project}/tail', { params, signal }), {
      project: of,
      topics: ['images', 'classes'],
    });
    this.views = resource((signal) => call('GET /api/projects/{project}/views', { params, signal }), {
      project: of,
      topics: ['settings'],
    });
    this.#ids = resource((signal) => this.#find(this.filter, signal), { project: of, topics: ['images', 'classes'] });
    $effect(() => {
      const stop = events.listen(({ reset, data }) => {
        const topics = data.get(project);
        if (reset || topics?.has('images') === true || topics?.has('classes') === true) this.details.refresh();
      });
      return () => {
        stop();
        this.details.close();
      };
    });
    this.#followActive();
  }

  get loading(): boolean {
    return this.#ids.loading;
  }

  get error(): string | undefined {
    return this.#ids.error?.message;
  }

  reload(): void {
    this.#ids.reload();
  }

  /** Change some of the filter. */
  narrow(change: Partial<Filter>): void {
    this.show({ ...this.filter, ...change });
  }

  /** Show what another filter finds. */
  show(filter: Filter): void {
    router.setQuery({ ...addressOf(filter), image: undefined });
    this.selection.clear();
  }

  /** Show all that is in the view again, in the same order. */
  clear(): void {
    const { sort, descending } = this.filter;
    this.show({ ...WHOLE_VIEW, sort, descending });
  }

  /** Filter by a class; again: not any more. @param add beside those that are chosen */
  chooseClass(id: number, { add }: { add: boolean }): void {
    const before = this.filter.class ?? [];
    const only = before.length === 1 && before[0] === id;
    const next =
      before.includes(id) && (add || only) ? before.filter((other) => other !== id) : add ? [...before, id] : [id];
    this.narrow({ class: next.length > 0 ? next : undefined });
  }

  open(id: number | undefined): void {
    router.setQuery({ image: id });
    const index = id === undefined ? -1 : this.ids.indexOf(id);
    if (index >= 0) this.active = index;
  }

  /** Move the lines between the groups; they are kept when they are let go. */
  async setThresholds(groups: Groups, done: boolean): Promise<void> {
    this.#moved = groups;
    if (!done) return;
    try {
      await call('PUT /api/projects/{project}/groups', { params: { project: this.project }, body: groups });
      const { data } = this.tail;
      if (data !== undefined) this.tail.set({ ...data, thresholds: groups });
    } catch (error) {
      toasts.error(error);
    } finally {
      this.#moved = undefined;
    }
  }

  /** Take images out of the view, or bring them back where all of them are out. */
  async toggleExcluded(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const excluded = !ids.every((id) => this.#isExcluded(id));
    await this.#edit(ids, excluded ? 'excluding' : 'bringing back', { excluded }, () =>
      call(excluded ? 'POST /api/projects/{project}/edits/exclude' : 'POST /api/projects/{project}/edits/include', {
        params: { project: this.project },
        body: { ids: [...ids] },
      }),
    );
  }

  async relabel(ids: readonly number[], name: string): Promise<void> {
    const create = !this.tail.data?.classes.some((known) => known.name === name);
    const known = this.tail.data?.classes.find((one) => one.name === name);
    const fields = { className: name, ...(known === undefined ? {} : { classId: known.id }) };
    await this.#edit(ids, `to ${name}`, fields, () =>
      call('POST /api/projects/{project}/edits/relabel', {
        params: { project: this.project },
        body: { ids: [...ids], class: name, create },
      }),
    );
  }

  /** @param into null: the classes stand for themselves again. @throws ApiError */
  async merge(classes: readonly string[], into: string | null): Promise<void> {
    const params = { project: this.project };
    const body = { classes: [...classes], into };
    this.edits.made(await call('POST /api/projects/{project}/edits/merge', { params, body }));
    // What was filtered by may be no class any more.
    this.narrow({ class: undefined });
  }

  async saveViews(views: readonly SavedView[]): Promise<void> {
    try {
      const params = { project: this.project };
      this.views.set(await call('PUT /api/projects/{project}/views', { params, body: { views: [...views] } }));
    } catch (error) {
      toasts.error(error);
    }
  }

  #isExcluded(id: number): boolean {
    return this.details.get(id)?.excluded ?? this.filter.excluded ?? false;
  }

  /** Mark images, send the edit, and show what came of it. */
  async #edit(
    ids: readonly number[],
    word: string,
    fields: Partial<ImageDetails>,
    send: () => Promise<EditEntry>,
  ): Promise<void> {
    this.pending = new Map([...this.pending, ...ids.map((id): [number, string] => [id, word])]);
    try {
      const edit = await send();
      this.details.patch(ids, fields);
      this.edits.made(edit);
    } catch (error) {
      toasts.error(error);
    } finally {
      const left = new Map(this.pending);
      for (const id of ids) left.delete(id);
      this.pending = left;
    }
  }

  async #find(filter: Filter, signal: AbortSignal): Promise<Uint32Array> {
    const params = { project: this.project };
    const response = await call('GET /api/projects/{project}/images/ids', { params, query: filter, signal });
    return new Uint32Array(await response.arrayBuffer());
  }

  /** When the list changes, the same image stays the active one. */
  #followActive(): void {
    let activeId: number | undefined;
    $effect(() => {
      activeId = untrack(() => this.ids)[this.active];
    });
    $effect(() => {
      const { ids } = this;
      untrack(() => {
        const index = activeId === undefined ? -1 : ids.indexOf(activeId);
        if (index >= 0) this.active = index;
        else activeId = ids[Math.min(this.active, ids.length - 1)];
        if (this.selection.size > 0) this.selection.keepOnly(new Set(ids));
      });
    });
  }
}

function read(address: string): Record<string, string> {
  return JSON.parse(address);
}
