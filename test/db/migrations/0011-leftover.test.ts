import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const PARTS = `
  INSERT INTO run (id, name, method, config, seed, state, createdAt, seconds, datasetHash, datasetBlob, engine,
    codeVersion, figures) VALUES (1, 'a', 'ce', '{}', 1, 'finished', 'now', 1, 'h', 'b', 'null', '1', 'null');
  INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now');
  INSERT INTO class (id, name) VALUES (1, 'cat');
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (1, 1, 'a.png', 1, 1, '${'a'.repeat(64)}', 8, 8, 'png', 1, 1, 'ok');
  INSERT INTO mask (id, imageId, origin, params, blob, width, height, area, author, createdAt)
    VALUES (1, 1, 'soft', 'null', '${'b'.repeat(64)}', 8, 8, 0.5, 'ann', 'now');
  INSERT INTO context (id, imageId, maskId, state, probability, createdAt) VALUES (1, 1, 1, 'accepted', 0.9, 'now');`;
const CHECK = `INSERT INTO leftover VALUES (1, 1, 1, 0.9, 0.5, 0.1, 'cat', 1, 'now')`;
const FINE = `INSERT INTO leftoverFine VALUES (1, 1, 'ann', 'now')`;

test('contexts of before have not been checked, and are', () => {
  const connection = databaseAt(10);
  connection.execute(PARTS);
  migrateTo(connection, 11);
  assert.deepEqual(rows(connection, 'SELECT * FROM leftover'), []);
  connection.execute(CHECK);
  connection.execute(FINE);
  assert.deepEqual(rows(connection, 'SELECT contextId, probability FROM leftover'), [
    { contextId: 1, probability: 0.5 },
  ]);
  connection.close();
});

test('the tables refuse what no record can be', () => {
  const connection = databaseAt(11);
  assert.throws(() => connection.execute(CHECK), /FOREIGN KEY/);
  assert.throws(() => connection.execute(FINE), /FOREIGN KEY/);
  connection.execute(PARTS);
  connection.execute(CHECK);
  assert.throws(() => connection.execute(CHECK), /UNIQUE/);
  assert.throws(() => connection.execute(CHECK.replace('0.5', '1.5')), /CHECK/);
  assert.throws(() => connection.execute(CHECK.replace("1, 'now'", "2, 'now'")), /CHECK/);
  connection.close();
});
