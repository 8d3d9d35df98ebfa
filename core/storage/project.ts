/**
 * An open project: its store, its bytes and its folders. The one place that knows what lies where.
 *
 *     birds.contexture            SQLite, see db/
 *     birds.contexture.lock       who has it open (names the holder; the lock itself is SQLite's)
 *     birds.contexture.files/     blobs/  content-addressed bytes
 *                                 runs/N/ checkpoint of a run that is not finished
 *                                 cache/  may be deleted at any time: packed pictures, thumbnails
 *                                 backup/ the SQLite file before each migration
 */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
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
  options: { create?: boolean; program: string; name?: string },
): Project {
  const path = resolve(file);
  const store = storage.open(path, {
    create: options.create ?? false,
    holder: thisHolder(options.program),
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  const folder = filesFolder(path);
  return {
    file: path,
    store,
    blobs: new BlobStore(join(folder, 'blobs')),
    cacheFolder: join(folder, 'cache'),
    runFolder: (runId) => join(folder, 'runs', String(runId)),
    close: () => store.close(),
  };
}
