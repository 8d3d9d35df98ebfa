/** Work that its caller waits for, such as that of a command line: listed like a task while it lasts, and then gone. */
import { UserError } from '../base/errors.ts';
import type { Lane } from './lanes.ts';
import type { Turn } from './running-task.ts';

export interface Errand {
  readonly lane: Lane;
  /** Never throws: what happens is the caller's. */
  readonly begin: (turn: Turn) => Promise<void>;
  /** Its turn will not come. */
  readonly refuse: () => void;
}

/** Who waits for an errand. */
interface Caller {
  readonly signal: AbortSignal;
  /** Called when `signal` is aborted before the errand has begun. */
  readonly leave: () => void;
}

export class Errands {
  readonly #errands = new Map<string, Errand>();

  /**
   * @param key of its task
   * @returns what the work returns
   * @throws UserError 'cancelled' when it was refused; else what the work throws
   */
  add<T>(key: string, lane: Lane, { signal, leave }: Caller, work: (turn: Turn) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
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
    });
  }

  /** Of the task of that key; undefined for any other task, and for one that has just been listed. */
  get(key: string): Errand | undefined {
    return this.#errands.get(key);
  }

  delete(key: string): void {
    this.#errands.delete(key);
  }
}

/** For a caller whose turn will not come. */
export const withdrawn = (): UserError => new UserError('cancelled', 'It was cancelled before its turn came.');
