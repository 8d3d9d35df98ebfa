import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseAt, migrateTo, rows } from './harness.ts';

const HASH = 'a'.repeat(64);

const CONTEXT = `
  INSERT INTO source VALUES (1, 'folder', '/pictures', NULL, 'now', NULL);
  INSERT INTO class VALUES (1, 'bird', NULL);
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId, state)
    VALUES (1, 1, 'a', 1, 0, '${HASH}', 1, 1, 'png', 1, 1, 'ok');
  INSERT INTO mask VALUES (1, 1, NULL, 'soft', NULL, 'null', '${HASH}', 1, 1, 0.5, 'ann', 'now');
  INSERT INTO context (id, imageId, maskId, state, probability, createdAt) VALUES (1, 1, 1, 'accepted', 0.5, 'now');
  INSERT INTO contextStep VALUES (3, 'accept', 'ann', 'now', NULL), (5, 'restore', 'bob', 'then', 'later');
  INSERT INTO contextEvent VALUES (1, 1, 'created', 1, 'ann', 'now', NULL, NULL, NULL),
    (7, 1, 'accepted', 1, 'ann', 'now', 3, 'undecided', 1);`;

test('events and steps stay what they were, and nothing is retired', () => {
  const connection = databaseAt(8);
  connection.execute(CONTEXT);
  const steps = rows(connection, 'SELECT * FROM contextStep');
  const events = rows(connection, 'SELECT * FROM contextEvent');
  assert.equal(steps.length + events.length, 4);
  migrateTo(connection, 9);
  assert.deepEqual(rows(connection, 'SELECT * FROM contextStep'), steps);
  assert.deepEqual(rows(connection, 'SELECT * FROM contextEvent'), events);
  assert.deepEqual(rows(connection, 'SELECT id, state, retiredAt, note FROM context'), [
    { id: 1, state: 'accepted', retiredAt: null, note: '' },
  ]);
  connection.close();
});

test('the new tables are held to what they name, and refuse what no record can be', () => {
  const connection = databaseAt(9);
  connection.execute(CONTEXT);
  connection.execute(`INSERT INTO contextStep VALUES (9, 'retire', 'ann', 'now', NULL)`);
  connection.execute(`INSERT INTO contextEvent VALUES (9, 1, 'retired', 1, 'ann', 'now', 9, 'accepted', 1)`);
  const refused = (sql: string, why: RegExp): void => assert.throws(() => connection.execute(sql), why);
  refused(`INSERT INTO contextStep VALUES (NULL, 'dance', 'ann', 'now', NULL)`, /CHECK/);
  refused(`INSERT INTO contextEvent VALUES (NULL, 1, 'dance', 1, 'ann', 'now', 9, 'accepted', 1)`, /CHECK/);
  refused(`INSERT INTO contextEvent VALUES (NULL, 1, 'retired', 1, 'ann', 'now', 99, 'accepted', 1)`, /FOREIGN KEY/);
  refused(`INSERT INTO contextEvent VALUES (NULL, 9, 'retired', 1, 'ann', 'now', 9, 'accepted', 1)`, /FOREIGN KEY/);
  refused('INSERT INTO useTally VALUES (1, NULL, NULL)', /CHECK/);
  refused(`INSERT INTO useTally VALUES (1, NULL, 9)`, /FOREIGN KEY/);
  connection.execute(`INSERT INTO useTally VALUES (1, '${HASH}', NULL)`);
  refused(`INSERT INTO useTally VALUES (2, '${HASH}', NULL)`, /UNIQUE/);
  connection.execute('INSERT INTO contextUse VALUES (1, 1, 1, NULL)');
  refused('INSERT INTO contextUse VALUES (1, 1, 1, 2)', /UNIQUE/);
  refused('INSERT INTO contextUse VALUES (9, 1, 1, 2)', /FOREIGN KEY/);
  connection.close();
});
