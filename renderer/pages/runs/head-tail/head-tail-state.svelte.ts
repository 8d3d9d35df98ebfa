/** Between head and tail of one run: which adjustment, which tau, and what is known of it. Kind and tau stand in the address. */
import type {
  AdjustmentCurve,
  AdjustmentKind,
  AdjustmentPoint,
  Calibration,
  Variant,
} from '../../../../core/api/variants.ts';
import { commandText } from '../../../dataset/command.ts';
import { call } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import type { RunState } from '../detail/run-state.svelte.ts';
import { KINDS, tauText } from './words.ts';

/** From the last move of the slider until what takes computing is asked for, milliseconds. */
const REST_MS = 200;

export class HeadTailState {
  readonly view: RunState;
  readonly curve: Resource<AdjustmentCurve>;
  readonly point: Resource<AdjustmentPoint>;
  readonly variants: Resource<Variant[]>;
  calibration: Calibration = $state('group');
  /** Where the slider stands while it moves. */
  #moved: number | null = $state(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly kind: AdjustmentKind = $derived(
    KINDS.find(({ value }) => value === router.route.query.kind)?.value ?? 'logit-adjustment',
  );
  /** The curve that is asked for has come. */
  readonly ready: boolean = $derived.by(() => {
    const { data } = this.curve;
    return data !== undefined && data.kind === this.kind && data.head === this.view.head;
  });
  /** Where the slider came to rest: of the address where that is a point of the curve, else the suggested tau. */
  readonly settled: number | null = $derived.by(() => {
    const { data } = this.curve;
    if (data === undefined || !this.ready) return null;
    const { tau } = router.route.query;
    return tau !== undefined && data.points.some((point) => point.tau === Number(tau)) ? Number(tau) : data.suggested;
  });
  readonly tau: number | null = $derived(this.#moved ?? this.settled);
  /** Position of tau on the curve. */
  readonly at: number = $derived.by(() => this.curve.data?.points.findIndex(({ tau }) => tau === this.tau) ?? -1);

  /** What a variant of the present point is called unless a person says otherwise. */
  readonly proposedName: string = $derived(`tau ${tauText(this.settled ?? 0)}`);
  /** The command that keeps the present point; undefined before there is one. */
  readonly command: string | undefined = $derived.by(() => {
    if (this.settled === null) return undefined;
    const { run, head } = this.view;
    const point = ['--kind', this.kind, '--head', head, '--tau', tauText(this.settled)];
    const keep = ['--calibration', this.calibration, '--save', this.proposedName];
    return commandText('contexture', 'adjust', String(run), ...point, ...keep);
  });

  /** Call it while the component is being made. */
  constructor(view: RunState) {
    this.view = view;
    const { project, run } = view;
    this.curve = resource((signal) =>
      call('GET /api/projects/{project}/runs/{run}/adjustment', {
        params: { project, run },
        query: { kind: this.kind, head: view.head },
        signal,
      }),
    );
    this.point = resource((signal) => {
      const { settled, kind } = this;
      if (settled === null) return null;
      return call('GET /api/projects/{project}/runs/{run}/adjustment/point', {
        params: { project, run },
        query: { kind, head: view.head, tau: settled },
        signal,
      });
    });
    this.variants = resource(
      (signal) => call('GET /api/projects/{project}/runs/{run}/variants', { params: { project, run }, signal }),
      { topics: ['runs'], project: () => project },
    );
    $effect(() => () => clearTimeout(this.#timer));
  }

  setKind(kind: AdjustmentKind): void {
    this.#rest();
    router.setQuery({ kind, tau: undefined });
  }

  /** Move the slider; what takes computing follows when it rests. */
  move(tau: number): void {
    this.#moved = tau;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#rest();
      router.setQuery({ tau });
    }, REST_MS);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#moved = null;
  }
}
