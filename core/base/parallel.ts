/** How much runs at the same time. */
export interface ParallelOptions<T> {
  /** Items at work at once. */
  limit: number;
  /** What an item costs, say bytes of memory, and how much may be in use at once. One item alone always runs. */
  cost?: { of: (item: T) => number; most: number };
  /** When aborted, no further item is begun. */
  signal?: AbortSignal;
}

/**
 * Do asynchronous work on items, several at once, begun in their order. After a failure no further item is begun; the
 * items at work end before it is thrown.
 * @returns whether all items were done; false when the signal stopped it
 */
export async function forEachParallel<T>(
  items: Iterable<T>,
  { limit, cost, signal }: ParallelOptions<T>,
  work: (item: T) => Promise<void>,
): Promise<boolean> {
  const running = new Set<Promise<void>>();
  let inUse = 0;
  let failure: { error: unknown } | undefined;
  const run = async (item: T, share: number): Promise<void> => {
    inUse += share;
    try {
      await work(item);
    } catch (error) {
      failure ??= { error };
    }
    inUse -= share;
  };
  let all = true;
  for (const item of items) {
    const share = cost?.of(item) ?? 0;
    const isFull = (): boolean => running.size >= limit || (cost !== undefined && inUse + share > cost.most);
    while (running.size > 0 && isFull()) await Promise.race(running);
    if (failure || signal?.aborted) {
      all = false;
      break;
    }
    const promise: Promise<void> = run(item, share).then(() => {
      running.delete(promise);
    });
    running.add(promise);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
  return all;
}
