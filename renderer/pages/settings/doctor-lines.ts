/** What a doctor task found, for people. Pure. */
import type { Task } from '../../../core/api/tasks.ts';

/** A line a fact; none while it has not ended. */
export function linesOf({ kind, result }: Task): string[] {
  if (kind !== 'doctor' || typeof result !== 'object' || result === null || Array.isArray(result)) return [];
  return Array.isArray(result.lines) ? result.lines.map(String) : [];
}
