/**
 * Long work, one after the other in each lane. The records of a project's tasks lie in its database: what was queued or at
 * work when the service died is taken up again when the project is opened next.
 */
import type { Task } from '../api/tasks.ts';
import { errorToData, UserError } from '../base/errors.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { TaskRecord } from '../storage/records.ts';
import { Errands, withdrawn } from './errands.ts';
import { LANES, type Lane } from './lanes.ts';
import type { ServedProject } from './open-projects.ts';
import { RunningTask, type Intention, type Turn } from './running-task.ts';
import type { Service } from './service.ts';
import type { AnyTaskKind, QueuedKind } from './task-kind.ts';
import { isOpen, now, TaskList, type NewTask } from './task-list.ts';
import type { OwnedTask } from './task-owners.ts';
import { knownKind, taskId, taskKindOf, viewTask, type TaskOwner } from './task-view.ts';

/** A task that is asked for, of a kind that the queue can begin. */
export interface TaskRequest extends NewTask {
  kind: QueuedKind;
}

/** A task takes the service down, or the service is killed in its midst, this often before it is given up. */
const MOST_ATTEMPTS = 3;

export class TaskQueue {
  readonly #service: Service;
  readonly #kinds: Readonly<Record<QueuedKind, AnyTaskKind>>;
  readonly #runJob: RunJob;
  readonly #running = new Map<string, RunningTask>();
  readonly #errands = new Errands();
  readonly #list: TaskList;
  /** No task is begun any more. */
  #closing = false;

  constructor(service: Service, kinds: Readonly<Record<QueuedKind, AnyTaskKind>>, runJob: RunJob) {
    this.#service = service;
    this.#kinds = kinds;
    this.#runJob = runJob;
    this.#list = new TaskList(service.hub, (key) => this.#running.get(key));
  }

  /** Take up the tasks of a project that has just been opened. */
  adopt(project: ServedProject): void {
    const owner = this.#list.owners.add(project);
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
    for (const record of table.list()) this.#list.publish({ owner, record });
    this.#begin();
  }

  /** Pause the tasks of a project that is about to be closed, and forget them. */
  async release(projectId: string): Promise<void> {
    const owner = this.#list.owners.get(projectId);
    if (!owner) return;
    // Somebody may add one while others stop.
    while (owner.table.list().some(({ state }) => isOpen(state))) await this.#stopAll(owner, 'paused');
    this.#list.owners.delete(projectId);
    for (const { id } of owner.table.list()) this.#list.publishGone(owner, id);
  }

