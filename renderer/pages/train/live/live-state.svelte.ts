/** The run that is looked at while it is at work: what the service tells of it, kept up by its events. */
import type { RunCurves } from '../../../../core/api/runs.ts';
import type { LiveRun, LiveStep, RunPreview } from '../../../../core/api/training.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call } from '../../../lib/api.ts';
import { events, type EventBatch } from '../../../lib/events.svelte.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { router } from '../../../lib/router.svelte.ts';
import { fraction, tasks } from '../../../lib/tasks.svelte.ts';

/** Steps that are shown; when there are more, every second one goes. */
const MOST_STEPS = 2400;

export class LiveState {
  readonly project: string;
  readonly run: Resource<LiveRun>;
  readonly curves: Resource<RunCurves>;
  /** In order of their step. */
  steps: readonly LiveStep[] = $state.raw([]);
  preview: RunPreview | undefined = $state.raw();
  #previewOf: number | undefined;

  readonly queue: readonly Task[] = $derived.by(() => trainings(this.project));
  readonly waiting: readonly Task[] = $derived.by(() => this.queue.filter(({ state }) => state === 'queued'));
  readonly running: Task | undefined = $derived.by(() => this.queue.find(({ state }) => state === 'running'));
  /** The run of the address, else the one at work, the next, the last. */
  readonly id: number | null = $derived.by(() => {
    const named = Number(router.route.rest[1]);
    if (Number.isInteger(named) && named > 0) return named;
    const paused = this.queue.filter(({ state }) => state === 'paused').at(-1);
    return (this.running ?? this.waiting[0] ?? paused ?? this.queue.at(-1))?.runId ?? null;
  });
  readonly task: Task | undefined = $derived.by(() =>
    this.id === null ? undefined : this.queue.filter(({ runId }) => runId === this.id).at(-1),
  );

  /** Make it while the component is being made. */
  constructor(project: string) {
    this.project = project;
    const concerns = (batch: EventBatch): boolean =>
      batch.epochs.some(({ run }) => run === this.id) || batch.data.get(project)?.has('runs') === true;
    const named = (run: number) => ({ params: { project, run } });
    this.run = resource(
      (signal) =>
        this.id === null ? null : call('GET /api/projects/{project}/runs/{run}/live', { ...named(this.id), signal }),
      { when: concerns },
    );
    this.curves = resource(
      (signal) =>
        this.id === null ? null : call('GET /api/projects/{project}/runs/{run}/curves', { ...named(this.id), signal }),
      { when: concerns },
    );
    // The service's steps, whenever it is asked; between, those of the events.
    $effect(() => {
      this.steps = this.run.data?.id === this.id ? (this.run.data?.steps ?? []) : [];
    });
    $effect(() => events.listen((batch) => this.#follow(batch)));
    $effect(() => {
      if (this.id !== this.#previewOf) this.preview = undefined;
      this.#previewOf = this.id ?? undefined;
      void this.#look();
    });
  }

  #follow(batch: EventBatch): void {
    const fresh = batch.steps.filter(({ run, project }) => run === this.id && project === this.project);
    if (fresh.length > 0) {
      const [first] = fresh;
      // A run that goes on from its checkpoint does some steps again.
      const all = [...this.steps.filter(({ step }) => step < first.step), ...fresh];
      this.steps = all.length > MOST_STEPS ? all.filter((_, index) => index % 2 === 0) : all;
    }
    if (batch.previews.some(({ run, project }) => run === this.id && project === this.project)) void this.#look();
  }

  async #look(): Promise<void> {
    const { id: run, project } = this;
    if (run === null) return;
    try {
      const preview = await call('GET /api/projects/{project}/runs/{run}/preview', { params: { project, run } });
      // When there is none any more, what is shown stays.
      if (run === this.id && preview !== null) this.preview = preview;
    } catch {
      // The bar about the service says why; the next event asks again.
    }
  }
}

/** Training tasks of a project, in order of the queue; and the command line that trains a run. */
export function trainings(project: string): readonly Task[] {
  return tasks.of(project).filter(trains);
}

/** Whether a task trains a run: one of the queue, or one that a command line has begun. */
export function trains({ kind, runId }: Task): boolean {
  return kind === 'train' || (kind === 'command' && runId !== null);
}

/** Whether a task is at its steps: before, it prepares pictures, whose progress is not the run's. */
export function isStepping({ progress }: Task): boolean {
  return progress?.unit === 'steps';
}

/** How far a training task is, 0 to 1; null before its first step. */
export function runShare(task: Task): number | null {
  return isStepping(task) ? fraction(task) : null;
}
