/**
 * Long work, one after the other in each lane. The records of a project's tasks lie in its database: what was queued or at
 * work when the service died is taken up again when the project is opened next.
 */
import type { Task } from '../api/tasks.ts';
import { errorToData, UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { TaskRecord, TaskState } from '../storage/records.ts';
import type { ServedProject } from './open-projects.ts';
import type { Service } from './service.ts';
import { LANES, type AnyTaskKind, type Lane, type QueuedKind } from './task-kind.ts';
import { TaskOwners } from './task-owners.ts';
import { knownKind, taskId, taskKindOf, viewTask, type TaskOwner } from './task-view.ts';

/** A task that is asked for. */
export interface TaskRequest {
  kind: QueuedKind;
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

/** What work is given when its turn has come. */
export interface Turn {
  /** Aborted when the work is to stop. */
  readonly signal: AbortSignal;
  /** Show how far it is; any event of a job may be handed in, only progress is shown. */
  readonly onEvent: (event: Progress | { type: string }) => void;
}

/** Work that its caller waits for, such as that of a command line. */
interface Errand {
  lane: Lane;
  /** Never throws: what happens is the caller's. */
  begin: (turn: Turn) => Promise<void>;
  /** Its turn will not come. */
  refuse: () => void;
}

/** A task at work. */
interface Running {
  owner: TaskOwner;
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

export class TaskQueue {
  readonly #service: Service;
  readonly #kinds: Readonly<Record<QueuedKind, AnyTaskKind>>;
  readonly #runJob: RunJob;
  readonly #errands = new Map<string, Errand>();
  readonly #owners = new TaskOwners();
  readonly #running = new Map<string, Running>();
  /** No task is begun any more. */
  #closing = false;

  constructor(service: Service, kinds: Readonly<Record<QueuedKind, AnyTaskKind>>, runJob: RunJob) {
    this.#service = service;
    this.#kinds = kinds;
    this.#runJob = runJob;
  }

  /** Take up the tasks of a project that has just been opened. */
  adopt(project: ServedProject): void {
    const owner = this.#owners.add(project);
    const { table } = owner;
    for (const record of table.list()) {
      const { id, state, attempts } = record;
      const kind = knownKind(record);
      if (kind === undefined || kind === 'command') {
        // Nobody waits for an errand of a service that died, and nobody here can do what only another version can.
        table.remove(id);
      } else if (state === 'running' && attempts < MOST_ATTEMPTS) {
        table.update(id, { state: 'queued' });
      } else if (state === 'running') {
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
    // Somebody may add one while others stop.
    while (owner.table.list().some(({ state }) => isOpen(state))) await this.#stopAll(owner, 'paused');
    this.#owners.delete(projectId);
    for (const { id } of owner.table.list()) {
      this.#service.hub.publish({ type: 'task-gone', id: taskId(owner, id) });
    }
  }

  /** Put a task into the queue. */
  add(project: ServedProject | null, request: TaskRequest): Task {
    const { owner, record } = this.#add(project, request);
    this.#begin();
    return this.get(taskId(owner, record.id));
  }

  /**
   * Do work that its caller waits for, in its turn. It is listed as a task from now until its end, then it is gone; a pause
   * stops it like a cancel.
   * @param signal takes it out of the queue, or is up to the work once that has begun
   * @returns what the work returns
   * @throws UserError 'cancelled' when it was stopped before its turn came; else what the work throws
   */
  inTurn<T>(
    project: ServedProject,
    { lane, ...request }: { lane: Lane; title: string; command: string },
    signal: AbortSignal,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    if (this.#closing || signal.aborted) return Promise.reject(withdrawn());
    return new Promise((resolve, reject) => {
      const { owner, record } = this.#add(project, { kind: 'command', params: null, ...request });
      const key = taskId(owner, record.id);
      const leave = (): void => void this.cancel(key);
      signal.addEventListener('abort', leave, { once: true });
      this.#errands.set(key, {
        lane,
        refuse: () => {
          signal.removeEventListener('abort', leave);
          reject(withdrawn());
        },
        begin: async (turn) => {
          signal.removeEventListener('abort', leave);
          await work(turn).then(resolve, reject);
        },
      });
      this.#begin();
    });
  }

  #add(
    project: ServedProject | null,
    request: Omit<TaskRequest, 'kind'> & { kind: Task['kind'] },
  ): { owner: TaskOwner; record: TaskRecord } {
    const owner = this.#owners.of(project);
    const record = owner.table.add({
      ...request,
      runId: request.runId ?? null,
      state: 'queued',
      position: this.#owners.nextPosition(),
      attempts: 0,
      error: null,
      result: null,
      createdAt: now(),
      startedAt: null,
      endedAt: null,
    });
    this.#publish(owner, record);
    return { owner, record };
  }

  /** All tasks, in order of the queue. */
  list(): Task[] {
    return this.#owners.tasks().map(({ owner, record }) => this.#task(owner, record));
  }

  /** @throws UserError 'not-found' */
  get(id: string): Task {
    const { owner, record } = this.#owners.find(id);
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
    const { owner, record } = this.#owners.find(id);
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
    const { owner, record } = this.#owners.find(id);
    if (record.state !== 'queued') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: only what is queued can be moved.`);
    }
    this.#change(owner, record.id, { position: this.#owners.positionBefore(before, id) });
    return this.get(id);
  }

  /** Take a task that has ended, or waits paused, off the list. @throws UserError 'not-found', 'usage' */
  dismiss(id: string): void {
    const { owner, record } = this.#owners.find(id);
    if (isOpen(record.state)) {
      throw new UserError('usage', `“${record.title}” is ${record.state}: cancel it first.`);
    }
    this.#remove(owner, record.id);
  }

  /** Stop everything that is queued or at work; returns when it has stopped. */
  async stopAll(intention: 'paused' | 'cancelled'): Promise<Task[]> {
    await Promise.all(this.#owners.all().map((owner) => this.#stopAll(owner, intention)));
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
    return owner?.table.list().some((task) => task.runId === runId && isOpen(task.state)) ?? false;
  }

  async #stop(id: string, intention: 'paused' | 'cancelled'): Promise<Task> {
    const { owner, record } = this.#owners.find(id);
    const running = this.#running.get(id);
    if (running) {
      running.intention = intention;
      running.abort.abort();
      await running.ended;
      // An errand has left the list.
      if (!owner.table.get(record.id)) return viewTask(owner, { ...record, state: 'cancelled' }, null);
    } else if (this.#errands.has(id)) {
      this.#errands.get(id)!.refuse();
      this.#remove(owner, record.id);
      return viewTask(owner, { ...record, state: 'cancelled' }, null);
    } else if (record.state === 'queued' || (record.state === 'paused' && intention === 'cancelled')) {
      this.#change(owner, record.id, { state: intention, endedAt: now() });
    } else if (record.state !== intention) {
      throw new UserError('usage', `“${record.title}” is ${record.state}: there is nothing to stop.`);
    }
    return this.get(id);
  }

  async #stopAll(owner: TaskOwner, intention: 'paused' | 'cancelled'): Promise<void> {
    const open = owner.table.list().filter(({ state }) => isOpen(state));
    // Those that wait first: otherwise one of them begins as soon as its lane is free.
    const waitingFirst = open.toSorted((a, b) => Number(a.state === 'running') - Number(b.state === 'running'));
    await Promise.all(waitingFirst.map(({ id }) => this.#stop(taskId(owner, id), intention)));
  }

  /** Begin what waits, as far as the lanes are free. */
  #begin(): void {
    if (this.#closing) return;
    for (const { id, state, kind } of this.list()) {
      if (state !== 'queued') continue;
      // An errand that has just been listed is not there yet.
      const lane = kind === 'command' ? this.#errands.get(id)?.lane : this.#kinds[kind].lane;
      if (lane === undefined) continue;
      const busy = [...this.#running.values()].filter((running) => running.lane === lane).length;
      if (busy < LANES[lane]) this.#run(id, lane);
    }
  }

  #run(key: string, lane: Lane): void {
    const { owner, record } = this.#owners.find(key);
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
    const turn: Turn = {
      signal: running.abort.signal,
      onEvent: (event) => {
        if (!isProgress(event)) return;
        running.progress = event;
        this.#tellSoon(key, running);
      },
    };
    const errand = this.#errands.get(key);
    const end = errand ? await errand.begin(turn) : await this.#outcome(running, record, turn);
    clearTimeout(running.telling);
    this.#running.delete(key);
    try {
      if (end) this.#change(owner, record.id, { ...end, attempts: 0, endedAt: now() });
      else this.#remove(owner, record.id);
    } catch (error) {
      // A full disk: the others go on; this one is taken up again when the project is opened next.
      this.#service.log(`the end of ${key} could not be kept: ${errorToData(error).message}`);
    }
    this.#begin();
  }

  /** Do a task's work. @returns what to keep of its end */
  async #outcome(running: Running, record: TaskRecord, turn: Turn): Promise<Partial<TaskRecord>> {
    const kind = taskKindOf(record);
    if (kind === 'command') throw new Error('an errand without its caller');
    const context = { ...turn, service: this.#service, params: record.params, runJob: this.#runJob };
    try {
      return { state: 'done', result: await this.#kinds[kind].perform(context, running.owner.project) };
    } catch (error) {
      const { code, message, stack } = errorToData(error);
      if (code === 'defect') this.#service.log(`${record.kind}: ${stack ?? message}`);
      if (code === 'cancelled' && turn.signal.aborted) return { state: running.intention };
      return { state: 'failed', error: { code, message } };
    }
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

  #change(owner: TaskOwner, id: number, fields: Partial<TaskRecord>): void {
    owner.table.update(id, fields);
    this.#publish(owner, owner.table.get(id)!);
  }

  /** Take a task off the list. */
  #remove(owner: TaskOwner, id: number): void {
    owner.table.remove(id);
    this.#errands.delete(taskId(owner, id));
    this.#service.hub.publish({ type: 'task-gone', id: taskId(owner, id) });
  }

  #publish(owner: TaskOwner, record: TaskRecord): void {
    this.#service.hub.publish({ type: 'task', task: this.#task(owner, record) });
  }

  #task(owner: TaskOwner, record: TaskRecord): Task {
    return viewTask(owner, record, this.#running.get(taskId(owner, record.id))?.progress ?? null);
  }
}

const isProgress = (event: { type: string }): event is Progress => event.type === 'progress';

/** Whether a task in that state may still do something by itself. */
export const isOpen = (state: TaskState): boolean => state === 'queued' || state === 'running';

const withdrawn = (): UserError => new UserError('cancelled', 'It was cancelled before its turn came.');

function now(): string {
  return new Date().toISOString();
}
