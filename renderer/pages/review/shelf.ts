/**
 * Contexts that are open or come next. One shelf a project for as long as the app is open: strokes that wait for the
 * service are sent also when another page is shown.
 */
import { errorText } from '../../lib/api.ts';
import { connection } from '../../lib/connection.svelte.ts';
import { plural } from '../../lib/format.ts';
import { router } from '../../lib/router.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import type { SaveMark } from './draft-queue.ts';
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
      if (contexts.slice(0, 2).includes(context) || opened?.watcher !== undefined || waits(opened)) continue;
      if (count <= contexts.length + SPARE && pixels <= MOST_PIXELS) continue;
      this.#kept.delete(context);
      abort.abort();
      opened?.close();
    }
  }

  /** Nothing is shown any more; what has strokes that wait stays. */
  clear(): void {
    for (const [context, { opened, abort }] of this.#kept) {
      if (waits(opened)) continue;
      this.#kept.delete(context);
      abort.abort();
      opened?.close();
    }
  }

  /** Contexts with strokes that could not be stored, and how many. */
  notStored(): { context: number; strokes: number }[] {
    return [...this.#kept].flatMap(([context, { opened }]) => {
      const mark = opened?.queue.mark;
      return mark?.state === 'unsaved' || mark?.state === 'conflict' ? [{ context, strokes: mark.strokes }] : [];
    });
  }

  /**
   * Send what closed pages have left, and say what became of it.
   * @param left how many strokes, by context
   */
  async resume(left: ReadonlyMap<number, number>): Promise<void> {
    for (const [context, strokes] of left) {
      try {
        const { queue } = await this.get(context);
        await queue.settled();
        this.#report(context, queue.mark, strokes);
      } catch (error) {
        toasts.error(`Strokes that were not stored before the window closed still wait: ${errorText(error)}`);
      }
    }
  }

  #report(context: number, mark: SaveMark, strokes: number): void {
    const was = `${plural(strokes, 'stroke')} from before the window closed ${strokes === 1 ? 'was' : 'were'}`;
    if (mark.state === 'saved') toasts.ok(`${was} stored now.`);
    if (mark.state !== 'conflict' && mark.state !== 'unsaved') return;
    toasts.error(`${was} not stored: ${mark.why}`, {
      label: 'Look',
      run: () => void router.go({ project: this.#project, page: 'review', query: { state: 'all', context } }),
    });
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

/** It has strokes that are not stored. */
function waits(opened: OpenedContext | undefined): boolean {
  return opened !== undefined && (opened.queue.unsaved.length > 0 || !opened.queue.idle);
}

const shelves = new Map<string, Shelf>();

export function shelfOf(project: string): Shelf {
  const shelf = shelves.get(project) ?? new Shelf(project);
  shelves.set(project, shelf);
  return shelf;
}
