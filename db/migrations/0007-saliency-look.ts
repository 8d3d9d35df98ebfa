/** A saliency map says how its picture was looked at: at which sizes, and whether its mirror image too. */
import type { Connection } from '../connection.ts';

export const version = 7;
export const name = 'saliency look';

export function up(connection: Connection): void {
  connection.execute(`ALTER TABLE saliency ADD COLUMN look TEXT NOT NULL DEFAULT 'null' CHECK (json_valid(look))`);
}
