/** The parent's side of acknowledged events: each is handled after the one before it, and never do many wait. */

/** Events that may wait for a slow handler before no more are read. */
const MOST_WAITING = 16;

export interface InboxOptions<Message> {
  /** Handle one; a promise is waited for. Never throws. */
  handle: (message: Message) => unknown;
  /** Told how many have been handled so far. */
  acknowledge: (count: number) => void;
  /** Read no more until `resume`. */
  pause: () => void;
  resume: () => void;
}

export class Inbox<Message> {
  readonly #options: InboxOptions<Message>;
  readonly #waiting: Message[] = [];
  #handled = 0;
  #acknowledged = 0;
  /** Handling what waits; undefined while nothing does. */
  #busy: Promise<void> | undefined;

  constructor(options: InboxOptions<Message>) {
    this.#options = options;
  }

  /** Take a message; handled at once unless an earlier one still is. */
  push(message: Message): void {
    if (!this.#busy) {
      const handling = this.#options.handle(message);
      if (handling instanceof Promise) this.#busy = this.#continue(handling);
      else this.#handled++;
      return;
    }
    this.#waiting.push(message);
    if (this.#waiting.length === MOST_WAITING) this.#options.pause();
  }

  /** To be called after each piece that was read: one line tells of all that was handled in it. */
  acknowledge(): void {
    if (this.#handled === this.#acknowledged) return;
    this.#acknowledged = this.#handled;
    this.#options.acknowledge(this.#handled);
  }

  /** Resolves when all that came has been handled. */
  async idle(): Promise<void> {
    await this.#busy;
  }

  async #continue(first: Promise<unknown>): Promise<void> {
    await first;
    this.#handled++;
    this.acknowledge();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#options.handle(next);
      this.#handled++;
      this.acknowledge();
    }
    this.#busy = undefined;
    this.#options.resume();
  }
}
