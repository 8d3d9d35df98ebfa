import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const EDIT = `INSERT INTO edit (kind, params, author, at, undoneAt, changes) VALUES ('exclude', '{}', 'ann', 'now', 'later', 1)`;

test('what was taken back before this version cannot be made again', () => {
  const connection = databaseAt(7);
  connection.execute(EDIT);
  migrateTo(connection, 8);
  assert.deepEqual(rows(connection, 'SELECT id, undoneAt, redoable FROM edit'), [
    { id: 1, undoneAt: 'later', redoable: 0 },
  ]);
  assert.throws(() => connection.execute('UPDATE edit SET redoable = 2'), /CHECK/);
  connection.close();
});
