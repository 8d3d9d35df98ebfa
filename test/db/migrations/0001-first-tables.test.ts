import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageStatement } from '../../../db/images.ts';
import { databaseAt, migrateTo, rows } from './harness.ts';

test('an empty database gets all tables, every one of them strict', () => {
  const connection = databaseAt(0);
  assert.deepEqual(rows(connection, 'SELECT * FROM sqlite_schema'), []);
  migrateTo(connection, 1);
  const tables = rows(
    connection,
    `SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
  );
  const names = `
    class context contextEvent edit editClass editImage export exportItem image mask
    problem project run runEpoch runWarning saliency setting source`;
  assert.deepEqual(
    tables,
    names.match(/\w+/g)?.map((name) => ({ name, strict: 1 })),
  );
  connection.close();
});

/** A source, two classes, an image, a run, a saliency, a mask, a context: what the constraints are tried against. */
const SOME_ROWS = `
  INSERT INTO source VALUES (1, 'folder', '/pictures', NULL, 'now', NULL);
  INSERT INTO class VALUES (1, 'bird', NULL), (2, 'wren', NULL);
  INSERT INTO image (id, sourceId, path, size, mtimeMs, hash, width, height, format, orientation, foundClassId)
    VALUES (1, 1, 'a', 1, 0, printf('%064d', 1), 1, 1, 'png', 1, 1), (2, 1, 'b', 1, 0, printf('%064d', 2), 1, 1, 'png', 1, 1);
  INSERT INTO edit VALUES (1, 'merge', '{}', 'ann', 'now', NULL, 0);
  INSERT INTO saliency VALUES (1, 1, 'm', 'l', NULL, 'b', 1, 1, 0.5, 'held-out', 'now');
  INSERT INTO mask VALUES (1, 1, NULL, 'soft', 1, '{}', 'b', 1, 1, 0.5, 'ann', 'now');
  INSERT INTO context VALUES (1, 1, 1, 'undecided', 0.5, 'now');`;

test('the tables refuse what no record can be', () => {
  const connection = databaseAt(1);
  connection.execute(SOME_ROWS);
  const refused: Record<string, string> = {
    'a second project': `INSERT INTO project VALUES (2, 'x', 'y', 'z')`,
    'a setting that is no JSON': `INSERT INTO setting VALUES ('x', 'no JSON')`,
    'a source of another kind': `UPDATE source SET kind = 'cloud'`,
    'two classes of a name': `INSERT INTO class (name) VALUES ('bird')`,
    'a class merged into itself': `UPDATE class SET mergedInto = 1 WHERE id = 1`,
    'a class merged into none': `UPDATE class SET mergedInto = 99`,
    'an image of no source': `UPDATE image SET sourceId = 99`,
    'an image of no class': `UPDATE image SET foundClassId = 99`,
    'an image relabelled to no class': `UPDATE image SET editedClassId = 99`,
    'two images of a path': `UPDATE image SET path = 'a'`,
    'a split of another name': `UPDATE image SET foundSplit = 'none'`,
    'an edited split of another name': `UPDATE image SET editedSplit = 'holdout'`,
    'an image state of another name': `UPDATE image SET state = 'gone'`,
    'a half excluded image': `UPDATE image SET excluded = 2`,
    'a text for a number': `UPDATE image SET size = 'large'`,
    'a half pixel': `UPDATE image SET width = 1.5`,
    'no width': `UPDATE image SET width = 0`,
    'an orientation beyond 8': `UPDATE image SET orientation = 9`,
    'a hash that is none': `UPDATE image SET hash = 'abc'`,
    'a problem without a source': `INSERT INTO problem VALUES (1, 99, '', 'x', 'note', 'x')`,
    'an edit of another kind': `UPDATE edit SET kind = 'delete'`,
    'a changed field of another name': `INSERT INTO editImage VALUES (1, 1, 'hash', NULL, NULL)`,
    'a probability over 1': `UPDATE saliency SET probability = 1.01`,
    'a saliency of no image': `UPDATE saliency SET imageId = 99`,
    'a mask whose parent is of another image': `INSERT INTO mask VALUES (2, 2, 1, 'edit', NULL, '{}', 'b', 1, 1, 0.5, 'ann', 'now')`,
    'a mask from the saliency of another image': `INSERT INTO mask VALUES (2, 2, NULL, 'soft', 1, '{}', 'b', 1, 1, 0.5, 'ann', 'now')`,
    'a mask that covers more than all': `UPDATE mask SET area = 1.5`,
    'a second context of an image': `INSERT INTO context VALUES (2, 1, 1, 'undecided', 0.5, 'now')`,
    'a context with the mask of another image': `INSERT INTO context VALUES (2, 2, 1, 'undecided', 0.5, 'now')`,
    'an event of no context': `INSERT INTO contextEvent VALUES (1, 99, 'created', 1, 'ann', 'now')`,
    'an epoch of no run': `INSERT INTO runEpoch VALUES (99, 0, '{}')`,
    'an item of no export': `INSERT INTO exportItem VALUES (99, 'x', 1, NULL, NULL, NULL)`,
    'the class in force set by hand': `UPDATE image SET classId = 2`,
  };
  for (const [what, sql] of Object.entries(refused)) assert.throws(() => connection.execute(sql), Error, what);
  assert.deepEqual(rows(connection, 'PRAGMA foreign_key_check'), []);
  connection.close();
});

test('what is in force is what was found, unless it was edited', () => {
  const connection = databaseAt(1);
  connection.execute(SOME_ROWS);
  const inForce = () => rows(connection, 'SELECT classId, split FROM image WHERE id = 1')[0];
  connection.execute(`UPDATE image SET foundSplit = 'test'`);
  assert.deepEqual(inForce(), { classId: 1, split: 'test' });
  connection.execute(`UPDATE image SET editedClassId = 2, editedSplit = 'val'`);
  assert.deepEqual(inForce(), { classId: 2, split: 'val' });
  connection.execute(`UPDATE image SET editedSplit = 'none'`);
  assert.deepEqual(inForce(), { classId: 2, split: null });
  connection.close();
});

test('every page of a listing is read in order of id, without sorting', () => {
  const connection = databaseAt(1);
  const fields = ['sourceId', 'classId', 'split', 'state', 'excluded'];
  const values = { sourceId: 1, classId: 1, split: null, state: 'ok', excluded: 0, afterId: 0, limit: 10 };
  for (let chosen = 0; chosen < 32; chosen++) {
    for (const oneClass of [true, false]) {
      const statement = pageStatement(
        fields.filter((_, bit) => chosen & (1 << bit)),
        oneClass,
      );
      const plan = connection
        .prepare<[object], { detail: string }>(`EXPLAIN QUERY PLAN ${statement}`)
        .all(values)
        .map(({ detail }) => detail);
      const walk =
        oneClass && chosen & 2 ? 'USING INDEX imageClass (classId=? AND rowid>?)' : 'USING INTEGER PRIMARY KEY';
      assert.ok(plan[0].startsWith('SEARCH image') && plan[0].includes(walk), `${statement}: ${plan.join('; ')}`);
      assert.ok(!plan.some((line) => line.includes('TEMP B-TREE')), `${statement}: ${plan.join('; ')}`);
    }
  }
  connection.close();
});

test('counts and duplicates are read in the order of an index, without sorting', () => {
  const connection = databaseAt(1);
  const plan = (sql: string) => rows(connection, `EXPLAIN QUERY PLAN ${sql}`).map((row) => Object.values(row).at(-1));
  assert.deepEqual(
    plan('SELECT classId, split, excluded, state, count(*) FROM image GROUP BY classId, split, excluded, state'),
    ['SCAN image USING INDEX imageCount'],
  );
  assert.deepEqual(
    plan(`SELECT hash FROM image WHERE state = 'ok' AND excluded = 0 GROUP BY hash HAVING count(*) > 1`),
    ['SCAN image USING COVERING INDEX imageUsableHash'],
  );
  connection.close();
});
