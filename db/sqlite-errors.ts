/** What SQLite's errors mean to a user, decided in this one place. The code decides; SQLite's texts are never matched. */
import Database from 'better-sqlite3';
import { UserError, type ErrorCode } from '../core/base/errors.ts';
import { backupFolder } from '../core/storage/project.ts';
import { lockedError } from '../core/storage/project-lock.ts';

type Refusal = [code: ErrorCode, sentence: (file: string) => string];

const NO_PERMISSION: Refusal = [
  'no-permission',
  (file) => `Cannot write to ${file}: the system refuses access. Check its permissions and those of its folder.`,
];
const DAMAGED: Refusal = [
  'damaged',
  (file) => `${file} is damaged. Restore it from a backup, such as those in ${backupFolder(file)}.`,
];

/** By primary result code: extended codes such as SQLITE_IOERR_WRITE begin with it. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  SQLITE_FULL: ['no-space', (file) => `The disk of ${file} is full. Free some space and go on.`],
  SQLITE_READONLY: NO_PERMISSION,
  SQLITE_PERM: NO_PERMISSION,
  SQLITE_AUTH: NO_PERMISSION,
  SQLITE_CANTOPEN: NO_PERMISSION,
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTADB: DAMAGED,
  SQLITE_IOERR: [
    'unreadable',
    (file) => `The disk of ${file} reports an error while reading or writing it. Check the disk.`,
  ],
  SQLITE_NOMEM: ['memory', (file) => `There is not enough memory to work on ${file}. Close other programs.`],
};

/**
 * Translate what a call of better-sqlite3 threw.
 * @param file the project file
 * @returns a `UserError` for a failure outside the program; anything else (a constraint, a misspelt statement) as it is,
 * since that is a defect of ours
 */
export function sqliteError(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const primary = error.code.split('_').slice(0, 2).join('_');
  if (primary === 'SQLITE_BUSY' || primary === 'SQLITE_LOCKED') return lockedError(file, error);
  const refusal = REFUSALS[primary];
  return refusal ? new UserError(refusal[0], refusal[1](file), { cause: error }) : error;
}
