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
