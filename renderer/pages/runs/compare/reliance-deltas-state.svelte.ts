/** Context reliance of the two runs that are compared: what was measured of each, and how they differ. */
import type { RelianceComparison, RelianceReport } from '../../../../core/api/reliance.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call } from '../../../lib/api.ts';
import { Attempt } from '../../../lib/attempt.svelte.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { isActive, tasks } from '../../../lib/tasks.svelte.ts';
import { measure, taskOf } from '../reliance/measure.ts';
import type { CompareState } from './compare-state.svelte.ts';

export class RelianceDeltasState {
  readonly view: CompareState;
  /** Of the baseline and of the other run; null where it was not measured. */
  readonly reports: Resource<readonly (RelianceReport | null)[]>;
  readonly comparison: Resource<RelianceComparison>;
  readonly attempt = new Attempt();

  readonly pair: readonly [number, number] = $derived.by(() => [this.view.baseline, this.view.other]);
  /** Runs that were not measured; undefined before it is known. */
  readonly missing: readonly number[] | undefined = $derived.by(() => {
    const reports = this.reports.data;
    return reports === undefined ? undefined : this.pair.filter((_, i) => reports[i] === null);
  });
  /** Measurements of the two that wait, are at work or have failed. */
  readonly tasks: readonly Task[] = $derived.by(() => {
    const list = tasks.of(this.view.project, 'reliance');
    return this.pair.flatMap((run) => taskOf(list, run) ?? []).filter(({ state }) => state !== 'done');
  });
  readonly busy: boolean = $derived(this.attempt.busy || this.tasks.some(isActive));

  /** Call it while the component is being made. */
  constructor(view: CompareState) {
    this.view = view;
    const { project } = view;
    const refresh = { topics: ['runs'] as const, project: () => project };
    this.reports = resource((signal) => {
      const [baseline, run] = this.pair;
      const of = (one: number): Promise<RelianceReport | null> =>
        call('GET /api/projects/{project}/runs/{run}/reliance', { params: { project, run: one }, signal });
      return Promise.all([of(baseline), of(run)]);
    }, refresh);
    this.comparison = resource((signal) => {
      const [baseline, run] = this.pair;
      if (this.missing?.length !== 0) return null;
      return call('GET /api/projects/{project}/comparison/reliance', {
        params: { project },
        query: { baseline, run, head: view.head },
        signal,
      });
    });
  }

  /** Measure both by the masks of the baseline, so that they can be paired. */
  measureBoth(): Promise<void> {
    return this.attempt.make(async () => {
      const [baseline, run] = this.pair;
      await measure(this.view.project, baseline, undefined);
      await measure(this.view.project, run, baseline);
    });
  }
}
