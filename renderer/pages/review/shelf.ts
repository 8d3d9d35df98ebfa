/**
 * Contexts that are open or come next. One shelf a project for as long as the app is open: strokes that wait for the
 * service are sent also when another page is shown.
 */
import { connection } from '../../lib/connection.svelte.ts';
import { openContext, type OpenedContext } from './opened.ts';

/** Pixels of all pictures together; about six bytes each. */
const MOST_PIXELS = 64e6;
/** Contexts that are kept though they are not wanted now. */
const SPARE = 3;

interface Kept {
  readonly promise: Promise<OpenedContext>;
  readonly abort: AbortController;
  opened: OpenedContext | undefined;
}

export class Shelf {
  readonly #project: string;
  /** In order of their last use. */
  readonly #kept = new Map<number, Kept>();

  constructor(project: string) {
    this.#project = project;
    connection.onBack(() => {
      for (const { opened } of this.#kept.values()) opened?.queue.retry();
    });
  }

  /** A context that is there already. */
  peek(context: number): OpenedContext | undefined {
    return this.#kept.get(context)?.opened;
  }

  /** @throws ApiError with the reason why it cannot be shown */
  get(context: number): Promise<OpenedContext> {
    const kept = this.#kept.get(context) ?? this.#open(context);
    this.#kept.delete(context);
    this.#kept.set(context, kept);
    return kept.promise;
  }

  /**
   * Have these ready, and let go of what is too much; what has strokes that wait stays.
   * @param contexts the one shown first, then by how soon they are wanted; the first two stay whatever their size
   */
  want(contexts: readonly number[]): void {
    // The last one asked for is the last to go.
    for (const context of [...contexts].reverse()) this.get(context).catch(() => {});
    let [count, pixels] = [0, 0];
    for (const [context, { opened, abort }] of [...this.#kept].reverse()) {
      count++;
      pixels += opened === undefined ? 0 : opened.width * opened.height;
      if (contexts.slice(0, 2).includes(context) || opened?.watcher !== undefined || opened?.queue.idle === false)
        continue;
      if (count <= contexts.length + SPARE && pixels <= MOST_PIXELS) continue;
      this.#kept.delete(context);
      abort.abort();
      opened?.close();
    }
  }

  /** Nothing is shown any more; what has strokes that wait stays. */
  clear(): void {
    for (const [context, { opened, abort }] of this.#kept) {
      if (opened?.queue.idle === false) continue;
      this.#kept.delete(context);
      abort.abort();
      opened?.close();
    }
  }

  #open(context: number): Kept {
    const abort = new AbortController();
    const kept: Kept = { abort, opened: undefined, promise: openContext(this.#project, context, abort.signal) };
    kept.promise.then(
      (opened) => {
        if (this.#kept.get(context) === kept) kept.opened = opened;
        else opened.close();
      },
      () => {
        // It may be asked for again.
        if (this.#kept.get(context) === kept) this.#kept.delete(context);
      },
    );
    return kept;
  }
}

const shelves = new Map<string, Shelf>();

export function shelfOf(project: string): Shelf {
  const shelf = shelves.get(project) ?? new Shelf(project);
  shelves.set(project, shelf);
  return shelf;
}