  /** Put a task into the queue. */
  add(project: ServedProject | null, request: TaskRequest): Task {
    const { owner, record } = this.#list.add(project, request);
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
  async inTurn<T>(
    project: ServedProject,
    { lane, ...request }: { lane: Lane; title: string; command: string },
    signal: AbortSignal,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    if (this.#closing || signal.aborted) throw withdrawn();
    const { owner, record } = this.#list.add(project, { kind: 'command', params: null, ...request });
    const key = taskId(owner, record.id);
    const leave = (): void => void this.cancel(key);
    const done = this.#errands.add(key, lane, { signal, leave }, work);
    this.#begin();
    return done;
  }

  /** All tasks, in order of the queue. */
  list(): Task[] {
    return this.#list.all();
  }

  /** @throws UserError 'not-found' */
  get(id: string): Task {
    return this.#list.view(this.#list.owners.find(id));
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
    const { owner, record } = this.#list.owners.find(id);
    if (record.state !== 'paused' && record.state !== 'failed' && record.state !== 'cancelled') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: there is nothing to resume.`);
    }
    this.#list.change(owner, record.id, { state: 'queued', attempts: 0, error: null, endedAt: null });
    this.#begin();
    return this.get(id);
  }

  /**
   * Put a queued task before another one, or last.
   * @throws UserError 'not-found', 'usage' when it is not queued any more
   */
  move(id: string, before: string | null): Task {
    const { owner, record } = this.#list.owners.find(id);
    if (record.state !== 'queued') {
      throw new UserError('usage', `“${record.title}” is ${record.state}: only what is queued can be moved.`);
    }
    this.#list.change(owner, record.id, { position: this.#list.owners.positionBefore(before, id) });
    return this.get(id);
  }

  /** Take a task that has ended, or waits paused, off the list. @throws UserError 'not-found', 'usage' */
  dismiss(id: string): void {
    const { owner, record } = this.#list.owners.find(id);
    if (isOpen(record.state)) {
      throw new UserError('usage', `“${record.title}” is ${record.state}: cancel it first.`);
    }
    this.#remove(owner, record.id);
  }

  /** Stop everything that is queued or at work; returns when it has stopped. */
  async stopAll(intention: Intention): Promise<Task[]> {
    await Promise.all(this.#list.owners.all().map((owner) => this.#stopAll(owner, intention)));
    return this.list();
  }

  /** Pause everything and begin nothing any more. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.stopAll('paused');
  }

  /** Tasks of a project that are queued or at work. */
  open(projectId: string): TaskRecord[] {
    const tasks = this.#list.owners.get(projectId)?.table.list() ?? [];
    return tasks.filter(({ state }) => isOpen(state));
  }

  /** Whether a run of a project is queued or at work. */
  hasOpenTask(projectId: string, runId: number): boolean {
    return this.open(projectId).some((task) => task.runId === runId);
  }

  async #stop(id: string, intention: Intention): Promise<Task> {
    const { owner, record } = this.#list.owners.find(id);
    const running = this.#running.get(id);
    const errand = this.#errands.get(id);
    if (running) {
      await running.stop(intention);
      // An errand has left the list.
      if (!owner.table.get(record.id)) return viewTask(owner, { ...record, state: 'cancelled' });
    } else if (errand) {
      errand.refuse();
      this.#remove(owner, record.id);
      return viewTask(owner, { ...record, state: 'cancelled' });
    } else if (record.state === 'queued' || (record.state === 'paused' && intention === 'cancelled')) {
      this.#list.change(owner, record.id, { state: intention, endedAt: now() });
    } else if (record.state !== intention) {
      throw new UserError('usage', `“${record.title}” is ${record.state}: there is nothing to stop.`);
    }
    return this.get(id);
  }

  async #stopAll(owner: TaskOwner, intention: Intention): Promise<void> {
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
    const { owner, record } = this.#list.owners.find(key);
    const tell = (): void => {
      const current = owner.table.get(record.id);
      if (current && this.#running.has(key)) this.#list.publish({ owner, record: current });
    };
    const running = new RunningTask(lane, tell);
    this.#running.set(key, running);
    this.#list.change(owner, record.id, {
      state: 'running',
      attempts: record.attempts + 1,
      startedAt: record.startedAt ?? now(),
      endedAt: null,
      error: null,
    });
    running.begin(() => this.#perform(key, running, { owner, record }));
  }

  async #perform(key: string, running: RunningTask, { owner, record }: OwnedTask): Promise<void> {
    const errand = this.#errands.get(key);
    const end = errand ? await errand.begin(running.turn) : await this.#outcome(running, { owner, record });
    running.fallSilent();
    this.#running.delete(key);
    try {
      if (end) this.#list.change(owner, record.id, { ...end, attempts: 0, endedAt: now() });
      else this.#remove(owner, record.id);
    } catch (error) {
      // A full disk: the others go on; this one is taken up again when the project is opened next.
      this.#service.log(`the end of ${key} could not be kept: ${errorToData(error).message}`);
    }
    this.#begin();
  }

  /** Do a task's work. @returns what to keep of its end */
  async #outcome(running: RunningTask, { owner, record }: OwnedTask): Promise<Partial<TaskRecord>> {
    const kind = taskKindOf(record);
    if (kind === 'command') throw new Error('an errand without its caller');
    const { params, createdAt: askedAt } = record;
    const context = { ...running.turn, service: this.#service, params, askedAt, runJob: this.#runJob };
    try {
      return { state: 'done', result: await this.#kinds[kind].perform(context, owner.project) };
    } catch (error) {
      const { code, message, stack } = errorToData(error);
      if (code === 'defect') this.#service.log(`${record.kind}: ${stack ?? message}`);
      if (code === 'cancelled' && running.turn.signal.aborted) return { state: running.intention };
      return { state: 'failed', error: { code, message } };
    }
  }

  /** Take a task off the list. */
  #remove(owner: TaskOwner, id: number): void {
    this.#errands.delete(taskId(owner, id));
    this.#list.remove(owner, id);
  }
}
