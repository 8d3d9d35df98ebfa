import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const hash = 'a'.repeat(64);
const IMAGE = `
  INSERT INTO source (id, kind, path, addedAt) VALUES (1, 'folder', '/a', 'now');
  INSERT INTO class (id, name) VALUES (1, 'cat');
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (1, 1, 'a.png', 1, 1, '${hash}', 8, 8, 'png', 1, 1, 'ok');`;
const EXPORT = `
  INSERT INTO export (id, path, recipe, state, datasetHash, images, createdAt)
    VALUES (1, '/out', '{}', 'finished', 'h', 1, 'now');
  INSERT INTO exportItem (exportId, file, imageId, contextId, maskId, lambda) VALUES (1, 'a.png', 1, NULL, NULL, NULL);`;
const FOLDER = `INSERT INTO backgroundFolder (id, path) VALUES (1, '/empty');`;
const background = (id: number, path: string, content: string, width = 8): string => `
  INSERT INTO background (id, folderId, path, size, mtimeMs, hash, width, height, format, orientation, author, addedAt)
    VALUES (${id}, 1, '${path}', 1, 1, '${content.repeat(64)}', ${width}, 8, 'jpeg', 1, 'ann', 'now');`;

test('exports of before lie on no plain background', () => {
  const connection = databaseAt(11);
  connection.execute(IMAGE + EXPORT);
  migrateTo(connection, 12);
  assert.deepEqual(rows(connection, 'SELECT file, imageId, backgroundId FROM exportItem'), [
    { file: 'a.png', imageId: 1, backgroundId: null },
  ]);
  connection.execute(FOLDER + background(1, 'road.jpg', 'b'));
  assert.deepEqual(rows(connection, 'SELECT note, retiredAt FROM background'), [{ note: '', retiredAt: null }]);
  assert.deepEqual(rows(connection, 'SELECT count(*) AS images FROM image'), [{ images: 1 }]);
  connection.close();
});

test('the tables refuse what no record can be', () => {
  const connection = databaseAt(12);
  assert.throws(() => connection.execute(background(1, 'road.jpg', 'b')), /FOREIGN KEY/);
  connection.execute(FOLDER + background(1, 'road.jpg', 'b'));
  assert.throws(() => connection.execute(background(2, 'other.jpg', 'b')), /UNIQUE/, 'one content is one background');
  assert.throws(() => connection.execute(background(2, 'road.jpg', 'c')), /UNIQUE/, 'one file is one background');
  assert.throws(() => connection.execute(background(2, 'other.jpg', 'c', 0)), /CHECK/);
  assert.throws(() => connection.execute('INSERT INTO backgroundUse VALUES (1, 1, NULL)'), /FOREIGN KEY/);
  connection.close();
});
