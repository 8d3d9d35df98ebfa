/**
 * Files that are either the old ones or the new ones, whatever happens in between: bytes go to a temporary name on the
 * same disk, are synced, renamed over the target, and the folder is synced. New folders are synced into their parents
 * before, else a power loss could take a folder away with everything in it.
 */
import * as nodeFs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { fileError, systemCode } from './errors.ts';

/** The calls that can fail or be cut short by a power loss; tests inject failures here. */
export interface DurableFs {
  openSync(path: string, flags: string): number;
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  fsyncSync(fd: number): void;
  closeSync(fd: number): void;
  renameSync(from: string, to: string): void;
  mkdirSync(path: string, options: { recursive: true }): string | undefined;
  rmSync(path: string, options: { force: true }): void;
}

/** Suffix of files that are being written; see `removeLeftovers`. */
export const TEMPORARY_SUFFIX = '.part';

/** Exactly the names that `writeDurably` gives, so that nobody else's `.part` file is ever taken for one. */
const TEMPORARY_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

/**
 * Write a whole file durably, making its folder if needed. When it returns, the new content survives a power loss; when
 * it throws, the target is the old file or, if only the last sync failed, the new one, and no temporary file is left.
 * @param chunks written one after the other
 * @param temporaryFolder where the temporary file lies meanwhile: the target's folder, or another on the same disk
 * @throws UserError 'no-space', 'no-permission', … with the target's path
 */
export function writeDurably(
  path: string,
  chunks: Iterable<Uint8Array>,
  fs: DurableFs = nodeFs,
  temporaryFolder: string = dirname(path),
): void {
  const temporary = join(temporaryFolder, `${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    makeFolderDurably(temporaryFolder, fs);
    makeFolderDurably(dirname(path), fs);
    writeAndSync(temporary, chunks, fs);
    fs.renameSync(temporary, path);
    syncFolder(dirname(path), fs);
  } catch (error) {
    removeQuietly(temporary, fs);
    throw fileError(error, 'write the file', path);
  }
}

/** Delete a file, if it is there and can be: for tidying up after a failure, which is the one to tell. */
export function removeQuietly(path: string, fs: DurableFs = nodeFs): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // What stays behind is a leftover; see `removeLeftovers`.
  }
}

function writeAndSync(path: string, chunks: Iterable<Uint8Array>, fs: DurableFs): void {
  const fd = fs.openSync(path, 'wx');
  try {
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length;) {
        const written = fs.writeSync(fd, chunk, offset, chunk.length - offset);
        if (written <= 0) throw new Error(`the system wrote nothing to ${path}`);
        offset += written;
      }
    }
    fs.fsyncSync(fd);
  } catch (error) {
    try {
      fs.closeSync(fd);
    } catch {
      // The first failure is the one to tell.
    }
    throw error;
  }
  fs.closeSync(fd);
}

/** Make a folder and those above it that are missing, and make them last. */
export function makeFolderDurably(folder: string, fs: DurableFs = nodeFs): void {
  const path = resolve(folder);
  const first = fs.mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  // `first` is the topmost folder that was made. Every new folder is an entry in the one above it.
  const top = dirname(resolve(first));
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    syncFolder(parent, fs);
    if (parent === top || parent === dirname(parent)) return;
  }
}

/** Make the entries of `folder` (a rename, a removal) last. Windows has no such call and needs none. */
export function syncFolder(folder: string, fs: DurableFs = nodeFs): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Delete the temporary files that writers left in a folder when they were killed. Only for a folder in which nobody is
 * writing now: whoever holds the project's lock may call it on the project's folders.
 * @returns how many there were; 0 also when the folder does not exist
 * @throws UserError 'no-permission', …
 */
export function removeLeftovers(folder: string): number {
  try {
    const names = nodeFs.readdirSync(folder).filter((name) => TEMPORARY_NAME.test(name));
    for (const name of names) nodeFs.rmSync(join(folder, name), { force: true });
    return names.length;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw fileError(error, 'tidy up the folder', folder);
  }
}
