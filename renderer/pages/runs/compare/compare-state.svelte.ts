/** Runs side by side; which ones, against which, by which head and what of them is shown stand in the address. */
import type { PairComparison, RunComparison } from '../../../../core/api/compare.ts';
import type { RunCurves } from '../../../../core/api/runs.ts';
import { call, errorText, isAbort } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { HEADS, type Head } from '../heads.ts';

export const COMPARE_PARTS = ['figures', 'curves', 'classes', 'images', 'reliance'] as const;
export type ComparePart = (typeof COMPARE_PARTS)[number];

/** A pair as far as it is known: its figures, or why there are none. */
export type Pair = { comparison: PairComparison } | { error: string };

export class CompareState {
  readonly project: string;
  readonly comparison: Resource<RunComparison>;
  /** Pairs with the baseline, by run; filled one after the other. */
  pairs: ReadonlyMap<number, Pair> = $state.raw(new Map());
  /** Curves by run. */
  curves: ReadonlyMap<number, RunCurves> = $state.raw(new Map());

  readonly runs: readonly number[] = $derived.by(() => {
    const numbers = (router.route.query.runs ?? '').split(',').filter((text) => /^[1-9]\d{0,14}$/.test(text));
    return [...new Set(numbers.map(Number))].slice(0, 20);
  });
  readonly part: ComparePart = $derived(COMPARE_PARTS.find((part) => part === router.route.query.part) ?? 'figures');
  /** Undefined: the one that each run is judged by. */
  readonly head: Head | undefined = $derived(HEADS.find((head) => head === router.route.query.head));
  readonly baseline: number = $derived.by(() => {
    const asked = Number(router.route.query.baseline);
    return this.runs.includes(asked) ? asked : (this.runs[0] ?? 0);
  });
  /** The run that is looked at class by class and image by image against the baseline. */
  readonly other: number = $derived.by(() => {
    const others = this.runs.filter((run) => run !== this.baseline);
    const asked = Number(router.route.query.with);
    return others.includes(asked) ? asked : (others[others.length - 1] ?? 0);
  });

  /** Call it while the component is being made. */
  constructor(project: string) {
    this.project = project;
    this.comparison = resource(
      (signal) =>
        this.runs.length < 2
          ? null
          : call('GET /api/projects/{project}/comparison', {
              params: { project },
              query: { runs: [...this.runs], baseline: this.baseline, head: this.head },
              signal,
            }),
      { topics: ['runs'], project: () => project },
    );
    $effect(() => this.#fetchEach(() => this.#pairs()));
    $effect(() => this.#fetchEach(() => this.#curves()));
  }

  /** The pair that is looked at. */
  readonly pair: Pair | undefined = $derived.by(() => this.pairs.get(this.other));

  #fetchEach(begin: () => ((signal: AbortSignal) => Promise<void>) | null): (() => void) | undefined {
    const work = begin();
    if (work === null) return undefined;
    const abort = new AbortController();
    void work(abort.signal);
    return () => abort.abort();
  }

  #pairs(): ((signal: AbortSignal) => Promise<void>) | null {
    const { data } = this.comparison;
    const { project, baseline, head } = this;
    if (data === undefined || data.baseline !== baseline) return null;
    // The one that is looked at first.
    const wanted = data.runs.filter(({ run }) => run.id !== baseline);
    return async (signal) => {
      const found = new Map<number, Pair>();
      this.pairs = found;
      for (const { run, unpaired } of wanted) {
        const pair =
          unpaired === null ? await this.#pair(project, baseline, run.id, head, signal) : { error: unpaired };
        if (signal.aborted || pair === null) return;
        found.set(run.id, pair);
        this.pairs = new Map(found);
      }
    };
  }

  async #pair(
    project: string,
    baseline: number,
    run: number,
    head: Head | undefined,
    signal: AbortSignal,
  ): Promise<Pair | null> {
    try {
      const query = { baseline, run, head };
      return {
        comparison: await call('GET /api/projects/{project}/comparison/pair', { params: { project }, query, signal }),
      };
    } catch (error) {
      return isAbort(error) ? null : { error: errorText(error) };
    }
  }

  #curves(): ((signal: AbortSignal) => Promise<void>) | null {
    const { project, runs, part } = this;
    if (part !== 'curves') return null;
    return async (signal) => {
      const found = new Map<number, RunCurves>();
      for (const run of runs) {
        try {
          const params = { project, run };
          found.set(run, await call('GET /api/projects/{project}/runs/{run}/curves', { params, signal }));
        } catch (error) {
          if (isAbort(error)) return;
        }
        if (signal.aborted) return;
        this.curves = new Map(found);
      }
    };
  }
}
