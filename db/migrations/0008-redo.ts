/** An edit that was taken back says whether it can be made again: not once another one was made after it. */
import type { Connection } from '../connection.ts';

export const version = 8;
export const name = 'redo';

export function up(connection: Connection): void {
  connection.execute(`ALTER TABLE edit ADD COLUMN redoable INTEGER NOT NULL DEFAULT 0 CHECK (redoable IN (0, 1))`);
}
