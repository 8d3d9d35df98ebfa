/** What models still see of the foregrounds in contexts, and contexts that a person looked at and found fine. */
import type { Connection } from '../connection.ts';

export const version = 11;
export const name = 'leftover';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE leftover (
      runId INTEGER NOT NULL REFERENCES run,
      contextId INTEGER NOT NULL REFERENCES context,
      maskId INTEGER NOT NULL REFERENCES mask,
      whole REAL NOT NULL CHECK (whole BETWEEN 0 AND 1),
      probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
      base REAL NOT NULL CHECK (base BETWEEN 0 AND 1),
      answer TEXT NOT NULL,
      named INTEGER NOT NULL CHECK (named IN (0, 1)),
      createdAt TEXT NOT NULL,
      PRIMARY KEY (runId, contextId)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE leftoverFine (
      contextId INTEGER PRIMARY KEY REFERENCES context,
      maskId INTEGER NOT NULL REFERENCES mask,
      author TEXT NOT NULL,
      at TEXT NOT NULL
    ) STRICT;
  `);
}
