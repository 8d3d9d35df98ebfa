/** Many pictures or files at once. */
import { availableParallelism } from 'node:os';
import { ByteBudget, mapOrdered } from '../data/flow.ts';
import type { PlanItem } from './item.ts';
import type { Workshop } from './workshop.ts';

/** Files that are hashed or synced at once. */
const FILES_AT_ONCE = 16;

/**
 * Pictures that are under way for each core: some in work, most on the way to or from its thread. A thread answers when it
 * has made all that it was sent at once, and would wait for its next ones if there were few.
 */
const PICTURES_A_CORE = 32;

/** Bytes of pixels that may be in memory at once; one picture alone may be larger. */
const MOST_MEMORY = 2 ** 30;

/**
 * Work on files, several at once. After a failure none is begun any more, and it is thrown when those at work are done.
 * @returns false when the signal stopped it
 */
export async function forEachFile<T>(
  items: Iterable<T>,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
  limit = FILES_AT_ONCE,
): Promise<boolean> {
  const unlessStopped = async (item: T): Promise<boolean> => {
    if (signal.aborted) return false;
    await work(item);
    return true;
  };
  for await (const done of mapOrdered(items, limit, unlessStopped)) if (!done) return false;
  return true;
}

/**
 * Work on pictures of a plan: enough at once to keep all cores busy, but no more than fit in memory.
 * @returns false when the signal stopped it
 */
export function forEachPicture<T extends PlanItem>(
  items: Iterable<T>,
  workshop: Workshop,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<boolean> {
  const budget = new ByteBudget(MOST_MEMORY);
  const withinBudget = (item: T): Promise<void> => budget.with(workshop.memoryFor(item), () => work(item));
  return forEachFile(items, signal, withinBudget, availableParallelism() * PICTURES_A_CORE);
}
