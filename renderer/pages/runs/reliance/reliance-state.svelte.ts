/** Context reliance of one run as its page shows it; order and class of the cases stand in the address. */
import { RELIANCE_ORDERS } from './orders.ts';
import type { RelianceCases, RelianceReport } from '../../../../core/api/reliance.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { commandText } from '../../../dataset/command.ts';
import { call } from '../../../lib/api.ts';
import { Attempt } from '../../../lib/attempt.svelte.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { isActive, tasks } from '../../../lib/tasks.svelte.ts';
import { labelIn } from '../answer.ts';
import type { RunState } from '../detail/run-state.svelte.ts';
import { measure, taskOf } from './measure.ts';

/** Cases that are shown at first, and that come with each wish for more. */
const SHARE = 10;

export class RelianceState {
  readonly view: RunState;
  readonly report: Resource<RelianceReport | null>;
  readonly cases: Resource<RelianceCases>;
  /** The run whose masks are to be used; undefined for the run itself. */
  masksOf: number | undefined = $state();
  /** Cases that are asked for. */
  limit = $state(SHARE);
  readonly attempt = new Attempt();

  /** The measurement that waits, is at work, or has failed. */
  readonly task: Task | undefined = $derived.by(() => {
    const task = taskOf(tasks.of(this.view.project, 'reliance'), this.view.run);
    return task === undefined || task.state === 'done' ? undefined : task;
  });
  readonly busy: boolean = $derived(this.attempt.busy || (this.task !== undefined && isActive(this.task)));
  readonly order = $derived(RELIANCE_ORDERS.find(({ value }) => value === router.route.query.order)?.value ?? 'swap');
  readonly truth: number | undefined = $derived(labelIn(router.route.query.truth));
  readonly command: string = $derived.by(() => {
    const masks = this.masksOf === undefined ? [] : ['--masks-of', String(this.masksOf)];
    return commandText('contexture', 'reliance', String(this.view.run), '--head', this.view.head, ...masks);
  });

  /** Call it while the component is being made. */
  constructor(view: RunState) {
    this.view = view;
    const { project, run } = view;
    const params = { project, run };
    const refresh = { topics: ['runs'] as const, project: () => project };
    this.report = resource(
      (signal) =>
        call('GET /api/projects/{project}/runs/{run}/reliance', { params, query: { head: view.head }, signal }),
      refresh,
    );
    this.cases = resource((signal) => {
      if (!this.report.data) return null;
      return call('GET /api/projects/{project}/runs/{run}/reliance/cases', {
        params,
        query: { head: view.head, order: this.order, truth: this.truth, limit: this.limit },
        signal,
      });
    });
  }

  /** There may be more cases than are shown. */
  get more(): boolean {
    return this.cases.data?.cases.length === this.limit;
  }

  showMore(): void {
    this.limit = Math.min(1000, this.limit + SHARE);
  }

  /** Show the cases of another class; undefined for all. */
  ofClass(truth: number | undefined): void {
    this.limit = SHARE;
    router.setQuery({ truth });
  }

  measure(): Promise<void> {
    return this.attempt.make(() => measure(this.view.project, this.view.run, this.masksOf));
  }
}
