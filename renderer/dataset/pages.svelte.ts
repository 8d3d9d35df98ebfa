/** A list too long to be fetched at once: only the pages of it that are in view. */
import { ApiError, errorText, isAbort } from '../lib/api.ts';

export interface PageOf<T> {
  total: number;
  rows: T[];
}

export type LoadPage<T> = (offset: number, limit: number, signal: AbortSignal) => Promise<PageOf<T>>;

/** Rows of one page. */
const PAGE = 200;

export class Pages<T> {
  readonly #load: LoadPage<T>;
  /** Rows in all; undefined before the first answer. */
  total: number | undefined = $state();
  error: ApiError | undefined = $state.raw();
  /** By number of the page. */
  #pages: ReadonlyMap<number, readonly T[]> = $state.raw(new Map());
  readonly #coming = new Map<number, AbortController>();
  /** Rows in view. */
  #view = { first: 0, end: 1 };

  constructor(load: LoadPage<T>) {
    this.#load = load;
    void this.#fetch(0);
  }

  row(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** These rows are in view: fetch what is missing of them, give up what is not needed. */
  show(first: number, end: number): void {
    this.#view = { first, end: Math.max(end, first + 1) };
    for (const [page, abort] of this.#coming) {
      if (page !== 0 && !this.#inView(page)) abort.abort();
    }
    for (let page = Math.floor(first / PAGE); page * PAGE < end; page++) {
      if (!this.#pages.has(page) && !this.#coming.has(page)) void this.#fetch(page);
    }
  }

  /** What was fetched may be old; it stays until the new is there. */
  reload(): void {
    for (const abort of this.#coming.values()) abort.abort();
    const kept = new Map([...this.#pages].filter(([page]) => this.#inView(page)));
    this.#pages = kept;
    for (const page of new Set([0, ...kept.keys()])) void this.#fetch(page);
  }

  close(): void {
    for (const abort of this.#coming.values()) abort.abort();
  }

  #inView(page: number): boolean {
    return page * PAGE < this.#view.end && (page + 1) * PAGE > this.#view.first;
  }

  async #fetch(page: number): Promise<void> {
    const abort = new AbortController();
    this.#coming.set(page, abort);
    try {
      const { total, rows } = await this.#load(page * PAGE, PAGE, abort.signal);
      this.total = total;
      this.error = undefined;
      this.#pages = new Map([...this.#pages, [page, rows]]);
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError('defect', 0, errorText(error));
    } finally {
      if (this.#coming.get(page) === abort) this.#coming.delete(page);
    }
  }
}
