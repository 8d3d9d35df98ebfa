/** One open SQLite file: prepared statements, transactions, and errors that a user can understand. */
import Database from 'better-sqlite3';
import type { Json } from '../core/base/json.ts';
import { sqliteError } from './sqlite-errors.ts';

/** Seconds are lost, not won, by waiting longer: who holds a project holds it for minutes. */
const BUSY_TIMEOUT_MS = 1000;

/** A prepared statement. `Params` are the values of its `?`, or one object for its `@names`. */
export interface Query<Params extends unknown[], Row> {
  get(...params: Params): Row | undefined;
  all(...params: Params): Row[];
  /** Returns the number of rows that were written. */
  run(...params: Params): number;
  /** Change the one row that the values name. @throws Error when there is no such row */
  change(...params: Params): void;
  /** Insert a row; returns its id. */
  insert(...params: Params): number;
}

/**
 * A connection. Every call throws `UserError` 'no-space', 'no-permission', 'damaged', 'locked', 'unreadable' or 'memory'
 * where the cause lies outside the program (see `sqlite-errors.ts`).
 */
export class Connection {
  readonly file: string;
  readonly #database: Database.Database;
  #rollbacks = 0;

  /** Open an SQLite file that exists, or make an empty one. */
  constructor(file: string, options: { create?: boolean } = {}) {
    this.file = file;
    this.#database = this.#translated(
      () => new Database(file, { fileMustExist: !options.create, timeout: BUSY_TIMEOUT_MS }),
    );
  }

  /**
   * Prepare a statement; the caller keeps it. A statement with RETURNING must be run with `all`, never `get`: outside a
   * transaction, `get` stops at the first row, and a failure to commit would go unseen.
   */
  prepare<Params extends unknown[], Row = never>(sql: string): Query<Params, Row> {
    const statement = this.#translated(() => this.#database.prepare<unknown[], Row>(sql));
    return {
      get: (...params) => this.#translated(() => statement.get(...params)),
      all: (...params) => this.#translated(() => statement.all(...params)),
      run: (...params) => this.#translated(() => statement.run(...params).changes),
      change: (...params) => {
        const { changes } = this.#translated(() => statement.run(...params));
        if (changes === 0) throw new Error(`no such row for ${sql} with ${JSON.stringify(params)}`);
      },
      insert: (...params) => this.#translated(() => Number(statement.run(...params).lastInsertRowid)),
    };
  }

  /** Prepare a statement that gives one column; calling it returns the values, which is far cheaper than rows. */
  column<Value>(sql: string): (...params: unknown[]) => Value[] {
    const statement = this.#translated(() => this.#database.prepare<unknown[], Value>(sql).pluck());
    return (...params) => this.#translated(() => statement.all(...params));
  }

  /** Run statements that have no values and give no rows. */
  execute(sql: string): void {
    this.#translated(() => this.#database.exec(sql));
  }

  /** Set a pragma. To read one, prepare `PRAGMA name`. */
  pragma(text: string): void {
    this.#translated(() => this.#database.pragma(text));
  }

  /** Run `work` so that all of its writes last or none. May be nested; the inner one can fail alone. */
  transaction<T>(work: () => T): T {
    try {
      return this.#translated(() => this.#database.transaction(work)());
    } catch (error) {
      this.#rollbacks++;
      throw error;
    }
  }

  /** Transactions that were taken back since the file was opened, nested ones too. */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** May be called twice. */
  close(): void {
    this.#database.close();
  }

  #translated<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, this.file);
    }
  }
}

/** A statement that writes a row from an object: `INSERT INTO table (a, b) VALUES (@a, @b)`, from columns `a, b`. */
export function insertInto(table: string, columns: string, verb: 'INSERT' | 'REPLACE' = 'INSERT'): string {
  return `${verb} INTO ${table} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '@$&')})`;
}

/** The pattern of `LIKE … ESCAPE '\\'` for texts that hold this one. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

/** `T` as its row: the fields `K` are JSON text. */
export type JsonRow<T, K extends keyof T> = Omit<T, K> & Record<K, string>;

/** The value of a column that holds JSON text. */
export function fromJson(text: string): Json {
  return JSON.parse(text);
}

/**
 * A function that sets some fields of one row; fields that are undefined stay.
 * @param columns that may be set, as `a, b`
 * @param jsonColumns those of them that hold JSON text
 */
export function updateOf(
  connection: Connection,
  table: string,
  columns: string,
  jsonColumns: readonly string[],
): (id: number, fields: object) => void {
  const allowed: string[] = columns.match(/\w+/g) ?? [];
  return (id, fields) => {
    const given = Object.entries(fields).filter(([column, value]) => allowed.includes(column) && value !== undefined);
    if (given.length === 0) return;
    const values = given.map(([column, value]) => [
      column,
      jsonColumns.includes(column) ? JSON.stringify(value) : value,
    ]);
    const assignments = given.map(([column]) => `${column} = @${column}`).join(', ');
    connection
      .prepare<[object]>(`UPDATE ${table} SET ${assignments} WHERE id = @id`)
      .change({ ...Object.fromEntries(values), id });
  };
}
