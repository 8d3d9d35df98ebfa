import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

test('sizes and found splits of usable images are read from an index, without the images', () => {
  const connection = databaseAt(15);
  connection.execute(`
    INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now');
    INSERT INTO class (id, name) VALUES (1, 'cat');
    INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, foundSplit,
        excluded, state)
      SELECT value, 1, value || '.png', 1, 1, '${'a'.repeat(64)}', 8, 6, 'png', 1, 1, 'train', value % 2, 'ok'
      FROM json_each('[1,2,3,4,5,6,7,8,9]');`);
  migrateTo(connection, 16);
  const plan = (sql: string) => rows(connection, `EXPLAIN QUERY PLAN ${sql}`).map((row) => Object.values(row).at(-1));
  const usable = "state = 'ok' AND excluded = 0";
  assert.deepEqual(plan(`SELECT id FROM image WHERE foundSplit = 'val' AND ${usable} LIMIT 1`), [
    'SEARCH image USING COVERING INDEX imageUsable (foundSplit=?)',
  ]);
  const sizes = `SELECT width, height, count(*) AS count FROM image WHERE ${usable} GROUP BY foundSplit, split, width, height`;
  assert.deepEqual(plan(sizes), ['SCAN image USING INDEX imageUsable']);
  assert.deepEqual(rows(connection, sizes), [{ width: 8, height: 6, count: 4 }]);
  connection.close();
});
