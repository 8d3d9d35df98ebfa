/** Where to see what came of a task. */
import type { Task } from '../../core/api/tasks.ts';
import type { RouteTarget } from '../lib/routes.ts';

/** Words and page by the kind of the task; a run's page is that of the run itself. */
const PLACES: Readonly<Record<string, [label: string, page: string]>> = {
  sample: ['See the images', 'explore'],
  import: ['See the images', 'explore'],
  relink: ['See the images', 'explore'],
  train: ['See the run', 'runs'],
  contexts: ['See the contexts', 'contexts'],
  diversity: ['See the bank', 'bank'],
  uses: ['See the bank', 'bank'],
  leftover: ['See the bank', 'bank'],
  export: ['See the export', 'export'],
  verify: ['See the export', 'export'],
};

/** The project that a task worked in: its own, or the one that it made. */
export function projectOf({ project, result }: Task): string | null {
  if (project !== null || typeof result !== 'object' || result === null || Array.isArray(result)) return project;
  return typeof result.project === 'string' ? result.project : null;
}

/** @returns undefined where there is nothing to see */
export function taskPlace(task: Task): { label: string; target: RouteTarget } | undefined {
  const project = projectOf(task);
  if (project === null) return undefined;
  if (task.kind === 'reliance') return reliancePlace(project, task);
  if (task.kind === 'near-duplicates') {
    return { label: 'See what was found', target: { project, page: 'explore', rest: ['duplicates', 'near'] } };
  }
  const place = PLACES[task.kind];
  if (place === undefined) return undefined;
  const [label, page] = place;
  return { label, target: { project, page, rest: task.runId === null ? [] : [task.runId] } };
}

/** The part of the run that was measured; its result names the run. */
function reliancePlace(project: string, { result }: Task): { label: string; target: RouteTarget } | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result) || typeof result.run !== 'number')
    return undefined;
  const target = { project, page: 'runs', rest: [result.run], query: { part: 'reliance' } };
  return { label: 'See what was found', target };
}
