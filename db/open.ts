/** Opening a project file: checks, the lock, migrations. */
import * as fs from 'node:fs';
import { randomUUID } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { removeQuietly, syncFolder, TEMPORARY_SUFFIX } from '../core/base/durable-file.ts';
import { fileError, systemCode, UserError } from '../core/base/errors.ts';
import { backupFolder, filesFolder } from '../core/storage/project.ts';
import { forgetHolder, lockedError, nameHolder } from '../core/storage/project-lock.ts';
import type { LockHolder } from '../core/storage/project-store.ts';
import { Connection } from './connection.ts';
import { APPLICATION_ID, checkHeader } from './header.ts';
import { migrate, type Migration } from './migrate.ts';
import { migrations } from './migrations/index.ts';

/** A project that this process is the only writer of. */
export interface OpenProject {
  connection: Connection;
  /** Give the lock back. May be called twice. */
  close(): void;
}

export interface OpenOptions {
  create: boolean;
  holder: LockHolder;
  name?: string;
  /** All migrations; tests pass others. */
  migrations?: readonly Migration[];
}

/**
 * Files that this process has open, by device and number. SQLite would refuse the second opening too, but only after
 * `checkHeader` had lost the lock of the first.
 */
const openFiles = new Set<string>();

/**
 * Open a project and take its lock; a file that is refused stays as it is.
 * @throws UserError see `ProjectStorage.open`
 */
export function openProjectFile(file: string, options: OpenOptions): OpenProject {
  const known = options.migrations ?? migrations;
  // SQLite's binding trims names, and would then open another file.
  if (file !== file.trim()) {
    throw new UserError('usage', `The project's name '${basename(file)}' must not begin or end with a space.`);
  }
  if (!exists(file)) {
    if (!options.create) {
      throw new UserError('not-found', `There is no project at ${file}. Check the path, or make a new project there.`);
    }
    createProjectFile(file, options.name ?? basename(file, extname(file)), known);
  }
  const identity = identityOf(file);
  if (openFiles.has(identity)) throw lockedError(file);
  checkHeader(file, known.length);
  checkAccess(file);

  const connection = new Connection(file);
  try {
    takeLock(connection);
    nameHolder(file, options.holder);
    const { steps, error } = migrate(connection, known, backupFolder(file));
    if (error !== undefined) {
      forgetHolder(file);
      throw error;
    }
    // So that the file's head says its version to whoever looks without opening it.
    if (steps.length > 0) connection.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    connection.close();
    throw error;
  }
  openFiles.add(identity);
  let open = true;
  return {
    connection,
    close: () => {
      if (!open) return;
      open = false;
      forgetHolder(file);
      connection.close();
      openFiles.delete(identity);
    },
  };
}

/**
 * Become the only one who can read or write the file, until the connection closes or the process ends. In this mode
 * SQLite keeps the index of its log in memory of its own, so there is no shared file that could be left behind.
 */
function takeLock(connection: Connection): void {
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  connection.execute('BEGIN IMMEDIATE; COMMIT');
  // What a person has done must survive a power loss from the moment that it is shown as done.
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  // A project may come from somebody else: its schema gets to call nothing that has side effects, and its pages are not
  // taken on trust.
  connection.pragma('trusted_schema = OFF');
  connection.pragma('cell_size_check = ON');
}

/** Make an empty project under a temporary name, and give it its name when it is whole. */
function createProjectFile(file: string, name: string, known: readonly Migration[]): void {
  const remains = [`${file}-wal`, `${file}-journal`, filesFolder(file)].find(isInTheWay);
  if (remains) {
    // Another process may have made the project since, and be at work on it.
    if (exists(file)) return;
    throw new UserError(
      'exists',
      `${remains} is left of another project of that name. Move it away or choose another name.`,
    );
  }
  const folder = dirname(file);
  const temporary = join(folder, `${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    // better-sqlite3 tells a missing folder by a bare TypeError.
    fs.accessSync(folder, fs.constants.W_OK);
    const connection = new Connection(temporary, { create: true });
    try {
      // A file that nobody knows yet needs no journal to roll it back.
      connection.pragma('journal_mode = MEMORY');
      connection.pragma(`application_id = ${APPLICATION_ID}`);
      const { error } = migrate(connection, known, null);
      if (error !== undefined) throw error;
      connection
        .prepare<[object]>('INSERT INTO project (row, id, name, createdAt) VALUES (1, @id, @name, @createdAt)')
        .run({ id: randomUUID(), name, createdAt: new Date().toISOString() });
    } finally {
      connection.close();
    }
    putInPlace(temporary, file);
    syncFolder(folder);
  } catch (error) {
    throw fileError(error, 'make the project', systemCode(error) === 'ENOENT' ? folder : file);
  } finally {
    removeQuietly(temporary);
  }
}

/** Rename without ever replacing: when another process was faster, its project is the one that is there. */
function putInPlace(temporary: string, file: string): void {
  try {
    fs.linkSync(temporary, file);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    // Some disks (FAT, some network disks) know no second name of a file.
    if (!exists(file)) fs.renameSync(temporary, file);
  }
}

/** @throws UserError 'no-permission' when the file, or the folder that SQLite's log has to lie in, cannot be written */
function checkAccess(file: string): void {
  for (const path of [file, dirname(file)]) {
    try {
      fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    } catch (error) {
      throw fileError(error, 'open the project', path);
    }
  }
}

function exists(file: string): boolean {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(error, 'open the project', file);
  }
}

/** A file, or a folder with something in it. */
function isInTheWay(path: string): boolean {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (!stats.isDirectory() || fs.readdirSync(path).length > 0);
}

function identityOf(file: string): string {
  const { dev, ino } = fs.statSync(file, { bigint: true });
  return `${dev}:${ino}`;
}
