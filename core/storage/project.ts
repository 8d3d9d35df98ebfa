/**
 * An open project: its store, its bytes and its folders. The one place that knows what lies where.
 *
 *     birds.contexture            SQLite, see db/
 *     birds.contexture.lock       who has it open (names the holder; the lock itself is SQLite's)
 *     birds.contexture.files/     blobs/  content-addressed bytes
 *                                 runs/N/ checkpoint of a run that is not finished
 *                                 cache/  may be deleted at any time: packed pictures, thumbnails
 *                                 backup/ the SQLite file before each migration
 *
 * Nobody reads the project file with `node:fs` while this process has it open: on POSIX systems, closing any descriptor
 * of a file gives up all locks that the process holds on it, SQLite's too.
 */
import { existsSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { removeLeftovers } from '../base/durable-file.ts';
import { BlobStore } from './blob-store.ts';
import type { LockHolder, ProjectStorage, ProjectStore } from './project-store.ts';

export interface Project {
  /** Absolute path of the project file. */
  readonly file: string;
  readonly store: ProjectStore;
  readonly blobs: BlobStore;
  readonly cacheFolder: string;
  runFolder(runId: number): string;
  close(): void;
}

/** The folder for a project's bytes. */
export function filesFolder(projectFile: string): string {
  return `${projectFile}.files`;
}

/** Where the SQLite file is kept before each migration. */
export function backupFolder(projectFile: string): string {
  return join(filesFolder(projectFile), 'backup');
}

/** This process as the holder of a lock. */
export function thisHolder(program: string): LockHolder {
  return { pid: process.pid, host: hostname(), program, since: new Date().toISOString() };
}

/**
 * Open a project and become its only writer.
 * @throws UserError see `ProjectStorage.open`
 */
export function openProject(
  storage: ProjectStorage,
  file: string,
  options: { create?: boolean; program: string; name?: string; socket?: string },
): Project {
  // A link to a project stands for the project: its bytes and its lock lie beside the real file.
  const path = existsSync(file) ? realpathSync(file) : resolve(file);
  const store = storage.open(path, {
    create: options.create ?? false,
    holder: { ...thisHolder(options.program), ...(options.socket === undefined ? {} : { socket: options.socket }) },
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  const folder = filesFolder(path);
  const blobs = new BlobStore(join(folder, 'blobs'));
  try {
    blobs.removeLeftovers();
    removeLeftovers(backupFolder(path));
  } catch (error) {
    store.close();
    throw error;
  }
  return {
    file: path,
    store,
    blobs,
    cacheFolder: join(folder, 'cache'),
    runFolder: (runId) => join(folder, 'runs', String(runId)),
    close: () => store.close(),
  };
}
