import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { UserError } from '../../core/base/errors.ts';
import { sqliteError } from '../../db/sqlite-errors.ts';
import { projectFile } from './support.ts';

test('each of SQLite’s failures outside the program becomes a sentence with the file', () => {
  const file = projectFile();
  const codes = {
    SQLITE_BUSY: 'locked',
    SQLITE_BUSY_SNAPSHOT: 'locked',
    SQLITE_LOCKED: 'locked',
    SQLITE_FULL: 'no-space',
    SQLITE_READONLY: 'no-permission',
    SQLITE_READONLY_DIRECTORY: 'no-permission',
    SQLITE_PERM: 'no-permission',
    SQLITE_CANTOPEN_ISDIR: 'no-permission',
    SQLITE_CORRUPT_INDEX: 'damaged',
    SQLITE_NOTADB: 'damaged',
    SQLITE_IOERR_FSYNC: 'unreadable',
    SQLITE_NOMEM: 'memory',
  };
  for (const [code, expected] of Object.entries(codes)) {
    const cause = new Database.SqliteError('a text that may change', code);
    const error = sqliteError(cause, file);
    assert.ok(error instanceof UserError, code);
    assert.equal(error.code, expected, code);
    assert.ok(error.message.includes(file), error.message);
    assert.equal(error.cause, cause);
  }
});

test('what the program did wrong stays what it is', () => {
  const wrong = [
    new Database.SqliteError('UNIQUE', 'SQLITE_CONSTRAINT_UNIQUE'),
    new Database.SqliteError('syntax', 'SQLITE_ERROR'),
    new TypeError('not open'),
    new UserError('usage', 'A sentence.'),
    'text',
  ];
  for (const error of wrong) assert.equal(sqliteError(error, '/x'), error);
});
