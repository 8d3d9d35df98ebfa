import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const RUN = `INSERT INTO run VALUES (1, 'a', 'ce', '{}', 1, 'finished', NULL, 'now', NULL, NULL, 1, 'h', 'b', NULL, NULL,
  'null', '1', NULL, NULL, 'null')`;

test('runs of before have no notes, no tags, no star and are not thrown away', () => {
  const connection = databaseAt(1);
  connection.execute(RUN);
  migrateTo(connection, 2);
  assert.deepEqual(rows(connection, 'SELECT id, name, notes, tags, starred, trashedAt FROM run'), [
    { id: 1, name: 'a', notes: '', tags: '[]', starred: 0, trashedAt: null },
  ]);
  connection.close();
});

const task = (fields: string): string => `INSERT INTO task VALUES (${fields})`;

test('the new columns and the table of tasks refuse what no record can be', () => {
  const connection = databaseAt(1);
  connection.execute(RUN);
  migrateTo(connection, 2);
  const good = `'import', 'x', '{}', 'contexture import x'`;
  connection.execute(task(`1, ${good}, 'queued', 1, 0, NULL, 'null', 'null', 'now', NULL, NULL`));
  const refused: Record<string, string> = {
    'a state of another name': `UPDATE task SET state = 'waiting'`,
    'parameters that are no JSON': `UPDATE task SET params = 'x'`,
    'less than no attempts': `UPDATE task SET attempts = -1`,
    'a task of no run': `UPDATE task SET runId = 99`,
    'tags that are no JSON': `UPDATE run SET tags = 'paper'`,
    'half a star': 'UPDATE run SET starred = 2',
  };
  for (const [what, sql] of Object.entries(refused)) assert.throws(() => connection.execute(sql), Error, what);
  connection.close();
});
