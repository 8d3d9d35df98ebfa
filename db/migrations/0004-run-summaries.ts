/**
 * Figures without those of each class, which grow with the number of classes: what lists of runs and curves show. The
 * columns are computed by SQLite, and the indexes hold all that a list reads, so that it never touches the long rows.
 */
import type { Connection } from '../connection.ts';

export const version = 4;
export const name = 'run summaries';

const SUMMARY = `json_remove(figures, '$.bank.classes', '$.evaluation.heads.uniform.classes',
  '$.evaluation.heads.balanced.classes', '$.evaluation.heads.mean.classes')`;

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE run ADD COLUMN epochs INTEGER GENERATED ALWAYS AS (config ->> '$.epochs');
    ALTER TABLE run ADD COLUMN summary TEXT GENERATED ALWAYS AS (${SUMMARY});
    CREATE INDEX runListed ON run (id, name, method, seed, state, reason, createdAt, startedAt, endedAt, seconds,
      datasetHash, modelBlob, notes, tags, starred, trashedAt, epochs, summary);

    ALTER TABLE runEpoch ADD COLUMN summary TEXT GENERATED ALWAYS AS (${SUMMARY});
    CREATE INDEX runEpochSummary ON runEpoch (runId, epoch, summary);
  `);
}
