/** Losses between the epochs of runs at work, kept while the service runs, for pages that come later. */
import type { LiveStep } from '../api/training.ts';
import type { StepEvent } from '../training/live-report.ts';
import type { ServedProject } from './open-projects.ts';

/** Steps that are kept of a run; when there are more, every second one goes. */
const MOST = 1200;
/** Runs that are kept of a project. */
const MOST_RUNS = 8;

const kept = new WeakMap<ServedProject, Map<number, { steps: LiveStep[]; every: number; told: number }>>();

export function keepStep(project: ServedProject, run: number, event: StepEvent): void {
  const runs = kept.get(project) ?? new Map<number, { steps: LiveStep[]; every: number; told: number }>();
  kept.set(project, runs);
  const entry = runs.get(run) ?? { steps: [], every: 1, told: 0 };
  runs.set(run, entry);
  if (runs.size > MOST_RUNS) runs.delete(runs.keys().next().value!);
  // A resumed run begins where its checkpoint is: what it did after that is done again.
  while (entry.steps.length > 0 && entry.steps.at(-1)!.step >= event.step) entry.steps.pop();
  if (entry.told++ % entry.every !== 0) return;
  const { step, uniformLoss, balancedLoss, imagesPerSecond } = event;
  entry.steps.push({ step, uniformLoss, balancedLoss, imagesPerSecond });
  if (entry.steps.length <= MOST) return;
  entry.steps = entry.steps.filter((_, index) => index % 2 === 0);
  entry.every *= 2;
}

/** In order; empty for a run that has told nothing since the service started. */
export function keptSteps(project: ServedProject, run: number): LiveStep[] {
  return kept.get(project)?.get(run)?.steps ?? [];
}
