/**
 * Near-duplicates: the last look for them, the contents that it saw, and the links that join them. By content, so that an
 * edit or another scan of a source makes nothing wrong: what is not there any more joins nobody.
 */
import type { Connection } from '../connection.ts';

export const version = 14;
export const name = 'near-duplicates';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE nearScan (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      descriptor TEXT NOT NULL,
      floor REAL NOT NULL CHECK (floor BETWEEN 0 AND 1),
      threshold REAL NOT NULL CHECK (threshold BETWEEN floor AND 1),
      unreadable INTEGER NOT NULL CHECK (unreadable >= 0),
      seconds REAL NOT NULL CHECK (seconds >= 0),
      createdAt TEXT NOT NULL
    ) STRICT;

    CREATE TABLE nearPicture (
      id INTEGER PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64)
    ) STRICT;

    CREATE TABLE nearLink (
      a INTEGER NOT NULL REFERENCES nearPicture,
      b INTEGER NOT NULL REFERENCES nearPicture,
      cosine REAL NOT NULL CHECK (cosine BETWEEN -1 AND 1),
      PRIMARY KEY (a, b),
      CHECK (a < b)
    ) STRICT, WITHOUT ROWID;
  `);
}
