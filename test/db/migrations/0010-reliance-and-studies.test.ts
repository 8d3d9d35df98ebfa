import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const RUN = `INSERT INTO run (id, name, method, config, seed, state, createdAt, seconds, datasetHash, datasetBlob, engine,
  codeVersion, figures) VALUES (1, 'a', 'ce', '{}', 1, 'finished', 'now', 1, 'h', 'b', 'null', '1', 'null')`;
const STUDY = `INSERT INTO study (kind, params, createdAt) VALUES ('edits', '{}', 'now')`;

test('runs of before have no reliance and are in no study, and get some', () => {
  const connection = databaseAt(9);
  connection.execute(RUN);
  migrateTo(connection, 10);
  assert.deepEqual(rows(connection, 'SELECT * FROM reliance'), []);
  connection.execute(`INSERT INTO reliance VALUES (1, '{}', 'blob', 'now')`);
  connection.execute(STUDY);
  connection.execute(`INSERT INTO studyRun VALUES (1, 1, 'with', 3)`);
  assert.deepEqual(rows(connection, 'SELECT * FROM studyRun'), [{ studyId: 1, runId: 1, arm: 'with', seed: 3 }]);
  connection.close();
});

test('the tables refuse what no record can be', () => {
  const connection = databaseAt(10);
  connection.execute(RUN);
  connection.execute(STUDY);
  assert.throws(() => connection.execute(`INSERT INTO reliance VALUES (2, '{}', 'blob', 'now')`), /FOREIGN KEY/);
  assert.throws(() => connection.execute(`INSERT INTO reliance VALUES (1, '{', 'blob', 'now')`), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO study VALUES (NULL, 'luck', '{}', 'now')`), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO studyRun VALUES (1, 1, 'both', 3)`), /CHECK/);
  assert.throws(() => connection.execute(`INSERT INTO studyRun VALUES (2, 1, 'with', 3)`), /FOREIGN KEY/);
  connection.close();
});
