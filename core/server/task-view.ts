/** A task as the contract shows it. */
import { ErrorBody } from '../api/errors.ts';
import { Progress as ShownProgress, TASK_KINDS, type Task, type TaskKind } from '../api/tasks.ts';
import type { Progress } from '../base/progress.ts';
import type { TaskTable } from '../storage/project-store.ts';
import type { TaskRecord } from '../storage/records.ts';
import type { ServedProject } from './open-projects.ts';

/** Where the tasks of one owner are. */
export interface TaskOwner {
  /** Id of the project; "app" for tasks of none. */
  name: string;
  project: ServedProject | null;
  table: TaskTable;
}

/** What a task is called outside: ids of records count in each project anew. */
export function taskId(owner: TaskOwner, id: number): string {
  return `${owner.name}:${id}`;
}

/** The kind of a record; undefined for one of another version. */
export function knownKind({ kind }: TaskRecord): TaskKind | undefined {
  return TASK_KINDS.find((name) => name === kind);
}

export function taskKindOf(record: TaskRecord): TaskKind {
  const known = knownKind(record);
  if (!known) throw new Error(`a task of an unknown kind: ${record.kind}`);
  return known;
}

/** What a task at work has told: how far it is, and the run that it trains where its record does not say. */
export interface AtWork {
  readonly progress: Progress | null;
  readonly run: number | null;
}

export function viewTask(owner: TaskOwner, record: TaskRecord, atWork?: AtWork): Task {
  const progress = atWork?.progress ?? null;
  const { title, runId, command, createdAt, startedAt, endedAt, result, state, error } = record;
  return {
    id: taskId(owner, record.id),
    project: owner.project?.id ?? null,
    kind: taskKindOf(record),
    title,
    state,
    progress: progress ? ShownProgress.parse(progress) : null,
    error: error === null ? null : ErrorBody.shape.error.parse(error),
    result,
    runId: runId ?? atWork?.run ?? null,
    command,
    createdAt,
    startedAt,
    endedAt,
  };
}
