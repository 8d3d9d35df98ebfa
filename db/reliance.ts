/** Context reliance of runs. */
import type { RelianceTable } from '../core/storage/project-store.ts';
import type { Reliance } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';

type RelianceRow = JsonRow<Reliance, 'figures'>;

export function relianceTable(connection: Connection): RelianceTable {
  const put = connection.prepare<[RelianceRow]>(insertInto('reliance', 'runId, figures, blob, createdAt', 'REPLACE'));
  const ofRun = connection.prepare<[number], RelianceRow>('SELECT * FROM reliance WHERE runId = ?');
  return {
    put: (reliance) => void put.run({ ...reliance, figures: JSON.stringify(reliance.figures) }),
    ofRun: (runId) => {
      const row = ofRun.get(runId);
      return row && { ...row, figures: fromJson(row.figures) };
    },
  };
}
