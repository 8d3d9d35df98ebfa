/**
 * Files that are either the old ones or the new ones, whatever happens in between: bytes go to a temporary name in the
 * same folder, are synced, renamed over the target, and the folder is synced.
 */
import * as nodeFs from 'node:fs';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { fileError } from './errors.ts';

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

/** Suffix of files that were being written; a leftover may be deleted. */
export const TEMPORARY_SUFFIX = '.part';

/**
 * Write a whole file durably, making its folder if needed.
 * @param chunks written one after the other
 * @throws UserError 'no-space', 'no-permission', … with the target's path
 */
export function writeDurably(path: string, chunks: Iterable<Uint8Array>, fs: DurableFs = nodeFs): void {
  const folder = dirname(path);
  const temporary = join(folder, `${randomUUID()}${TEMPORARY_SUFFIX}`);
  let fd: number | undefined;
  try {
    fs.mkdirSync(folder, { recursive: true });
    fd = fs.openSync(temporary, 'wx');
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length;) offset += fs.writeSync(fd, chunk, offset, chunk.length - offset);
    }
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fd = undefined;
    fs.renameSync(temporary, path);
    syncFolder(folder, fs);
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    fs.rmSync(temporary, { force: true });
    throw fileError(error, 'write the file', path);
  }
}

/** Make a rename in `folder` last. Windows has no such call and needs none. */
export function syncFolder(folder: string, fs: DurableFs = nodeFs): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
