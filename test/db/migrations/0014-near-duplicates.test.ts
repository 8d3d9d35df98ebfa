import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const SCAN = `INSERT INTO nearScan VALUES (1, 'pixels', 0.7, 0.8, 0, 1.5, 'now')`;
const PICTURES = `INSERT INTO nearPicture VALUES (1, '${'a'.repeat(64)}'), (2, '${'b'.repeat(64)}')`;
const LINK = 'INSERT INTO nearLink VALUES (1, 2, 0.9)';

test('nobody has looked for near-duplicates before', () => {
  const connection = databaseAt(13);
  migrateTo(connection, 14);
  assert.deepEqual(rows(connection, 'SELECT * FROM nearScan'), []);
  for (const sql of [SCAN, PICTURES, LINK]) connection.execute(sql);
  assert.deepEqual(rows(connection, 'SELECT a, b, cosine FROM nearLink'), [{ a: 1, b: 2, cosine: 0.9 }]);
  connection.close();
});

test('the tables refuse what no record can be', () => {
  const connection = databaseAt(14);
  connection.execute(SCAN);
  assert.throws(() => connection.execute(SCAN), /UNIQUE/);
  assert.throws(() => connection.execute('UPDATE nearScan SET threshold = 0.6'), /CHECK/);
  assert.throws(() => connection.execute(LINK), /FOREIGN KEY/);
  connection.execute(PICTURES);
  assert.throws(() => connection.execute(LINK.replace('1, 2', '2, 1')), /CHECK/);
  connection.execute(LINK);
  assert.throws(() => connection.execute(LINK), /UNIQUE/);
  connection.close();
});
