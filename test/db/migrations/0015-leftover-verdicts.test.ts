import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const CONTEXT = `
  INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now');
  INSERT INTO class (id, name) VALUES (1, 'cat');
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (1, 1, 'a.png', 1, 1, '${'a'.repeat(64)}', 8, 8, 'png', 1, 1, 'ok');
  INSERT INTO mask (id, imageId, origin, params, blob, width, height, area, author, createdAt)
    VALUES (1, 1, 'import', '{}', 'm', 8, 8, 0.5, 'ann', 'now');
  INSERT INTO context (id, imageId, maskId, state, probability, createdAt) VALUES (1, 1, 1, 'accepted', 1, 'now');
  INSERT INTO run (id, name, method, config, seed, state, seconds, datasetHash, datasetBlob, engine, codeVersion, figures,
      createdAt)
    VALUES (1, 'r', 'csa', '{}', 1, 'finished', 1, 'h', 'h', '{}', 'c', '{}', 'now');`;
const LEFTOVER = `
  INSERT INTO leftover (runId, contextId, maskId, whole, probability, base, answer, named, createdAt)
    VALUES (1, 1, 1, 0.9, 0.8, 0.1, 'cat', 1, 'now');`;

test('what was flagged before has no verdict yet', () => {
  const connection = databaseAt(14);
  connection.execute(CONTEXT + LEFTOVER);
  migrateTo(connection, 15);
  assert.deepEqual(rows(connection, 'SELECT probability, verdict, filled, grown, usual FROM leftover'), [
    { probability: 0.8, verdict: null, filled: null, grown: null, usual: null },
  ]);
  connection.execute("UPDATE leftover SET verdict = 'outline', filled = -1, grown = 1, usual = NULL");
  assert.throws(() => connection.execute("UPDATE leftover SET verdict = 'grass'"), /CHECK/);
  assert.throws(() => connection.execute('UPDATE leftover SET filled = 1.1'), /CHECK/);
  connection.close();
});
