/**
 * Plain backgrounds: pictures that a person adds to the bank, of no class and in no split. They have tables of their own,
 * so that nothing that reads images can meet one.
 */
import type { Connection } from '../connection.ts';

export const version = 12;
export const name = 'backgrounds';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE backgroundFolder (
      id INTEGER PRIMARY KEY,
      path TEXT NOT NULL UNIQUE,
      relativePath TEXT
    ) STRICT;

    CREATE TABLE background (
      id INTEGER PRIMARY KEY,
      folderId INTEGER NOT NULL REFERENCES backgroundFolder,
      path TEXT NOT NULL,
      pathBytes BLOB,
      size INTEGER NOT NULL CHECK (size >= 0),
      mtimeMs REAL NOT NULL,
      hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
      width INTEGER NOT NULL CHECK (width > 0),
      height INTEGER NOT NULL CHECK (height > 0),
      format TEXT NOT NULL,
      orientation INTEGER NOT NULL CHECK (orientation BETWEEN 1 AND 8),
      author TEXT NOT NULL,
      addedAt TEXT NOT NULL,
      retiredAt TEXT,
      note TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE UNIQUE INDEX backgroundPath ON background (folderId, path, ifnull(pathBytes, x''));

    ALTER TABLE exportItem ADD COLUMN backgroundId INTEGER REFERENCES background;

    -- As contextUse.
    CREATE TABLE backgroundUse (
      backgroundId INTEGER NOT NULL REFERENCES background,
      tallyId INTEGER NOT NULL REFERENCES useTally,
      pictures INTEGER CHECK (pictures > 0),
      PRIMARY KEY (backgroundId, tallyId)
    ) STRICT, WITHOUT ROWID;
  `);
}
