/**
 * Brings a project's tables to the shape this version works with. `user_version` holds how far a file is: the number of
 * the last migration that ran. Migrations are numbered 1, 2, 3, … without gaps and run in that order, each in a
 * transaction of its own, and each after a backup where there is something to lose.
 */
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { makeFolderDurably, removeQuietly, syncFolder, TEMPORARY_SUFFIX } from '../core/base/durable-file.ts';
import { fileError, UserError } from '../core/base/errors.ts';
import { backupFolder } from '../core/storage/project.ts';
import type { Connection } from './connection.ts';

export interface Migration {
  /** 1 for the first. */
  version: number;
  /** What it brings, for logs. */
  name: string;
  /** Change tables and rows from the version before. Runs in a transaction, foreign keys checked at its end. */
  up(connection: Connection): void;
}

export interface MigrationStep {
  version: number;
  name: string;
  state: 'done' | 'failed' | 'not-run';
  /** The file as it was before this step; null where nothing was backed up. */
  backup: string | null;
}

export interface MigrationResult {
  /** Version before and after. */
  from: number;
  to: number;
  /** What had to be done, in order; empty when the file was up to date. */
  steps: MigrationStep[];
  /** Why it stopped; undefined when all is well. The file is then as the last step that is 'done' left it. */
  error: unknown;
}

/**
 * Run the migrations that a file lacks. Never throws for what a file or disk does: the result says it.
 * @param backupTo where the file is kept before each step; null for a file with nothing to lose
 * @throws Error when the migrations are not numbered 1, 2, 3, …: a mistake in the program
 */
export function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  backupTo: string | null,
): MigrationResult {
  migrations.forEach(({ version, name }, index) => {
    if (version !== index + 1) throw new Error(`migration '${name}' is number ${version}, expected ${index + 1}`);
  });
  const result: MigrationResult = { from: 0, to: 0, steps: [], error: undefined };
  try {
    result.from = result.to = versionOf(connection);
    if (result.from > migrations.length) throw newerError(connection.file);
    result.steps = migrations
      .slice(result.from)
      .map(({ version, name }) => ({ version, name, state: 'not-run', backup: null }));
    // A migration would carry damage into the new shape, and make a backup of it besides.
    if (result.steps.length > 0 && backupTo !== null) requireSound(connection);
    for (const step of result.steps) {
      step.state = 'failed';
      if (backupTo !== null) step.backup = backUp(connection, backupTo, result.to);
      apply(connection, migrations[step.version - 1]);
      step.state = 'done';
      result.to = step.version;
    }
  } catch (error) {
    result.error = error;
  }
  return result;
}

/** The refusal of a file that a newer version has written. */
export function newerError(file: string): UserError {
  return new UserError('newer', `${file} was written by a newer version of Contexture. Open it with that version.`);
}

function versionOf(connection: Connection): number {
  return connection.prepare<[], { user_version: number }>('PRAGMA user_version').get()!.user_version;
}

function requireSound(connection: Connection): void {
  const report = connection.prepare<[], { quick_check: string }>('PRAGMA quick_check(1)').get()!.quick_check;
  if (report !== 'ok') {
    throw new UserError(
      'damaged',
      `${connection.file} is damaged (${report}). Restore it from a backup, such as those in ${backupFolder(connection.file)}.`,
    );
  }
}

/** One step, whole or not at all. */
function apply(connection: Connection, migration: Migration): void {
  // Enforced row by row, foreign keys would stand in the way of rebuilding a table. The pragma does nothing inside a
  // transaction, so it goes around it.
  connection.pragma('foreign_keys = OFF');
  try {
    connection.transaction(() => {
      migration.up(connection);
      const broken = connection.prepare<[], { table: string }>('PRAGMA foreign_key_check').get();
      if (broken) throw new Error(`migration ${migration.version} breaks a foreign key of '${broken.table}'`);
      connection.pragma(`user_version = ${migration.version}`);
    });
  } finally {
    connection.pragma('foreign_keys = ON');
  }
}

/** Keep the whole file, as one snapshot, under a name of its own; returns its path. */
function backUp(connection: Connection, folder: string, version: number): string {
  const time = new Date().toISOString().replaceAll(':', '-');
  const path = join(folder, `${time}.v${version}.${basename(connection.file)}`);
  const temporary = join(folder, `${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    makeFolderDurably(folder);
    connection.prepare<[string]>('VACUUM INTO ?').run(temporary);
    const fd = fs.openSync(temporary, 'r+');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
    syncFolder(folder);
    return path;
  } catch (error) {
    removeQuietly(temporary);
    throw fileError(error, 'back up the project', path);
  }
}
