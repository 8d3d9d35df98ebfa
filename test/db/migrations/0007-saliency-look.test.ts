import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const SALIENCY = `INSERT INTO saliency (imageId, modelHash, layer, runId, blob, width, height, probability, probabilityFrom,
  createdAt) VALUES (1, 'm', 'last', NULL, 'b', 8, 8, 0.5, 'on-line', 'now')`;

test('a map of before does not say how its picture was looked at, and no map says what is no JSON', () => {
  const connection = databaseAt(6);
  connection.execute('PRAGMA foreign_keys = OFF');
  connection.execute(SALIENCY);
  migrateTo(connection, 7);
  assert.deepEqual(rows(connection, 'SELECT imageId, look FROM saliency'), [{ imageId: 1, look: 'null' }]);
  assert.throws(() => connection.execute(`UPDATE saliency SET look = '{'`), /CHECK/);
  connection.close();
});
