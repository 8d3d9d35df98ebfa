/** What is asked of all usable images whenever a run is planned or a split shown is answered from an index alone. */
import type { Connection } from '../connection.ts';

export const version = 16;
export const name = 'usable-images';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE INDEX imageUsable ON image (foundSplit, split, width, height) WHERE state = 'ok' AND excluded = 0;
  `);
}
