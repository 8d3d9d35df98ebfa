import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { backupFolder, thisHolder } from '../../core/storage/project.ts';
import { Connection } from '../../db/connection.ts';
import { APPLICATION_ID, checkHeader } from '../../db/header.ts';
import { migrate, type Migration } from '../../db/migrate.ts';
import { openProjectFile } from '../../db/open.ts';
import { migrations } from '../../db/migrations/index.ts';
import { refused, projectFile } from './support.ts';

/** Three made-up migrations: a table, a row in it, and a table built anew, which foreign keys would forbid row by row. */
const made: readonly Migration[] = [
  {
    version: 1,
    name: 'two tables',
    up: (connection) =>
      connection.execute(`
        CREATE TABLE nest (id INTEGER PRIMARY KEY, place TEXT NOT NULL) STRICT;
        CREATE TABLE egg (id INTEGER PRIMARY KEY, nestId INTEGER NOT NULL REFERENCES nest) STRICT;
        CREATE TABLE project (row INTEGER PRIMARY KEY, id TEXT, name TEXT, createdAt TEXT) STRICT;
        INSERT INTO nest VALUES (1, 'oak'); INSERT INTO egg VALUES (1, 1);`),
  },
  {
    version: 2,
    name: 'a second nest',
    up: (connection) => connection.execute(`INSERT INTO nest VALUES (2, 'elm')`),
  },
  {
    version: 3,
    name: 'trees have numbers',
    up: (connection) =>
      connection.execute(`
        CREATE TABLE newNest (id INTEGER PRIMARY KEY, tree INTEGER NOT NULL) STRICT;
        INSERT INTO newNest SELECT id, length(place) FROM nest;
        DROP TABLE nest;
        ALTER TABLE newNest RENAME TO nest;`),
  },
];

const failing: Migration = {
  version: 3,
  name: 'fails half-way',
  up: (connection) => connection.execute(`INSERT INTO nest VALUES (3, 'ash'); INSERT INTO nowhere VALUES (1)`),
};

/** Open a project at the version that these migrations lead to. */
function openWith(file: string, known: readonly Migration[]) {
  return openProjectFile(file, { create: true, holder: thisHolder('contexture test'), migrations: known });
}

/** A closed project of the version that these migrations lead to. */
function projectAt(known: readonly Migration[]): string {
  const file = projectFile();
  openWith(file, known).close();
  return file;
}

function read(file: string, sql: string): unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

test('a new project gets all migrations and no backup', () => {
  const file = projectFile();
  const project = openWith(file, made);
  assert.deepEqual(project.connection.prepare('SELECT * FROM nest').all(), [
    { id: 1, tree: 3 },
    { id: 2, tree: 3 },
  ]);
  project.close();
  assert.deepEqual(read(file, 'PRAGMA user_version'), [{ user_version: 3 }]);
  assert.deepEqual(read(file, 'PRAGMA application_id'), [{ application_id: APPLICATION_ID }]);
  assert.ok(!readdirSync(join(file, '..')).includes('birds.contexture.files'));
});

test('an older project is backed up before each step and brought up to date', () => {
  const file = projectAt(made.slice(0, 1));
  const project = openWith(file, made);
  // The head of the file says the version while it is open, for whoever looks in from another process.
  project.close();
  assert.deepEqual(read(file, 'SELECT tree FROM nest'), [{ tree: 3 }, { tree: 3 }]);
  const backups = readdirSync(backupFolder(file));
  assert.deepEqual(
    backups.map((name) => name.replace(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\./, '')),
    ['v1.birds.contexture', 'v2.birds.contexture'],
  );
  const [v1, v2] = backups.map((name) => join(backupFolder(file), name));
  assert.deepEqual(read(v1, 'SELECT place FROM nest'), [{ place: 'oak' }]);
  assert.deepEqual(read(v2, 'SELECT place FROM nest'), [{ place: 'oak' }, { place: 'elm' }]);
  // A backup is a project: it opens as one.
  openWith(v1, made.slice(0, 1)).close();
  assert.deepEqual(read(v1, 'PRAGMA user_version'), [{ user_version: 1 }]);
});

test('a project that is up to date is not backed up', () => {
  const file = projectAt(made);
  openWith(file, made).close();
  assert.ok(!readdirSync(join(file, '..')).includes('birds.contexture.files'));
});

