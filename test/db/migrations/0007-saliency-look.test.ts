import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const HASH = 'a'.repeat(64);

/** A saliency map with its image, in the shape of version 6. */
const MAP = `
  INSERT INTO source VALUES (1, 'folder', '/pictures', NULL, 'now', NULL);
  INSERT INTO class VALUES (1, 'bird', NULL);
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (1, 1, 'a', 1, 0, '${HASH}', 1, 1, 'png', 1, 1, 'ok');
  INSERT INTO saliency (imageId, modelHash, layer, runId, blob, width, height, probability, probabilityFrom, createdAt)
    VALUES (1, '${HASH}', 'last', NULL, '${HASH}', 8, 8, 0.5, 'on-line', 'now');
`;

test('a map of before does not say how its picture was looked at, and no map says what is no JSON', () => {
  const connection = databaseAt(6);
  connection.execute(MAP);
  migrateTo(connection, 7);
  assert.deepEqual(rows(connection, 'SELECT imageId, look FROM saliency'), [{ imageId: 1, look: 'null' }]);
  assert.throws(() => connection.execute(`UPDATE saliency SET look = '{'`), /CHECK/);
  connection.close();
});
