/** The leftover check: what a run found, which contexts are listed, and what is done about them. */
import type { LeftoverContext, LeftoverReport } from '../../../../core/api/leftover.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call } from '../../../lib/api.ts';
import { plural } from '../../../lib/format.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { tasks } from '../../../lib/tasks.svelte.ts';
import { toasts } from '../../../lib/toasts.svelte.ts';
import { lookingRuns, type LookingRun } from '../runs.svelte.ts';

export const PARTS = ['open', 'stale', 'fine', 'all'] as const;
export type Part = (typeof PARTS)[number];

/** Contexts that are listed at first, and with each wish for more; and at most, those with the highest scores. */
const STEP = 60;
export const MOST = 480;

export class LeftoverState {
  readonly project: string;
  readonly runs: Resource<LookingRun[]>;
  /** Of the run in the address, else of the one that was asked last. */
  readonly report: Resource<LeftoverReport | null>;
  readonly list: Resource<{ total: number; contexts: LeftoverContext[] }>;
  readonly part: Part = $derived(PARTS.find((part) => part === router.route.query.part) ?? 'open');
  /** Class that is listed alone; undefined for all. */
  readonly classId: number | undefined = $derived(numberOf(router.route.query.class));
  readonly #asked: number | undefined = $derived(numberOf(router.route.query.run));
  /** The run that is looked with next, and whose answers are shown. */
  readonly run: LookingRun | undefined = $derived.by(() => {
    const runs = this.runs.data ?? [];
    const id = this.#asked ?? this.report.data?.run;
    return runs.find((run) => run.id === id) ?? runs.at(0);
  });
  readonly task: Task | undefined = $derived.by(() => tasks.of(this.project, 'leftover').at(-1));
  #limit = $state(STEP);

  /** Call it while a component is being made. */
  constructor(project: string) {
    this.project = project;
    const options = { project: () => project, topics: ['contexts', 'runs'] as const };
    this.runs = lookingRuns(project);
    this.report = resource((signal) => {
      const query = this.#asked === undefined ? {} : { run: this.#asked };
      return call('GET /api/projects/{project}/bank/leftover', { params: { project }, query, signal });
    }, options);
    this.list = resource((signal) => {
      const run = this.#asked;
      const query = {
        part: this.part,
        limit: this.#limit,
        ...(run === undefined ? {} : { run }),
        ...(this.classId === undefined ? {} : { class: this.classId }),
      };
      return call('GET /api/projects/{project}/bank/leftover/contexts', { params: { project }, query, signal });
    }, options);
  }

  /** List some more. */
  more(): void {
    this.#limit = Math.min(MOST, this.#limit + STEP);
  }

  /** @param unchecked only what the run was not asked about with the mask in force */
  async check(unchecked: boolean): Promise<void> {
    const body = { unchecked, ...(this.run === undefined ? {} : { run: this.run.id }) };
    try {
      tasks.add(await call('POST /api/projects/{project}/bank/leftover', { params: { project: this.project }, body }));
    } catch (error) {
      toasts.error(error);
    }
  }

  async fine({ context, fine }: LeftoverContext): Promise<void> {
    const params = { project: this.project };
    try {
      await call('POST /api/projects/{project}/bank/leftover/fine', { params, body: { ids: [context], fine: !fine } });
    } catch (error) {
      toasts.error(error);
    }
  }

  async retire({ context }: LeftoverContext): Promise<void> {
    const params = { project: this.project };
    try {
      const body = { select: { ids: [context] } };
      const { madeWith } = await call('POST /api/projects/{project}/bank/retire', { params, body });
      toasts.ok(`${plural(1, 'context')} retired. ${madeWith.sentence}`, {
        label: 'Undo',
        run: () => void this.#undo(),
      });
    } catch (error) {
      toasts.error(error);
    }
  }

  async #undo(): Promise<void> {
    try {
      await call('POST /api/projects/{project}/contexts/undo', { params: { project: this.project } });
    } catch (error) {
      toasts.error(error);
    }
  }
}

function numberOf(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
