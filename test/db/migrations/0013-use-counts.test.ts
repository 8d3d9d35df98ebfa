import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const contextOf = (id: number): string => `
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (${id}, 1, '${id}.png', 1, 1, '${String(id).repeat(64)}', 8, 8, 'png', 1, 1, 'ok');
  INSERT INTO mask (id, imageId, origin, params, blob, width, height, area, author, createdAt)
    VALUES (${id}, ${id}, 'import', '{}', 'm', 8, 8, 0.5, 'ann', 'now');
  INSERT INTO context (id, imageId, maskId, state, probability, createdAt) VALUES (${id}, ${id}, ${id}, 'accepted', 1, 'now');`;
const runWith = (id: number, bank: string | null): string => `
  INSERT INTO run (id, name, method, config, seed, state, seconds, datasetHash, datasetBlob, engine, codeVersion, figures, createdAt,
      bankBlob)
    VALUES (${id}, 'r', 'csa', '{}', 1, 'finished', 1, 'h', 'h', '{}', 'c', '{}', 'now', ${bank === null ? 'NULL' : `'${bank}'`});`;

test('uses of before are counted: a bank for each run that has it, an export once whatever its masks', () => {
  const connection = databaseAt(12);
  connection.execute(`
    INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now');
    INSERT INTO class (id, name) VALUES (1, 'cat');
    ${[1, 2, 3, 4].map(contextOf).join('')}
    ${runWith(1, 'one')} ${runWith(2, 'one')} ${runWith(3, 'two')} ${runWith(4, null)}
    INSERT INTO export (id, path, recipe, state, datasetHash, manifestHash, images, createdAt)
      VALUES (1, '/out', '{}', 'finished', 'h', 'm', 2, 'now');
    INSERT INTO useTally (id, bankBlob, exportId) VALUES (1, 'one', NULL), (2, 'two', NULL), (3, NULL, 1), (4, 'gone', NULL);
    INSERT INTO contextUse (contextId, tallyId, maskId, pictures)
      VALUES (1, 1, 1, NULL), (2, 1, 2, NULL), (2, 2, 2, NULL), (2, 3, 2, 5), (2, 3, 1, 1), (3, 4, 3, NULL);`);
  migrateTo(connection, 13);
  assert.deepEqual(rows(connection, 'SELECT id, runs FROM useTally ORDER BY id'), [
    { id: 1, runs: 2 },
    { id: 2, runs: 1 },
    { id: 3, runs: 0 },
    { id: 4, runs: 0 },
  ]);
  assert.deepEqual(rows(connection, 'SELECT contextId, times FROM useCount ORDER BY contextId'), [
    { contextId: 1, times: 2 },
    { contextId: 2, times: 4 },
    { contextId: 3, times: 0 },
  ]);
  connection.close();
});
