/** What the history shows: runs by the filters that stand in the address, and which of them are chosen. */
import { untrack } from 'svelte';
import { METHOD_NAMES_SHOWN, RUN_STATES_SHOWN } from './columns.ts';
import type { RunHistory, RunRow } from '../../../../core/api/runs.ts';
import { call } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { Selection } from '../../../lib/selection.svelte.ts';

/** The history is fetched again at most this often while runs are at work, milliseconds. */
const RUNNING_MS = 2000;

export interface HistoryFilter {
  search: string;
  states: RunRow['state'][];
  methods: RunRow['method'][];
  tags: string[];
  starred: boolean;
  trashed: boolean;
}

export class HistoryState {
  readonly project: string;
  readonly selection = new Selection();
  readonly history: Resource<RunHistory>;
  #toldAt = 0;

  readonly filter: HistoryFilter = $derived.by(() => {
    const { search = '', state = '', method = '', tag = '', starred, trash } = router.route.query;
    return {
      search,
      states: some(state, RUN_STATES_SHOWN),
      methods: some(method, METHOD_NAMES_SHOWN),
      tags: tag === '' ? [] : tag.split(','),
      starred: starred === 'true',
      trashed: trash === 'true',
    };
  });
  /** Something is narrowed, apart from the trash. */
  readonly narrowed: boolean = $derived.by(() => {
    const { search, states, methods, tags, starred } = this.filter;
    return search !== '' || starred || states.length + methods.length + tags.length > 0;
  });
  /** The chosen runs in the order in which they were chosen. */
  readonly chosen: readonly RunRow[] = $derived.by(() => {
    const runs = new Map((this.history.data?.runs ?? []).map((run) => [run.id, run]));
    return this.selection.ids.flatMap((id) => runs.get(id) ?? []);
  });

  /** Call it while the component is being made. */
  constructor(project: string) {
    this.project = project;
    this.history = resource(
      (signal) => call('GET /api/projects/{project}/runs', { params: { project }, query: this.filter, signal }),
      {
        topics: ['runs'],
        project: () => project,
        when: ({ epochs }) => {
          const due =
            epochs.some((event) => event.project === project) && performance.now() - this.#toldAt > RUNNING_MS;
          if (due) this.#toldAt = performance.now();
          return due;
        },
      },
    );
    $effect(() => {
      const { data } = this.history;
      if (data !== undefined) untrack(() => this.selection.keepOnly(new Set(data.runs.map(({ id }) => id))));
    });
  }

  /** Change filters. */
  narrow(change: Partial<HistoryFilter>): void {
    const next = { ...this.filter, ...change };
    router.setQuery({
      search: next.search === '' ? undefined : next.search,
      state: list(next.states),
      method: list(next.methods),
      tag: list(next.tags),
      starred: next.starred ? true : undefined,
      trash: next.trashed ? true : undefined,
    });
  }

  /** Take all filters away; the trash stays open. */
  clear(): void {
    this.narrow({ search: '', states: [], methods: [], tags: [], starred: false });
  }
}

/** Values of a list in the address, as far as they are known ones. */
function some<Value extends string>(text: string, known: readonly Value[]): Value[] {
  const named = text.split(',');
  return known.filter((value) => named.includes(value));
}

/** A list for the address; an empty one is left out. */
function list(values: readonly string[]): string | undefined {
  return values.length > 0 ? values.join(',') : undefined;
}
