/**
 * Long work, one after the other in each lane. The records of a project's tasks lie in its database: what was queued or at
 * work when the service died is taken up again when the project is opened next.
 */
import { Progress as ShownProgress, TASK_KINDS, type Task, type TaskKind } from '../api/tasks.ts';
import { ErrorBody } from '../api/errors.ts';
import { errorToData, UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { TaskTable } from '../storage/project-store.ts';
import type { TaskRecord, TaskState } from '../storage/records.ts';
import { memoryTasks } from './memory-tasks.ts';
import type { ServedProject } from './open-projects.ts';
import type { Service } from './service.ts';
import { LANES, type AnyTaskKind, type Lane } from './task-kind.ts';

/** A task that is asked for. */
export interface TaskRequest {
  kind: TaskKind;
  title: string;
  params: Json;
  /** The command line that does the same. */
  command: string;
  runId?: number;
}

/** A task takes the service down, or the service is killed in its midst, this often before it is given up. */
const MOST_ATTEMPTS = 3;

/** Shortest time between two events about one task, milliseconds. */
const EVENT_INTERVAL = 100;

/** Where the tasks of one owner are. */
interface Owner {
  /** Id of the project; "app" for tasks of none. */
  name: string;
  project: ServedProject | null;
  table: TaskTable;
}

/** A task at work. */
interface Running {
  owner: Owner;
  id: number;
  lane: Lane;
  abort: AbortController;
  /** What it becomes when it stops before its end. */
  intention: 'paused' | 'cancelled';
  progress: Progress | null;
  /** When its pages were last told, and whether they will be told again soon. */
  toldAt: number;
  telling: NodeJS.Timeout | undefined;
  ended: Promise<void>;
}

const APP = 'app';

export class TaskQueue {
  readonly #service: Service;
  readonly #kinds: Readonly<Record<TaskKind, AnyTaskKind>>;
  readonly #runJob: RunJob;
  readonly #owners = new Map<string, Owner>([[APP, { name: APP, project: null, table: memoryTasks() }]]);
  readonly #running = new Map<string, Running>();
  /** No task is begun any more. */
  #closing = false;

  constructor(service: Service, kinds: Readonly<Record<TaskKind, AnyTaskKind>>, runJob: RunJob) {
    this.#service = service;
    this.#kinds = kinds;
    this.#runJob = runJob;
  }

  /** Take up the tasks of a project that has just been opened. */
  adopt(project: ServedProject): void {
    const { tasks: table } = project.project.store;
    const owner = { name: project.id, project, table };
    this.#owners.set(project.id, owner);
    for (const { id, state, attempts } of table.list()) {
      if (state !== 'running') continue;
      if (attempts < MOST_ATTEMPTS) {
        table.update(id, { state: 'queued' });
      } else {
        const message = `It was begun ${attempts} times and Contexture ended each time: resume it to try once more.`;
        table.update(id, { state: 'failed', error: { code: 'defect', message }, endedAt: now() });
      }
    }
    for (const record of table.list()) this.#publish(owner, record);
    this.#begin();
  }

  /** Pause the tasks of a project that is about to be closed, and forget them. */
  async release(projectId: string): Promise<void> {
    const owner = this.#owners.get(projectId);
    if (!owner) return;
    await this.#stopAll(owner, 'paused');
    this.#owners.delete(projectId);
    for (const { id } of owner.table.list()) {
      this.#service.hub.publish({ type: 'task-gone', id: taskId(owner, id) });
    }
  }

  /** Put a task into the queue. */
  add(project: ServedProject | null, request: TaskRequest): Task {
    const owner = this.#owner(project?.id ?? APP);
    const record = owner.table.add({
      kind: request.kind,
      title: request.title,
      params: request.params,
      command: request.command,
      state: 'queued',
      position: this.#last() + 1,
      attempts: 0,
      runId: request.runId ?? null,
      error: null,
      result: null,
      createdAt: now(),
      startedAt: null,
      endedAt: null,
    });
    this.#publish(owner, record);
    this.#begin();
    return this.get(taskId(owner, record.id));
  }

  /** All tasks, in order of the queue. */
  list(): Task[] {
    const all = [...this.#owners.values()].flatMap((owner) => owner.table.list().map((record) => ({ owner, record })));
    all.sort((a, b) => a.record.position - b.record.position);
    return all.map(({ owner, record }) => this.#task(owner, record));
  }

  /** @throws UserError 'not-found' */
  get(id: string): Task {
    const { owner, record } = this.#find(id);
    return this.#task(owner, record);
  }

  /** Stop a task so that it can go on later; returns when it has stopped. @throws UserError 'not-found', 'usage' */
  pause(id: string): Promise<Task> {
    return this.#stop(id, 'paused');
  }

  /** Stop a task for good; returns when it has stopped. @throws UserError 'not-found', 'usage' */
  cancel(id: string): Promise<Task> {
    return this.#stop(id, 'cancelled');
  }

  /** Put a task that did not come to its end back into the queue. @throws UserError 'not-found', 'usage' */
  resume(id: string): Task {
    const { owner, record } = this.#find(id);
    if (record.state !== 'paused' && record.state !== 'failed' && record.state !== 'cancelled') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: there is nothing to resume.`);
    }
    this.#change(owner, record.id, { state: 'queued', attempts: 0, error: null, endedAt: null });
    this.#begin();
    return this.get(id);
  }

  /**
   * Put a queued task before another one, or last.
   * @throws UserError 'not-found', 'usage' when it is not queued any more
   */
  move(id: string, before: string | null): Task {
    const { owner, record } = this.#find(id);
    if (record.state !== 'queued') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: only what is queued can be moved.`);
    }
    const others = this.list().filter((task) => task.id !== id);
    const at = before === null ? others.length : others.findIndex((task) => task.id === before);
    if (at < 0) throw new UserError('not-found', `There is no task ${before}. The list of tasks shows them.`);
    const position = (index: number): number | undefined =>
      others[index] && this.#find(others[index].id).record.position;
    const [low, high] = [position(at - 1), position(at)];
    this.#change(owner, record.id, {
      position: low === undefined ? (high ?? 0) - 1 : high === undefined ? low + 1 : (low + high) / 2,
    });
    return this.get(id);
  }

  /** Take a task that has ended, or waits paused, off the list. @throws UserError 'not-found', 'usage' */
  dismiss(id: string): void {
    const { owner, record } = this.#find(id);
    if (record.state === 'running' || record.state === 'queued') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: cancel it first.`);
    }
    owner.table.remove(record.id);
    this.#service.hub.publish({ type: 'task-gone', id });
  }

  /** Stop everything that is queued or at work; returns when it has stopped. */
  async stopAll(intention: 'paused' | 'cancelled'): Promise<Task[]> {
    await Promise.all([...this.#owners.values()].map((owner) => this.#stopAll(owner, intention)));
    return this.list();
  }

  /** Pause everything and begin nothing any more. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.stopAll('paused');
  }

  /** Whether a run of a project is queued or at work. */
  hasOpenTask(projectId: string, runId: number): boolean {
    const owner = this.#owners.get(projectId);
    return (
      owner?.table
        .list()
        .some((task) => task.runId === runId && (task.state === 'queued' || task.state === 'running')) ?? false
    );
  }

  async #stop(id: string, intention: 'paused' | 'cancelled'): Promise<Task> {
    const { owner, record } = this.#find(id);
    const running = this.#running.get(id);
    if (running) {
      running.intention = intention;
      running.abort.abort();
      await running.ended;
    } else if (record.state === 'queued' || (record.state === 'paused' && intention === 'cancelled')) {
      this.#change(owner, record.id, { state: intention, endedAt: now() });
    } else if (record.state !== intention) {
      throw new UserError('usage', `“${record.title}” is ${record.state}: there is nothing to stop.`);
    }
    return this.get(id);
  }

  async #stopAll(owner: Owner, intention: 'paused' | 'cancelled'): Promise<void> {
    const open = owner.table.list().filter(({ state }) => state === 'queued' || state === 'running');
    // Those that wait first: otherwise one of them begins as soon as its lane is free.
    const waitingFirst = open.toSorted((a, b) => Number(a.state === 'running') - Number(b.state === 'running'));
    await Promise.all(waitingFirst.map(({ id }) => this.#stop(taskId(owner, id), intention)));
  }

  /** Begin what waits, as far as the lanes are free. */
  #begin(): void {
    if (this.#closing) return;
    for (const { id, state, kind } of this.list()) {
      if (state !== 'queued') continue;
      const { lane } = this.#kinds[kind];
      const busy = [...this.#running.values()].filter((running) => running.lane === lane).length;
      if (busy < LANES[lane]) this.#run(id, lane);
    }
  }

  #run(key: string, lane: Lane): void {
    const { owner, record } = this.#find(key);
    const running: Running = {
      owner,
      id: record.id,
      lane,
      abort: new AbortController(),
      intention: 'cancelled',
      progress: null,
      toldAt: -Infinity,
      telling: undefined,
      ended: Promise.resolve(),
    };
    this.#running.set(key, running);
    this.#change(owner, record.id, {
      state: 'running',
      attempts: record.attempts + 1,
      startedAt: record.startedAt ?? now(),
      endedAt: null,
      error: null,
    });
    running.ended = this.#perform(key, running, record);
  }

  async #perform(key: string, running: Running, record: TaskRecord): Promise<void> {
    const { owner } = running;
    let end: Partial<TaskRecord>;
    try {
      const result = await this.#kinds[kindOf(record)].perform(
        {
          service: this.#service,
          params: record.params,
          signal: running.abort.signal,
          runJob: this.#runJob,
          onEvent: (event) => {
            if (!isProgress(event)) return;
            running.progress = event;
            this.#tellSoon(key, running);
          },
        },
        owner.project,
      );
      end = { state: 'done', result };
    } catch (error) {
      const { code, message, stack } = errorToData(error);
      if (code === 'cancelled' && running.abort.signal.aborted) end = { state: running.intention };
      else end = { state: 'failed', error: { code, message } };
      if (code === 'defect') this.#service.log(`${record.kind}: ${stack ?? message}`);
    }
    clearTimeout(running.telling);
    this.#running.delete(key);
    this.#change(owner, record.id, { ...end, attempts: 0, endedAt: now() });
    this.#begin();
  }

  /** Tell the pages how far a task is, now or when the interval has passed. */
  #tellSoon(key: string, running: Running): void {
    if (running.telling) return;
    const wait = Math.max(0, running.toldAt + EVENT_INTERVAL - performance.now());
    running.telling = setTimeout(() => {
      running.telling = undefined;
      running.toldAt = performance.now();
      const record = running.owner.table.get(running.id);
      if (record && this.#running.has(key)) this.#publish(running.owner, record);
    }, wait);
  }

  #change(owner: Owner, id: number, fields: Partial<TaskRecord>): void {
    owner.table.update(id, fields);
    this.#publish(owner, owner.table.get(id)!);
  }

  #publish(owner: Owner, record: TaskRecord): void {
    this.#service.hub.publish({ type: 'task', task: this.#task(owner, record) });
  }

  #task(owner: Owner, record: TaskRecord): Task {
    const { title, runId, command, createdAt, startedAt, endedAt, result, state } = record;
    const id = taskId(owner, record.id);
    const progress = this.#running.get(id)?.progress;
    return {
      id,
      project: owner.project?.id ?? null,
      kind: kindOf(record),
      title,
      state,
      progress: progress ? ShownProgress.parse(progress) : null,
      error: record.error === null ? null : ErrorBody.shape.error.parse(record.error),
      result,
      runId,
      command,
      createdAt,
      startedAt,
      endedAt,
    };
  }

  #owner(name: string): Owner {
    const owner = this.#owners.get(name);
    if (!owner) throw new UserError('not-found', 'The project of this task is not open. Open it first.');
    return owner;
  }

  #find(id: string): { owner: Owner; record: TaskRecord } {
    const at = id.lastIndexOf(':');
    const owner = this.#owners.get(id.slice(0, at));
    const record = owner?.table.get(Number(id.slice(at + 1)));
    if (!owner || !record) throw new UserError('not-found', `There is no task ${id}. The list of tasks shows them.`);
    return { owner, record };
  }

  #last(): number {
    const positions = [...this.#owners.values()].flatMap(({ table }) => table.list().map(({ position }) => position));
    return Math.max(0, ...positions);
  }
}

function taskId(owner: Owner, id: number): string {
  return `${owner.name}:${id}`;
}

function kindOf({ kind }: TaskRecord): TaskKind {
  const known = TASK_KINDS.find((name) => name === kind);
  if (!known) throw new Error(`a task of an unknown kind: ${kind}`);
  return known;
}

const isProgress = (event: { type: string }): event is Progress => event.type === 'progress';

/** Whether a task in that state may still do something by itself. */
export const isOpen = (state: TaskState): boolean => state === 'queued' || state === 'running';

function now(): string {
  return new Date().toISOString();
}
