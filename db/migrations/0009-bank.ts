/**
 * The bank: contexts can be retired and carry a note, and it is counted once which contexts the bank of a run held and an
 * export used. Events and steps are built anew, because what they may say is checked by their tables.
 */
import type { Connection } from '../connection.ts';

export const version = 9;
export const name = 'bank';

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE context ADD COLUMN retiredAt TEXT;
    ALTER TABLE context ADD COLUMN note TEXT NOT NULL DEFAULT '';

    CREATE TABLE newStep (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL
        CHECK (kind IN ('accept', 'reject', 'reset', 'remask', 'mask', 'restore', 'retire', 'reinstate')),
      author TEXT NOT NULL,
      at TEXT NOT NULL,
      undoneAt TEXT
    ) STRICT;
    INSERT INTO newStep SELECT id, kind, author, at, undoneAt FROM contextStep;
    DROP TABLE contextStep;
    ALTER TABLE newStep RENAME TO contextStep;

    CREATE TABLE newEvent (
      id INTEGER PRIMARY KEY,
      contextId INTEGER NOT NULL REFERENCES context,
      action TEXT NOT NULL
        CHECK (action IN ('created', 'accepted', 'rejected', 'undecided', 'mask', 'retired', 'reinstated')),
      maskId INTEGER NOT NULL REFERENCES mask,
      author TEXT NOT NULL,
      at TEXT NOT NULL,
      stepId INTEGER REFERENCES contextStep,
      oldState TEXT,
      oldMaskId INTEGER REFERENCES mask
    ) STRICT;
    INSERT INTO newEvent SELECT id, contextId, action, maskId, author, at, stepId, oldState, oldMaskId FROM contextEvent;
    DROP TABLE contextEvent;
    ALTER TABLE newEvent RENAME TO contextEvent;
    CREATE INDEX contextEventContext ON contextEvent (contextId);
    CREATE INDEX contextEventStep ON contextEvent (stepId) WHERE stepId IS NOT NULL;

    -- A bank or a finished export whose contexts have been counted.
    CREATE TABLE useTally (
      id INTEGER PRIMARY KEY,
      bankBlob TEXT UNIQUE,
      exportId INTEGER UNIQUE REFERENCES export,
      CHECK ((bankBlob IS NULL) <> (exportId IS NULL))
    ) STRICT;
    CREATE TABLE contextUse (
      contextId INTEGER NOT NULL REFERENCES context,
      tallyId INTEGER NOT NULL REFERENCES useTally,
      maskId INTEGER NOT NULL REFERENCES mask,
      -- Pictures of the export; null for a bank, which says what may be drawn, not how often it was.
      pictures INTEGER CHECK (pictures > 0),
      PRIMARY KEY (contextId, tallyId, maskId)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX runBank ON run (bankBlob) WHERE bankBlob IS NOT NULL;
  `);
}
