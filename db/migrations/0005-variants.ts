/** Variants: finished runs with a changed head, each with a model file of its own. */
import type { Connection } from '../connection.ts';

export const version = 5;
export const name = 'variants';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE variant (
      id INTEGER PRIMARY KEY,
      runId INTEGER NOT NULL REFERENCES run,
      name TEXT NOT NULL,
      head TEXT NOT NULL CHECK (head IN ('uniform', 'balanced', 'mean')),
      kind TEXT NOT NULL CHECK (kind IN ('logit-adjustment', 'tau-norm')),
      tau REAL NOT NULL,
      calibration TEXT NOT NULL CHECK (calibration IN ('none', 'overall', 'group')),
      temperatures TEXT NOT NULL CHECK (json_valid(temperatures)),
      figures TEXT NOT NULL CHECK (json_valid(figures)),
      blob TEXT NOT NULL,
      createdAt TEXT NOT NULL,
      UNIQUE (runId, name)
    ) STRICT;
    CREATE INDEX variantBlob ON variant (blob);
  `);
}
