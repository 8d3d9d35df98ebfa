/** Why a model still names the class of a context: what was found by looking at it in more ways. Unknown of what was flagged before. */
import type { Connection } from '../connection.ts';

export const version = 15;
export const name = 'leftover-verdicts';

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE leftover ADD COLUMN verdict TEXT CHECK (verdict IN ('leftover', 'usual-background', 'outline'));
    ALTER TABLE leftover ADD COLUMN filled REAL CHECK (filled BETWEEN -1 AND 1);
    ALTER TABLE leftover ADD COLUMN grown REAL CHECK (grown BETWEEN -1 AND 1);
    ALTER TABLE leftover ADD COLUMN usual REAL CHECK (usual BETWEEN -1 AND 1);
  `);
}
