import type { Task, TaskKind, TaskState } from '../api/tasks.ts';
import type { Service } from './service.ts';

const AT_WORK: ReadonlySet<TaskState> = new Set(['queued', 'running', 'paused']);

/** The task of a project that does the same already, so that who asks once more waits for that one. */
export function atWork(
  { tasks }: Service,
  project: string,
  { kind, command }: { kind: TaskKind; command: string },
): Task | undefined {
  return tasks
    .list()
    .find(
      (task) => task.project === project && task.kind === kind && task.command === command && AT_WORK.has(task.state),
    );
}
