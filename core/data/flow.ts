/** Many pieces of asynchronous work at once, in bounded memory and in a fixed order. */

/**
 * Work on up to `limit` items at a time and give the results in the order of the items.
 * When the consumer stops early, work already begun is waited for.
 */
export async function* mapOrdered<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const pending: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Whoever takes the result sees the failure; until then it must not count as unhandled.
      result.catch(() => {});
      pending.push(result);
      if (pending.length >= limit) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** Bytes that may be in memory at once. A piece larger than all of it waits until it is alone. */
export class ByteBudget {
  readonly #total: number;
  #used = 0;
  readonly #waiting: { bytes: number; start: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  /** Run `work` once there is room for `bytes`; first come, first served. */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#total);
    if (this.#waiting.length > 0 || this.#used + share > this.#total) {
      await new Promise<void>((start) => this.#waiting.push({ bytes: share, start }));
    } else {
      this.#used += share;
    }
    try {
      return await work();
    } finally {
      this.#used -= share;
      while (this.#waiting.length > 0 && this.#used + this.#waiting[0].bytes <= this.#total) {
        const next = this.#waiting.shift()!;
        this.#used += next.bytes;
        next.start();
      }
    }
  }
}

/** Several threads' share of one budget. A thread waits by standing still, so it must do one piece of work at a time. */
export class SharedByteBudget {
  readonly #total: number;
  readonly #used: Int32Array;

  /**
   * @param total bytes, the same in every thread; under 2 TiB
   * @param memory 4 bytes that all threads have in common, zero before the first one begins
   */
  constructor(total: number, memory: SharedArrayBuffer) {
    this.#total = kibibytes(total);
    this.#used = new Int32Array(memory);
  }

  /** Run `work` once there is room for `bytes`; a piece larger than all of the budget waits until it is alone. */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(kibibytes(bytes), this.#total);
    for (;;) {
      const used = Atomics.load(this.#used, 0);
      if (used + share > this.#total) Atomics.wait(this.#used, 0, used);
      else if (Atomics.compareExchange(this.#used, 0, used, used + share) === used) break;
    }
    try {
      return await work();
    } finally {
      Atomics.sub(this.#used, 0, share);
      Atomics.notify(this.#used, 0);
    }
  }
}

const kibibytes = (bytes: number): number => Math.ceil(bytes / 1024);

/** So many pieces of work at once, the rest in the order of asking. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Run `work` when its turn has come. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((start) => this.#waiting.push(start));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
