/** Contexts in order, as a grid shows them: what is known of each, which is active, which are chosen; and undo. */
import { untrack } from 'svelte';
import type { ContextCounts, ContextQuery, ContextRow, ContextStateName } from '../../../core/api/contexts.ts';
import { RowStore } from '../../grid/row-store.svelte.ts';
import { call } from '../../lib/api.ts';
import { events, type EventBatch } from '../../lib/events.svelte.ts';
import { plural } from '../../lib/format.ts';
import { NO_PAIRS, unpackPairs, type IdPairs } from '../../lib/id-pairs.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { router } from '../../lib/router.svelte.ts';
import { Selection } from '../../lib/selection.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { ContextLayers, type LayerName } from './context-layers.svelte.ts';

/** How a context is shown: the picture alone, with its mask over it, its border, or with the foreground dimmed or taken out. */
export type ViewMode = 'outline' | 'overlay' | 'dimmed' | 'context' | 'saliency' | 'picture';

/** Some contexts and what was decided on them. */
export interface Decided {
  readonly ids: readonly number[];
  readonly state: ContextStateName;
}

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

export abstract class ContextList {
  /** Which contexts are listed, in which order. */
  abstract readonly filter: ContextQuery;
  /** List others. */
  abstract narrow(change: Partial<ContextQuery>): void;

  readonly project: string;
  readonly rows: RowStore<ContextRow>;
  readonly layers: ContextLayers;
  /** By id of the image: each has one context. */
  readonly selection = new Selection();
  active = $state(0);
  mode: ViewMode = $state('outline');
  readonly counts: Resource<ContextCounts>;
  /** Ids of context and image by turns. */
  protected readonly pairs: Resource<Uint32Array>;
  readonly #listed: IdPairs = $derived.by(() => {
    const { data } = this.pairs;
    return data === undefined ? NO_PAIRS : unpackPairs(data);
  });
  /** Ids of images and of their contexts, in order. */
  readonly images: Uint32Array = $derived(this.#listed.images);
  readonly contexts: Uint32Array = $derived(this.#listed.contexts);
  readonly #contextOf: ReadonlyMap<number, number> = $derived.by(() => {
    const { images, contexts } = this;
    const map = new Map<number, number>();
    for (let i = 0; i < images.length; i++) map.set(images[i], contexts[i]);
    return map;
  });
  /** The layer that the mode lays over pictures; null for none. */
  readonly layer: LayerName | null = $derived(layerOf(this.mode));

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.project = project;
    this.rows = new RowStore((ids, signal) =>
      call('POST /api/projects/{project}/contexts/details', { params: { project }, body: { ids: [...ids] }, signal }),
    );
    this.layers = new ContextLayers(project);
    // What is decided is followed in place: see `follow`.
    const relists = ({ contextsChanged, data }: EventBatch): boolean =>
      contextsChanged.has(project) || data.get(project)?.has('images') === true;
    this.pairs = resource(
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
        for (const decision of batch.decisions) if (decision.project === project) this.follow(decision);
      }),
    );
    $effect(() => () => {
      this.rows.close();
      this.layers.close();
    });
    this.#followActive();
  }

  get loading(): boolean {
    return this.pairs.loading;
  }

  get error(): string | undefined {
    return this.pairs.error?.message;
  }

  reload(): void {
    this.pairs.reload();
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

  /** Ids of the contexts that an action is about: those chosen where they are several, else the active one. */
  targets(): number[] {
    const chosen = this.selection.size < 2 ? [] : this.selection.ids;
    const ids = chosen.map((image) => this.contextOf(image)).filter((id) => id !== undefined);
    if (ids.length > 0) return ids;
    return this.current === undefined ? [] : [this.current.id];
  }

  /** Make another context the active one. */
  go(step: number): void {
    const next = Math.min(this.images.length - 1, Math.max(0, this.active + step));
    if (next < 0) return;
    this.active = next;
    this.selection.set([this.images[next]]);
  }

  /** These images are in view. @param size longer side of their layers, pixels */
  show(images: readonly number[], size: number): void {
    this.rows.show(images.map((image) => this.contextOf(image)).filter((id) => id !== undefined));
    if (this.layer === null) return;
    const known = images.map((image) => this.row(image)).filter((row) => row !== undefined);
    this.layers.show(this.layer, size, known);
  }

  /** Take back the newest step over contexts, whoever took it. */
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

  /** What undo would take back, in words. */
  get undoTitle(): string {
    const step = this.counts.data?.lastStep;
    if (!step) return 'Nothing to undo';
    return `Undo ${STEPS[step.kind]} ${plural(step.contexts, 'context')}`;
  }

  /** Show what was decided here or in another window. */
  protected follow({ ids, state }: Decided): void {
    this.rows.patch(ids, { state });
    this.pairs.changed();
  }

  /** The context that the address names has come, and is the active one. */
  protected opened(): void {}

  /** When the list changes, the same context stays the active one; where it has left, the one in its place is. */
  #followActive(): void {
    /** Named by the address; active in the first list that comes. */
    let wanted: number | undefined = Number(router.route.query.context);
    let activeImage: number | undefined;
    $effect(() => {
      activeImage = untrack(() => this.images)[this.active];
    });
    $effect(() => {
      const { images } = this;
      untrack(() => {
        const named = wanted === undefined ? -1 : this.contexts.indexOf(wanted);
        if (images.length > 0) wanted = undefined;
        if (named >= 0) {
          this.active = named;
          this.opened();
          return;
        }
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

/** Dimming and taking out are done with the mask itself. */
function layerOf(mode: ViewMode): LayerName | null {
  if (mode === 'picture') return null;
  return mode === 'outline' || mode === 'saliency' ? mode : 'mask';
}
