import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const RUN = `INSERT INTO run (id, name, method, config, seed, state, createdAt, seconds, datasetHash, datasetBlob, engine,
  codeVersion, figures) VALUES (1, 'a', 'ce', '{}', 1, 'finished', 'now', 1, 'h', 'b', 'null', '1', 'null')`;

const variant = (fields: { run?: number; name?: string; head?: string; kind?: string }): string => {
  const { run = 1, name = 'tail', head = 'mean', kind = 'tau-norm' } = fields;
  return `INSERT INTO variant VALUES (NULL, ${run}, '${name}', '${head}', '${kind}', 0.5, 'group', '{}', '{}', 'blob', 'now')`;
};

test('runs of before have no variants, and get some', () => {
  const connection = databaseAt(4);
  connection.execute(RUN);
  migrateTo(connection, 5);
  assert.deepEqual(rows(connection, 'SELECT * FROM variant'), []);
  connection.execute(variant({}));
  connection.execute(variant({ name: 'head' }));
  assert.deepEqual(rows(connection, 'SELECT id, runId, name, tau FROM variant'), [
    { id: 1, runId: 1, name: 'tail', tau: 0.5 },
    { id: 2, runId: 1, name: 'head', tau: 0.5 },
  ]);
  connection.close();
});

test('the table of variants refuses what no record can be', () => {
  const connection = databaseAt(5);
  connection.execute(RUN);
  connection.execute(variant({}));
  assert.throws(() => connection.execute(variant({})), /UNIQUE/);
  assert.throws(() => connection.execute(variant({ name: 'b', head: 'third' })), /CHECK/);
  assert.throws(() => connection.execute(variant({ name: 'b', kind: 'guess' })), /CHECK/);
  assert.throws(() => connection.execute(variant({ name: 'b', run: 2 })), /FOREIGN KEY/);
  connection.close();
});
