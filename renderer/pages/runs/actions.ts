/** What can be done with runs, wherever they are shown. Failures are told in a toast. */
import type { RunDetail } from '../../../core/api/runs.ts';
import { call } from '../../lib/api.ts';
import { plural } from '../../lib/format.ts';
import { router } from '../../lib/router.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';

/** Change what a person writes on a run. @throws ApiError */
export function writeOn(
  project: string,
  run: number,
  body: { name?: string; notes?: string; tags?: string[]; starred?: boolean },
): Promise<RunDetail> {
  return call('PATCH /api/projects/{project}/runs/{run}', { params: { project, run }, body });
}

/** Star a run or take its star away. */
export async function star(project: string, run: number, starred: boolean): Promise<void> {
  await told(() => writeOn(project, run, { starred }));
}

/** Throw runs away; a toast offers to take it back. @returns whether it was done */
export async function throwAway(project: string, runs: readonly number[]): Promise<boolean> {
  const done = await told(() =>
    call('POST /api/projects/{project}/run-trash', { params: { project }, body: { runs: [...runs] } }),
  );
  if (done) {
    const undo = (): void => void restore(project, runs);
    toasts.ok(`${plural(runs.length, 'run')} moved to the trash.`, { label: 'Undo', run: undo });
  }
  return done;
}

/** Take runs out of the trash. */
export async function restore(project: string, runs: readonly number[]): Promise<void> {
  const done = await told(() =>
    call('POST /api/projects/{project}/run-trash/restore', { params: { project }, body: { runs: [...runs] } }),
  );
  if (done) toasts.ok(`${plural(runs.length, 'run')} restored.`);
}

/** Queue a run with the very same settings. */
export async function runAgain(project: string, run: number): Promise<void> {
  await told(async () => {
    const request = await call('GET /api/projects/{project}/runs/{run}/request', { params: { project, run } });
    const queued = await call('POST /api/projects/{project}/runs', { params: { project }, body: request });
    for (const task of queued) tasks.add(task);
    toasts.ok(`Run ${run} is queued again with the same settings.`);
  });
}

/** Open Train with the settings of a run, to change some. */
export async function runWithChanges(project: string, run: number): Promise<void> {
  await router.go({ project, page: 'train', query: { from: run } });
}

async function told(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    toasts.error(error);
    return false;
  }
}
