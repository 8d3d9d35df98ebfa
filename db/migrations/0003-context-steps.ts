/** Steps over contexts: what a person did at once, to one context or to thousands, so that it can be taken back at once. */
import type { Connection } from '../connection.ts';

export const version = 3;
export const name = 'context steps';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE contextStep (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('accept', 'reject', 'reset', 'remask', 'mask', 'restore')),
      author TEXT NOT NULL,
      at TEXT NOT NULL,
      undoneAt TEXT
    ) STRICT;

    -- What the context was before the event; null for events that belong to no step.
    ALTER TABLE contextEvent ADD COLUMN stepId INTEGER REFERENCES contextStep;
    ALTER TABLE contextEvent ADD COLUMN oldState TEXT;
    ALTER TABLE contextEvent ADD COLUMN oldMaskId INTEGER REFERENCES mask;
    CREATE INDEX contextEventStep ON contextEvent (stepId) WHERE stepId IS NOT NULL;
    CREATE INDEX contextMask ON context (maskId);
  `);
}
