/** Context reliance of runs, and studies: runs that were made together to answer a question. */
import type { Connection } from '../connection.ts';

export const version = 10;
export const name = 'reliance and studies';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE reliance (
      runId INTEGER PRIMARY KEY REFERENCES run,
      figures TEXT NOT NULL CHECK (json_valid(figures)),
      blob TEXT NOT NULL,
      createdAt TEXT NOT NULL
    ) STRICT;
    CREATE INDEX relianceBlob ON reliance (blob);

    CREATE TABLE study (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL CHECK (kind IN ('edits')),
      params TEXT NOT NULL CHECK (json_valid(params)),
      createdAt TEXT NOT NULL
    ) STRICT;
    CREATE TABLE studyRun (
      studyId INTEGER NOT NULL REFERENCES study,
      runId INTEGER NOT NULL REFERENCES run,
      arm TEXT NOT NULL CHECK (arm IN ('without', 'with')),
      seed INTEGER NOT NULL,
      PRIMARY KEY (studyId, runId)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX studyRunByRun ON studyRun (runId);
  `);
}
