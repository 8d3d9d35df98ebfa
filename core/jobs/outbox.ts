/** The job's side of acknowledged events: how much of what was sent the parent has not handled yet. */

/** Bytes of events that may be on their way before `drained` waits: enough to keep both sides at work. */
export const WINDOW = 2 ** 20;

export class Outbox {
  /** Sizes of the events on their way, oldest first. */
  readonly #sizes: number[] = [];
  #bytes = 0;
  #acknowledged = 0;
  #waiters: (() => void)[] = [];
  #open = false;

  /** An event of that many bytes was sent. */
  sent(bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** The parent has handled so many events since the start. */
  acknowledge(count: number): void {
    for (; this.#acknowledged < count; this.#acknowledged++) this.#bytes -= this.#sizes.shift() ?? 0;
    if (this.#bytes <= WINDOW) this.#wake();
  }

  /** Nothing is waited for any more: the job is to stop. */
  release(): void {
    this.#open = true;
    this.#wake();
  }

  /** Resolves once no more than `WINDOW` bytes are on their way, or at `release`. */
  drained(): Promise<void> {
    if (this.#open || this.#bytes <= WINDOW) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
