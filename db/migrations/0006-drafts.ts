/**
 * Painting on masks: strokes that can be taken back, and the parts of masks that no version shows yet. A mask counts its
 * changes, so that nobody paints over what he has not seen; a saliency map remembers how undecided it is.
 */
import type { Connection } from '../connection.ts';

export const version = 6;
export const name = 'drafts';

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE context ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE saliency ADD COLUMN doubt REAL CHECK (doubt BETWEEN 0 AND 1);

    -- Of the mask as it is painted, where that differs from the mask in force: tiles by rows, deflated 8-bit values.
    CREATE TABLE draftTile (
      contextId INTEGER NOT NULL REFERENCES context,
      tile INTEGER NOT NULL CHECK (tile >= 0),
      pixels BLOB NOT NULL,
      PRIMARY KEY (contextId, tile)
    ) STRICT;

    CREATE TABLE stroke (
      id INTEGER PRIMARY KEY,
      contextId INTEGER NOT NULL REFERENCES context,
      tool TEXT NOT NULL,
      params TEXT NOT NULL CHECK (json_valid(params)),
      x INTEGER NOT NULL CHECK (x >= 0),
      y INTEGER NOT NULL CHECK (y >= 0),
      width INTEGER NOT NULL CHECK (width > 0),
      height INTEGER NOT NULL CHECK (height > 0),
      -- Deflated 8-bit values of the rectangle; null when they were given up, so that it cannot be taken back any more.
      pixelsBefore BLOB,
      pixelsAfter BLOB,
      bytes INTEGER NOT NULL,
      undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
      -- The mask version that shows it.
      maskId INTEGER REFERENCES mask,
      author TEXT NOT NULL,
      at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX strokeContext ON stroke (contextId, id, bytes, undone, maskId);
  `);
}
