/** The curves of one run: fetched once, then only what is new. */
import type { CurveName, RunCurves } from '../../../core/api/runs.ts';
import type { Curve } from '../../charts/curves.ts';
import { call, errorText, isAbort } from '../../lib/api.ts';
import { events } from '../../lib/events.svelte.ts';

export class CurveData {
  /** Epochs that there are values for, counted from 0. */
  epochs: readonly number[] = $state.raw([]);
  error: string | undefined = $state();
  /** The first answer has come. */
  loaded = $state(false);
  readonly #project: string;
  readonly #run: number;
  #values: ReadonlyMap<CurveName, readonly (number | null)[]> = $state.raw(new Map());
  #next = 0;
  #busy = false;
  #again = false;
  readonly #abort = new AbortController();

  /** Call it while the component is being made: it stops with it. */
  constructor(project: string, run: number) {
    this.#project = project;
    this.#run = run;
    $effect(() => () => this.#abort.abort());
    $effect(() =>
      events.listen(({ reset, epochs }) => {
        if (reset) this.reload();
        else if (epochs.some((event) => event.project === project && event.run === run)) void this.#fetch();
      }),
    );
    void this.#fetch();
  }

  /** Fetch everything anew. */
  reload(): void {
    this.#next = 0;
    void this.#fetch();
  }

  /** Curves as the chart takes them; those without values are left out. */
  curves(wanted: readonly (readonly [CurveName, Omit<Curve, 'values'>])[]): Curve[] {
    return wanted.flatMap(([name, curve]) => {
      const values = this.#values.get(name);
      return values === undefined ? [] : [{ ...curve, values }];
    });
  }

  async #fetch(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      const from = this.#next;
      const fresh = await call('GET /api/projects/{project}/runs/{run}/curves', {
        params: { project: this.#project, run: this.#run },
        query: { from },
        signal: this.#abort.signal,
      });
      this.#add(fresh, from === 0);
      this.error = undefined;
      this.loaded = true;
    } catch (error) {
      if (!isAbort(error)) this.error = errorText(error);
    } finally {
      this.#busy = false;
    }
    if (!this.#again) return;
    this.#again = false;
    await this.#fetch();
  }

  #add({ epochs, curves, next }: RunCurves, anew: boolean): void {
    const before = anew ? [] : this.epochs;
    const values = new Map<CurveName, readonly (number | null)[]>();
    for (const name of new Set([...(anew ? [] : this.#values.keys()), ...curves.map((curve) => curve.name)])) {
      const old = (anew ? undefined : this.#values.get(name)) ?? before.map(() => null);
      const more = curves.find((curve) => curve.name === name)?.values ?? epochs.map(() => null);
      values.set(name, [...old, ...more]);
    }
    this.epochs = [...before, ...epochs];
    this.#values = values;
    this.#next = next;
  }
}
