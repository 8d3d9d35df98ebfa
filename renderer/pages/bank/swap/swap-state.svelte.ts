/** A swap preview: what the address asks for, the contexts, and what the run says of each picture. */
import type { SwapAnswer, SwapContext, SwapPreview } from '../../../../core/api/swap.ts';
import { call, url } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { lookingRuns, type LookingRun } from '../runs.svelte.ts';
import { swapQueryOf, type SwapQuery } from './query.ts';

export class SwapState {
  readonly project: string;
  /** As text: equal while other parts of the address change. */
  readonly #address: string = $derived(JSON.stringify(swapQueryOf(router.route.query)));
  readonly query: SwapQuery = $derived(JSON.parse(this.#address));
  readonly runs: Resource<LookingRun[]>;
  readonly run: LookingRun | undefined = $derived.by(() => {
    const runs = this.runs.data ?? [];
    return runs.find(({ id }) => id === this.query.run) ?? runs.at(0);
  });
  /** In the order shown. */
  readonly contexts: Resource<SwapContext[]>;
  readonly answers: Resource<SwapPreview>;

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.project = project;
    this.runs = lookingRuns(project);
    this.contexts = resource((signal) => this.#contexts(signal), { topics: ['contexts'], project: () => project });
    this.answers = resource((signal) => this.#answers(signal));
  }

  #contexts(signal: AbortSignal): Promise<SwapContext[]> | null {
    const { image, contexts, count, seed } = this.query;
    const params = { project: this.project };
    if (image === undefined) return null;
    if (contexts.length === 0) {
      return call('GET /api/projects/{project}/bank/swap/draw', { params, query: { image, count, seed }, signal });
    }
    const rows = call('POST /api/projects/{project}/contexts/details', {
      params,
      body: { ids: [...contexts] },
      signal,
    });
    return rows.then((found) =>
      found.map(({ id, image: lender, className, mask }) => ({ context: id, image: lender, className, mask })),
    );
  }

  #answers(signal: AbortSignal): Promise<SwapPreview> | null {
    const { image, lambdas, threshold } = this.query;
    const contexts = this.contexts.data?.map(({ context }) => context) ?? [];
    const run = this.run?.id;
    if (image === undefined || run === undefined || contexts.length === 0) return null;
    const mask = threshold === undefined ? ({ kind: 'soft' } as const) : ({ kind: 'binary', threshold } as const);
    return call('POST /api/projects/{project}/bank/swap', {
      params: { project: this.project },
      body: { image, run, contexts, lambdas: [...lambdas], mask },
      signal,
    });
  }

  /** What the run said, where that was of this image and mask. */
  get preview(): SwapPreview | undefined {
    const { data } = this.answers;
    const { image, threshold } = this.query;
    if (data === undefined || data.image !== image || data.run !== this.run?.id) return undefined;
    const asked = data.mask.kind === 'soft' ? undefined : data.mask.threshold;
    return asked === threshold ? data : undefined;
  }

  /** Answers to one picture, by head; why there are none; undefined while they are not there. */
  answersTo({ context, mask }: SwapContext, lambda: number): SwapAnswer[] | string | undefined {
    const row = this.preview?.rows.find((known) => known.context === context && known.mask === mask);
    if (row?.problem) return row.problem;
    return row?.cells.at(this.preview!.lambdas.indexOf(lambda));
  }

  /** Address of one picture; of the image as it is without a context. */
  picture(lent?: SwapContext, lambda = 1): string {
    const { image, threshold } = this.query;
    const query = { image: image!, run: this.run!.id, ...(threshold === undefined ? {} : { threshold }) };
    const of = lent === undefined ? {} : { context: lent.context, version: lent.mask, lambda };
    return url('GET /api/projects/{project}/bank/swap/picture', { project: this.project }, { ...query, ...of });
  }

  /** Draw other contexts than those that are shown. */
  reroll(): void {
    router.setQuery({ contexts: undefined, seed: this.query.seed + 1 });
  }
}
