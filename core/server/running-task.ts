/** A task at work: how far it is, and how it is stopped. */
import type { Progress } from '../base/progress.ts';
import type { Lane } from './lanes.ts';

/** Shortest time between two events about one task, milliseconds. */
const EVENT_INTERVAL = 100;

/** What a task becomes when it stops before its end. */
export type Intention = 'paused' | 'cancelled';

/** What work is given when its turn has come. */
export interface Turn {
  /** Aborted when the work is to stop. */
  readonly signal: AbortSignal;
  /** Show how far it is; any event of a job may be handed in, only progress is shown. */
  readonly onEvent: (event: Progress | { type: string }) => void;
  /** Say which run it trains, where that shows only now. */
  readonly trains: (run: number) => void;
}

export class RunningTask {
  readonly lane: Lane;
  readonly turn: Turn;
  readonly #abort = new AbortController();
  readonly #tell: () => void;
  /** When its pages were last told, and whether they will be told again soon. */
  #toldAt = -Infinity;
  #telling: NodeJS.Timeout | undefined;
  #progress: Progress | null = null;
  #run: number | null = null;
  #intention: Intention = 'cancelled';
  #ended: Promise<void> = Promise.resolve();

  /** @param tell tells the pages how far it is; called a few times a second at most */
  constructor(lane: Lane, tell: () => void) {
    this.lane = lane;
    this.#tell = tell;
    this.turn = {
      signal: this.#abort.signal,
      onEvent: (event) => {
        if (!isProgress(event)) return;
        this.#progress = event;
        this.#tellSoon();
      },
      trains: (run) => {
        this.#run = run;
        this.#tellSoon();
      },
    };
  }

  get progress(): Progress | null {
    return this.#progress;
  }

  /** What it has said that it trains. Not kept: whoever takes up a run again goes by the tasks that are. */
  get run(): number | null {
    return this.#run;
  }

  get intention(): Intention {
    return this.#intention;
  }

  /** @param work ends, without throwing, when the task is off the machine and its record says how it ended */
  begin(work: () => Promise<void>): void {
    this.#ended = work();
  }

  /** Ask the work to stop; returns when it has. */
  async stop(intention: Intention): Promise<void> {
    this.#intention = intention;
    this.#abort.abort();
    await this.#ended;
  }

  /** Nothing is told of it any more. */
  fallSilent(): void {
    clearTimeout(this.#telling);
  }

  /** Now, or when the interval has passed. */
  #tellSoon(): void {
    if (this.#telling) return;
    const wait = Math.max(0, this.#toldAt + EVENT_INTERVAL - performance.now());
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      this.#toldAt = performance.now();
      this.#tell();
    }, wait);
  }
}

const isProgress = (event: { type: string }): event is Progress => event.type === 'progress';
