/**
 * Sources that a person took out of the project. Their images go out of use like those that are gone, and what each was
 * before is kept, so that a source comes back as it went.
 */
import type { Connection } from '../connection.ts';

export const version = 17;
export const name = 'removed-sources';

export function up(connection: Connection): void {
  connection.execute(`
    ALTER TABLE source ADD COLUMN removedAt TEXT;
    CREATE TABLE removedImage (
      imageId INTEGER PRIMARY KEY REFERENCES image,
      state TEXT NOT NULL CHECK (state IN ('ok', 'missing', 'changed'))
    ) STRICT;
  `);
}
