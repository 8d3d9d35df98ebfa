/** The long work of the service, as its events tell it. */
import type { Task, TaskKind } from '../../core/api/tasks.ts';
import { call } from './api.ts';
import { events } from './events.svelte.ts';
import { toasts } from './toasts.svelte.ts';

class Tasks {
  /** Oldest first. */
  list: readonly Task[] = $state.raw([]);
  /** Those that wait or are at work. */
  readonly active: readonly Task[] = $derived(this.list.filter(isActive));
  readonly #ended = new Set<(task: Task) => void>();

  #turn = 0;

  /** Follow the service. Called once. */
  start(): void {
    events.listen((batch) => {
      if (batch.reset) void this.reload();
      else if (batch.tasks.size > 0) this.#apply(batch.tasks);
    });
    void this.reload();
  }

  async reload(): Promise<void> {
    try {
      const turn = ++this.#turn;
      const list = await call('GET /api/tasks');
      // Answers may overtake each other; the last question counts.
      if (turn !== this.#turn) return;
      this.list = list;
    } catch {
      // The bar about the service says why; the next reset asks again.
    }
  }

  /** A task that a request has just answered with: shown before its first event. */
  add(task: Task): void {
    this.#apply(new Map([[task.id, task]]));
  }

  get(id: string): Task | undefined {
    return this.list.find((task) => task.id === id);
  }

  /** Tasks of a project, oldest first. */
  of(project: string, kind?: TaskKind): readonly Task[] {
    return this.list.filter((task) => task.project === project && (kind === undefined || task.kind === kind));
  }

  /** Be told of each task that comes to its end while the page looks. @returns stops it */
  onEnd(listener: (task: Task) => void): () => void {
    this.#ended.add(listener);
    return () => this.#ended.delete(listener);
  }

  async cancel(task: Task): Promise<void> {
    await this.#change(() => call('POST /api/tasks/{task}/cancel', { params: { task: task.id } }));
  }

  async pause(task: Task): Promise<void> {
    await this.#change(() => call('POST /api/tasks/{task}/pause', { params: { task: task.id } }));
  }

  async resume(task: Task): Promise<void> {
    await this.#change(() => call('POST /api/tasks/{task}/resume', { params: { task: task.id } }));
  }

  /** Take an ended task off the list. */
  async dismiss(task: Task): Promise<void> {
    try {
      await call('DELETE /api/tasks/{task}', { params: { task: task.id } });
      this.list = this.list.filter(({ id }) => id !== task.id);
    } catch (error) {
      toasts.error(error);
    }
  }

  async #change(send: () => Promise<Task>): Promise<void> {
    try {
      this.add(await send());
    } catch (error) {
      toasts.error(error);
    }
  }

  #apply(changes: ReadonlyMap<string, Task | null>): void {
    const rest = new Map(changes);
    const list: Task[] = [];
    const ended: Task[] = [];
    for (const task of this.list) {
      const change = rest.get(task.id);
      rest.delete(task.id);
      if (change === null) continue;
      list.push(change ?? task);
      if (change !== undefined && isActive(task) && !isActive(change)) ended.push(change);
    }
    for (const task of rest.values()) if (task !== null) list.push(task);
    this.list = list;
    for (const task of ended) for (const listener of this.#ended) listener(task);
  }
}

/** Whether a task waits or is at work. */
export function isActive(task: Task): boolean {
  return task.state === 'queued' || task.state === 'running';
}

/** How far a task is, 0 to 1; null when that cannot be told. */
export function fraction(task: Task): number | null {
  const { progress } = task;
  if (progress === null || progress.total === null || progress.total === 0) return null;
  return Math.min(1, progress.done / progress.total);
}

export const tasks = new Tasks();

/** Resolves when the task has come to its end. */
export function endOf(task: Task): Promise<Task> {
  return new Promise((resolve) => {
    const stop = tasks.onEnd((ended) => {
      if (ended.id !== task.id) return;
      stop();
      resolve(ended);
    });
    tasks.add(task);
  });
}
