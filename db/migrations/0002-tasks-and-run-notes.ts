/** Tasks that outlive the service, and what a person writes on runs. */
import type { Connection } from '../connection.ts';

export const version = 2;
export const name = 'tasks and run notes';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE task (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      title TEXT NOT NULL,
      params TEXT NOT NULL CHECK (json_valid(params)),
      command TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')),
      position REAL NOT NULL,
      attempts INTEGER NOT NULL CHECK (attempts >= 0),
      runId INTEGER REFERENCES run,
      error TEXT NOT NULL CHECK (json_valid(error)),
      result TEXT NOT NULL CHECK (json_valid(result)),
      createdAt TEXT NOT NULL,
      startedAt TEXT,
      endedAt TEXT
    ) STRICT;

    ALTER TABLE run ADD COLUMN notes TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags));
    ALTER TABLE run ADD COLUMN starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1));
    ALTER TABLE run ADD COLUMN trashedAt TEXT;
  `);
}
