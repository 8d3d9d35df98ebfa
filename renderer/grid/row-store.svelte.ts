/** What is known of the rows in view of a grid: fetched together, kept within bounds, shown as changed before it is confirmed. */
import { isAbort } from '../lib/api.ts';
import { connection } from '../lib/connection.svelte.ts';

/** Fetches the rows with these ids; what it does not find it leaves out. */
export type LoadRows<Row> = (ids: readonly number[], signal: AbortSignal) => Promise<readonly Row[]>;

/** Rows that are kept, and how many are asked for at once. */
const MOST = 6000;
const BATCH = 500;
/** Cells that pass by faster than this are not asked for, milliseconds. */
const PAUSE_MS = 70;

export class RowStore<Row extends { id: number }> {
  readonly #load: LoadRows<Row>;
  /** Counts arrivals: whoever reads a row depends on it. */
  #arrivals = $state(0);
  readonly #known = new Map<number, Row>();
  #wanted: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;

  constructor(load: LoadRows<Row>) {
    this.#load = load;
  }

  /** The row with an id; undefined while it has not been fetched. */
  get(id: number): Row | undefined {
    void this.#arrivals;
    return this.#known.get(id);
  }

  /** These are in view. */
  show(ids: readonly number[]): void {
    this.#wanted = ids;
    clearTimeout(this.#timer);
    if (ids.some((id) => !this.#known.has(id))) this.#timer = setTimeout(() => void this.#fetch(false), PAUSE_MS);
  }

  /** Everything may have changed: what is in view is fetched again, the rest is forgotten. */
  refresh(): void {
    const wanted = new Set(this.#wanted);
    for (const id of this.#known.keys()) if (!wanted.has(id)) this.#known.delete(id);
    void this.#fetch(true);
  }

  /** Show some fields as they will be. */
  patch(ids: Iterable<number>, fields: Partial<Row>): void {
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known !== undefined) this.#known.set(id, { ...known, ...fields });
    }
    this.#arrivals++;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  async #fetch(again: boolean): Promise<void> {
    if (connection.gone) return;
    const ids = this.#wanted.filter((id) => again || !this.#known.has(id)).slice(0, BATCH);
    if (ids.length === 0) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const rows = await this.#load(ids, abort.signal);
      for (const row of rows) {
        this.#known.delete(row.id);
        this.#known.set(row.id, row);
      }
      for (const id of this.#known.keys()) {
        if (this.#known.size <= MOST) break;
        this.#known.delete(id);
      }
      this.#arrivals++;
    } catch (error) {
      // The captions stay empty; the next scroll or change asks again.
      if (isAbort(error)) return;
    }
  }
}
