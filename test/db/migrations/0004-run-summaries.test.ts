import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const FIGURES = `'{"bank":{"count":2,"classes":[1,1]},"evaluation":{"heads":{"uniform":{"top1":1,"classes":[1]},"balanced":null,"mean":null}}}'`;
const SUMMARY = { bank: { count: 2 }, evaluation: { heads: { uniform: { top1: 1 }, balanced: null, mean: null } } };

const run = (id: number, config: string, figures: string): string =>
  `INSERT INTO run VALUES (${id}, 'a', 'ce', '${config}', 1, 'finished', NULL, 'now', NULL, NULL, 1, 'h', 'b', NULL, NULL,
    'null', '1', NULL, NULL, ${figures}, '', '[]', 0, NULL)`;

test('runs and epochs of before get their summaries', () => {
  const connection = databaseAt(3);
  connection.execute(run(1, '{"epochs":7}', FIGURES));
  connection.execute(run(2, '{}', "'null'"));
  connection.execute(`INSERT INTO runEpoch VALUES (1, 0, ${FIGURES})`);
  migrateTo(connection, 4);
  const lean = JSON.stringify(SUMMARY);
  assert.deepEqual(rows(connection, 'SELECT id, epochs, summary FROM run INDEXED BY runListed ORDER BY id'), [
    { id: 1, epochs: 7, summary: lean },
    { id: 2, epochs: null, summary: 'null' },
  ]);
  assert.deepEqual(rows(connection, 'SELECT epoch, summary FROM runEpoch INDEXED BY runEpochSummary'), [
    { epoch: 0, summary: lean },
  ]);
  connection.close();
});
