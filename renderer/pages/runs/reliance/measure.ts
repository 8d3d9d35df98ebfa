/** Have context reliance measured, from wherever it is asked for. */
import type { Task } from '../../../../core/api/tasks.ts';
import { call } from '../../../lib/api.ts';
import { tasks } from '../../../lib/tasks.svelte.ts';

/** @param masksOf the run whose saliency tells foreground from background; undefined for the run itself. @throws ApiError */
export async function measure(project: string, run: number, masksOf: number | undefined): Promise<void> {
  const body = masksOf === undefined || masksOf === run ? {} : { masksOf };
  tasks.add(await call('POST /api/projects/{project}/runs/{run}/reliance', { params: { project, run }, body }));
}

/** The newest measurement of a run, which its command names. @param list tasks of kind "reliance" */
export function taskOf(list: readonly Task[], run: number): Task | undefined {
  return list.filter(({ command }) => command.startsWith(`contexture reliance ${run} `)).at(-1);
}
