/** What the service works on, as far as the shell must know: it keeps the machine awake and asks before quitting. */
import { powerSaveBlocker } from 'electron/main';
import type { Task } from '../core/api/tasks.ts';
import { ask } from './requests.ts';
import type { Service } from './service-process.ts';

/** How often the service is asked, milliseconds: what hangs on it, sleep of the machine, comes after minutes. */
const INTERVAL_MS = 3000;
const TIMEOUT_MS = 5000;

/** Tasks that are at work or will be without anybody doing something. */
export const isActive = (task: Task): boolean => task.state === 'running' || task.state === 'queued';

export class Work {
  readonly #service: Service;
  #blocker: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Told once nothing is active any more. */
  #onIdle: (() => void) | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  /** Tasks at work or queued now; undefined when the service cannot tell. */
  async active(): Promise<Task[] | undefined> {
    try {
      return (await ask(this.#service, 'GET /api/tasks', { timeoutMs: TIMEOUT_MS })).filter(isActive);
    } catch {
      return undefined;
    }
  }

  /** Watch until `stop`: while something runs the system does not go to sleep. */
  watch(): void {
    this.#timer = setTimeout(() => void this.#look().finally(() => this.watch()), INTERVAL_MS);
  }

  /** Be told once, when everything that is active now has ended. */
  whenIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  /** Nobody waits for the end any more. */
  forgetIdle(): void {
    this.#onIdle = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stayAwake(false);
  }

  async #look(): Promise<void> {
    const active = await this.active();
    // A service that is slow to answer, or is being started again, may be at work.
    if (active === undefined) return;
    this.#stayAwake(active.some((task) => task.state === 'running'));
    if (active.length > 0) return;
    this.#onIdle?.();
    this.#onIdle = undefined;
  }

  #stayAwake(awake: boolean): void {
    if (awake && this.#blocker === undefined) {
      this.#blocker = powerSaveBlocker.start('prevent-app-suspension');
    } else if (!awake && this.#blocker !== undefined) {
      powerSaveBlocker.stop(this.#blocker);
      this.#blocker = undefined;
    }
  }
}
