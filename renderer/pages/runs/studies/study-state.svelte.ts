/** A study on its page: what it says so far, kept up while its runs are at work. */
import type { StudyReport } from '../../../../core/api/studies.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { isActive, tasks } from '../../../lib/tasks.svelte.ts';
import { runShare } from '../../train/live/live-state.svelte.ts';

export type StudyRun = StudyReport['runs'][number];

/** The runs of one seed; a side is missing where its run was deleted. */
export interface Pair {
  seed: number;
  without: StudyRun | undefined;
  with: StudyRun | undefined;
}

/** A figure of the runs with edits less that of those without. */
export interface StudyDifference {
  a: number;
  b: number;
  value: number;
  low: number | null;
  high: number | null;
  verdict: 'better' | 'worse' | 'no clear difference';
}

export class StudyState {
  readonly project: string;
  readonly id: number;
  readonly report: Resource<StudyReport>;

  readonly pairs: readonly Pair[] = $derived.by(() => {
    const runs = this.report.data?.runs ?? [];
    const side = (seed: number, arm: StudyRun['arm']): StudyRun | undefined =>
      runs.find((run) => run.seed === seed && run.arm === arm);
    return [...new Set(runs.map(({ seed }) => seed))].map((seed) => {
      return { seed, without: side(seed, 'without'), with: side(seed, 'with') };
    });
  });
  /** The newest task of each of its runs. */
  readonly #tasks: ReadonlyMap<number, Task> = $derived.by(() => {
    const members = new Set((this.report.data?.runs ?? []).map(({ run }) => run));
    const own = tasks.of(this.project, 'train').filter(({ runId }) => runId !== null && members.has(runId));
    return new Map(own.map((task) => [task.runId!, task]));
  });
  readonly running: Task | undefined = $derived.by(() =>
    [...this.#tasks.values()].find(({ state }) => state === 'running'),
  );
  readonly atWork: boolean = $derived.by(() => [...this.#tasks.values()].some(isActive));
  /** How far all runs are together, 0 to 1. */
  readonly share: number = $derived.by(() => {
    const runs = this.report.data?.runs ?? [];
    return runs.reduce((sum, run) => sum + (this.shareOf(run) ?? 0), 0) / Math.max(1, runs.length);
  });

  /** Call it while the component is being made. */
  constructor(project: string, id: number) {
    this.project = project;
    this.id = id;
    this.report = resource(
      (signal) => call('GET /api/projects/{project}/studies/{study}', { params: { project, study: id }, signal }),
      {
        project: () => project,
        topics: ['runs'],
        when: (batch) =>
          [...batch.tasks.values()].some(
            (task) => task?.project === project && task.kind === 'train' && !isActive(task),
          ),
      },
    );
  }

  taskOf({ run }: StudyRun): Task | undefined {
    return this.#tasks.get(run);
  }

  /** How far a run is, 0 to 1; null before its first step. */
  shareOf(run: StudyRun): number | null {
    if (run.state === 'finished') return 1;
    const task = this.taskOf(run);
    return task === undefined ? null : runShare(task);
  }

  /** Queue pairs by more seeds, on the same data, settings and banks. @throws ApiError */
  async addSeeds(seeds: number[]): Promise<void> {
    const params = { project: this.project, study: this.id };
    const made = await call('POST /api/projects/{project}/studies/{study}/seeds', { params, body: { seeds } });
    for (const task of made.tasks) tasks.add(task);
    this.report.set(made.study);
  }

  /** Forget the study; its runs stay. @throws ApiError */
  async forget(): Promise<void> {
    await call('DELETE /api/projects/{project}/studies/{study}', { params: { project: this.project, study: this.id } });
  }
}

/** Differences by figure: over seeds; of a single pair those of the paired bootstrap, which has intervals. */
export function differencesOf({
  overSeeds,
  bySeed,
}: StudyReport): Readonly<Record<'top1' | 'macroRecall' | 'many' | 'medium' | 'few', StudyDifference | null>> | null {
  if (bySeed.length === 1) {
    const [{ overall, macroRecall, groups }] = bySeed;
    return { top1: overall, macroRecall, ...groups };
  }
  return overSeeds && { top1: overSeeds.top1, macroRecall: overSeeds.macroRecall, ...overSeeds.groups };
}
