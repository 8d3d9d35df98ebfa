/**
 * How often each context was used is kept beside what used it, so that sorting by it reads one number a context. A bank counts
 * once for each run that has it; how many of them have been counted is noted with the bank, since runs come and go.
 */
import type { Connection } from '../connection.ts';

export const version = 13;
export const name = 'use-counts';

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE useTally ADD COLUMN runs INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0);
    UPDATE useTally SET runs = (SELECT count(*) FROM run WHERE run.bankBlob = useTally.bankBlob) WHERE bankBlob IS NOT NULL;

    CREATE TABLE useCount (
      contextId INTEGER PRIMARY KEY REFERENCES context,
      times INTEGER NOT NULL
    ) STRICT;
    INSERT INTO useCount (contextId, times)
      SELECT contextId, sum(times) FROM (
        SELECT contextId, runs AS times FROM contextUse JOIN useTally ON useTally.id = tallyId WHERE bankBlob IS NOT NULL
        UNION ALL
        SELECT contextId, count(DISTINCT tallyId) FROM contextUse JOIN useTally ON useTally.id = tallyId
          WHERE exportId IS NOT NULL GROUP BY contextId)
      GROUP BY contextId;
  `);
}
