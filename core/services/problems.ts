/** Problems as people read them: by kind, with what each kind means. */
import type { ProblemKind } from '../api/sources.ts';
import { problemText } from '../data/problem-kinds.ts';
import type { ProjectStore } from '../storage/project-store.ts';

const SEVERITIES: readonly string[] = ['error', 'warning', 'note'];

/** Kinds of problems that were found, worst first, then those with most problems. */
export function problemKinds(store: ProjectStore, sourceId?: number): ProblemKind[] {
  return store.problems
    .summary(sourceId)
    .map(({ count, first: { kind, severity, path, reason } }) => {
      return { kind, severity, count, ...problemText(kind), example: { path, reason } };
    })
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.count - a.count);
}
