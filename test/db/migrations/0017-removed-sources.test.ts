import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

test('sources of before are in the project, and their images in the states that they had', () => {
  const connection = databaseAt(16);
  connection.execute(`
    INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now'), (2, 'zip', '/b.zip', 'now');
    INSERT INTO class (id, name) VALUES (1, 'cat');
    INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
      SELECT value, 1, value || '.png', 1, 1, '${'a'.repeat(64)}', 8, 6, 'png', 1, 1,
        CASE value WHEN 1 THEN 'ok' WHEN 2 THEN 'missing' ELSE 'changed' END FROM json_each('[1,2,3]');`);
  migrateTo(connection, 17);
  assert.deepEqual(rows(connection, 'SELECT id, path, removedAt FROM source'), [
    { id: 1, path: '/a', removedAt: null },
    { id: 2, path: '/b.zip', removedAt: null },
  ]);
  assert.deepEqual(rows(connection, 'SELECT id, state FROM image ORDER BY id'), [
    { id: 1, state: 'ok' },
    { id: 2, state: 'missing' },
    { id: 3, state: 'changed' },
  ]);
  connection.execute(
    `UPDATE source SET removedAt = 'later' WHERE id = 1; INSERT INTO removedImage VALUES (2, 'missing');`,
  );
  assert.throws(() => connection.execute(`INSERT INTO removedImage VALUES (1, 'gone')`), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO removedImage VALUES (9, 'ok')`), /FOREIGN KEY/);
  connection.close();
});
