import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const HASH = 'a'.repeat(64);

test('events of before belong to no step', () => {
  const connection = databaseAt(2);
  connection.execute(`
    INSERT INTO source VALUES (1, 'folder', '/pictures', NULL, 'now', NULL);
    INSERT INTO class VALUES (1, 'bird', NULL);
    INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
      VALUES (1, 1, 'a', 1, 0, '${HASH}', 1, 1, 'png', 1, 1, 'ok');
    INSERT INTO mask VALUES (1, 1, NULL, 'soft', NULL, 'null', '${HASH}', 1, 1, 0.5, 'ann', 'now');
    INSERT INTO context VALUES (1, 1, 1, 'accepted', 0.5, 'now');
    INSERT INTO contextEvent VALUES (1, 1, 'created', 1, 'ann', 'now'), (2, 1, 'accepted', 1, 'ann', 'now');
  `);
  migrateTo(connection, 3);
  assert.deepEqual(rows(connection, 'SELECT id, action, stepId, oldState, oldMaskId FROM contextEvent'), [
    { id: 1, action: 'created', stepId: null, oldState: null, oldMaskId: null },
    { id: 2, action: 'accepted', stepId: null, oldState: null, oldMaskId: null },
  ]);
  assert.deepEqual(rows(connection, 'SELECT * FROM contextStep'), []);
  connection.close();
});

const step = (kind: string): string => `INSERT INTO contextStep VALUES (NULL, '${kind}', 'ann', 'now', NULL)`;

test('the new columns and the table of steps refuse what no record can be', () => {
  const connection = databaseAt(3);
  connection.execute(step('accept'));
  assert.throws(() => connection.execute(step('dance')), /CHECK/);
  assert.throws(
    () =>
      connection.execute(
        `INSERT INTO contextEvent (contextId, action, maskId, author, at) VALUES (9, 'mask', 9, '', '')`,
      ),
    /FOREIGN KEY/,
  );
  connection.close();
});