test('the result of migrating is data', () => {
  const project = openWith(projectAt(made.slice(0, 1)), made.slice(0, 1));
  const { connection } = project;
  const folder = backupFolder(connection.file);
  const { from, to, steps, error } = migrate(connection, [...made.slice(0, 2), failing], folder);
  assert.deepEqual([from, to], [1, 2]);
  assert.deepEqual(
    steps.map(({ version, name, state }) => ({ version, name, state })),
    [
      { version: 2, name: 'a second nest', state: 'done' },
      { version: 3, name: 'fails half-way', state: 'failed' },
    ],
  );
  assert.deepEqual(
    steps.map(({ backup }) => backup),
    readdirSync(folder).map((name) => join(folder, name)),
  );
  assert.ok(error instanceof Error && error.message.includes('nowhere'));
  // The failed step left nothing, and foreign keys are enforced again.
  assert.deepEqual(connection.prepare('SELECT place FROM nest').all(), [{ place: 'oak' }, { place: 'elm' }]);
  assert.deepEqual(connection.prepare('PRAGMA foreign_keys').all(), [{ foreign_keys: 1 }]);
  assert.deepEqual(migrate(connection, made.slice(0, 2), folder), { from: 2, to: 2, steps: [], error: undefined });
  project.close();
});

test('steps after one that failed are not run', () => {
  const project = openWith(projectAt(made.slice(0, 2)), made.slice(0, 2));
  const fourth: Migration = { version: 4, name: 'fourth', up: () => assert.fail('must not run') };
  const { to, steps } = migrate(project.connection, [...made.slice(0, 2), failing, fourth], null);
  assert.equal(to, 2);
  assert.deepEqual(steps, [
    { version: 3, name: 'fails half-way', state: 'failed', backup: null },
    { version: 4, name: 'fourth', state: 'not-run', backup: null },
  ]);
  project.close();
});

test('a migration that breaks a foreign key is undone', () => {
  const project = openWith(projectAt(made.slice(0, 1)), made.slice(0, 1));
  const breaking: Migration = {
    version: 2,
    name: 'cut the oak',
    up: (connection) => connection.execute('DELETE FROM nest'),
  };
  const { to, error } = migrate(project.connection, [made[0], breaking], null);
  assert.equal(to, 1);
  assert.ok(error instanceof Error && error.message.includes("'egg'"));
  assert.equal(project.connection.prepare('SELECT * FROM nest').all().length, 1);
  project.close();
});

test('a failed migration closes the project, which then still opens with the version before', () => {
  const file = projectAt(made.slice(0, 2));
  assert.throws(() => openWith(file, [...made.slice(0, 2), failing]), /nowhere/);
  assert.deepEqual(readdirSync(join(file, '..')), ['birds.contexture', 'birds.contexture.files']);
  openWith(file, made.slice(0, 2)).close();
  openWith(file, made).close();
});

test('without a backup there is no migration', () => {
  const file = projectAt(made.slice(0, 1));
  // A file in the place of the folder stands for any reason that a backup cannot be written.
  writeFileSync(`${file}.files`, 'in the way');
  refused(() => openWith(file, made), 'usage');
  assert.deepEqual(read(file, 'PRAGMA user_version'), [{ user_version: 1 }]);
});

test('a damaged project is not migrated', () => {
  const file = projectAt(made.slice(0, 1));
  const [page] = read(file, `SELECT (pageno - 1) * pgsize AS start FROM dbstat WHERE name = 'egg'`);
  const { start } = page as { start: number };
  const content = readFileSync(file);
  content.fill(0xa5, start, start + 100);
  writeFileSync(file, content);
  assert.match(
    refused(() => openWith(file, made), 'damaged'),
    /is damaged/,
  );
  assert.ok(readFileSync(file).equals(content));
});

test('a newer project is refused, and its file is not touched', () => {
  const file = projectAt(made);
  const before = readFileSync(file);
  refused(() => openWith(file, made.slice(0, 2)), 'newer');
  assert.ok(readFileSync(file).equals(before));
});

test('right after a migration the head of the file says the new version', () => {
  const file = projectAt(made.slice(0, 1));
  const project = openWith(file, made);
  project.close();
  refused(() => checkHeader(file, 2), 'newer');
});

test('migrations must be numbered 1, 2, 3, …', () => {
  const connection = new Connection(projectFile(), { create: true });
  for (const wrong of [[made[1]], [made[0], made[2]], [made[0], made[0]], [made[1], made[0]]]) {
    assert.throws(() => migrate(connection, wrong, null), /expected/);
  }
  assert.deepEqual(connection.prepare('SELECT * FROM sqlite_schema').all(), []);
  connection.close();
  migrations.forEach(({ version }, index) => assert.equal(version, index + 1));
});
