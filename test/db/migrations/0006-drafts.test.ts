import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../../db/connection.ts';
import { databaseAt, migrateTo, rows } from './harness.ts';

const HASH = 'a'.repeat(64);

/** A context with its mask and saliency, in the shape of version 5. */
function addContext(connection: Connection): void {
  connection.execute(`
    INSERT INTO source VALUES (1, 'folder', '/pictures', NULL, 'now', NULL);
    INSERT INTO class VALUES (1, 'bird', NULL);
    INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
      VALUES (1, 1, 'a', 1, 0, '${HASH}', 1, 1, 'png', 1, 1, 'ok');
    INSERT INTO saliency VALUES (1, 1, '${HASH}', 'last', NULL, '${HASH}', 8, 8, 0.5, 'on-line', 'now');
    INSERT INTO mask VALUES (1, 1, NULL, 'soft', 1, 'null', '${HASH}', 1, 1, 0.5, 'ann', 'now');
    INSERT INTO context VALUES (1, 1, 1, 'accepted', 0.5, 'now');
  `);
}

const stroke = (fields: { context?: number; width?: number; undone?: number; mask?: number | null }): string => {
  const { context = 1, width = 2, undone = 0, mask = null } = fields;
  return `INSERT INTO stroke (contextId, tool, params, x, y, width, height, pixelsBefore, pixelsAfter, bytes, undone, maskId,
    author, at) VALUES (${context}, 'brush', '{}', 0, 0, ${width}, 1, x'00', x'01', 2, ${undone}, ${mask}, 'ann', 'now')`;
};

test('masks of before have never been painted on, and the doubt of their saliency is not known', () => {
  const connection = databaseAt(5);
  addContext(connection);
  migrateTo(connection, 6);
  assert.deepEqual(rows(connection, 'SELECT id, maskId, state, revision FROM context'), [
    { id: 1, maskId: 1, state: 'accepted', revision: 0 },
  ]);
  assert.deepEqual(rows(connection, 'SELECT id, probability, doubt FROM saliency'), [
    { id: 1, probability: 0.5, doubt: null },
  ]);
  connection.execute(stroke({}));
  connection.execute(`INSERT INTO draftTile VALUES (1, 0, x'00')`);
  assert.deepEqual(rows(connection, 'SELECT id, contextId, undone, maskId FROM stroke'), [
    { id: 1, contextId: 1, undone: 0, maskId: null },
  ]);
  connection.close();
});

test('strokes, tiles and doubts refuse what no record can be', () => {
  const connection = databaseAt(5);
  addContext(connection);
  migrateTo(connection, 6);
  assert.throws(() => connection.execute(stroke({ context: 2 })), /FOREIGN KEY/);
  assert.throws(() => connection.execute(stroke({ mask: 7 })), /FOREIGN KEY/);
  assert.throws(() => connection.execute(stroke({ width: 0 })), /CHECK/);
  assert.throws(() => connection.execute(stroke({ undone: 2 })), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO draftTile VALUES (1, -1, x'00')`), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO draftTile VALUES (2, 0, x'00')`), /FOREIGN KEY/);
  assert.throws(() => connection.execute('UPDATE saliency SET doubt = 1.5'), /CHECK/);
  connection.close();
});
