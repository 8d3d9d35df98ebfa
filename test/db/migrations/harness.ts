/**
 * For the test of one migration: a database of the version before, into which the test writes rows in the old shape, and
 * the step itself, as the program runs it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Connection } from '../../../db/connection.ts';
import { migrate } from '../../../db/migrate.ts';
import { migrations } from '../../../db/migrations/index.ts';
import { temporaryFolder } from '../../fixtures/temporary.ts';

/** A database as the first `version` migrations make it; 0 gives an empty one. */
export function databaseAt(version: number): Connection {
  const connection = new Connection(join(temporaryFolder(), 'old.contexture'), { create: true });
  assert.equal(migrate(connection, migrations.slice(0, version), null).to, version);
  return connection;
}

/** Run migration `version` on a database of the version before, with its backup; returns the backup's path. */
export function migrateTo(connection: Connection, version: number): string {
  const folder = join(temporaryFolder(), 'backup');
  const { from, to, steps, error } = migrate(connection, migrations.slice(0, version), folder);
  if (error !== undefined) throw error;
  assert.deepEqual([from, to], [version - 1, version]);
  return steps[0].backup!;
}

/** All rows of a statement. */
export function rows(connection: Connection, sql: string): object[] {
  return connection.prepare<[], object>(sql).all();
}
