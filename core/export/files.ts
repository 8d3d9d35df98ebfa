/** Many small files: hashed, written, synced. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { removeQuietly } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';

/** Bytes that are read at once: most pictures are smaller, and one read is the cheapest. */
const CHUNK = 256 * 1024;

/** SHA-256 and size of a file; undefined when there is none. */
export async function hashFile(path: string): Promise<{ sha256: string; bytes: number } | undefined> {
  try {
    const file = await open(path);
    try {
      return await hashOpen(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read the file', path);
  }
}

async function hashOpen(file: FileHandle): Promise<{ sha256: string; bytes: number }> {
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(Math.min(size, CHUNK));
  const hash = createHash('sha256');
  let bytes = 0;
  while (bytes < size) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * Write a file under its name at once, over what a killed attempt has left there; it is not synced. Its folder must be
 * there. Whole files by a rename would take the disk a third longer, and whoever kills an export is told by its folder
 * that it is unfinished.
 */
export function writePicture(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    removeQuietly(path);
    throw fileError(error, 'write the file', path);
  }
}

/** Make a file's content last. */
export async function syncFile(path: string): Promise<void> {
  try {
    // Windows syncs only what is open for writing.
    const file = await open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, 'write the file', path);
  }
}

/**
 * Make all that was written to the disk of a folder last, at once. Thousands of files take the disk many times longer one
 * by one, because each has to be in the journal before the next may go on. Only Linux has a call for it, and Node does not:
 * the command `sync` makes it.
 * @returns false where there is no such command or it failed; then nothing is known of any file
 */
export async function syncDisk(folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    await promisify(execFile)('sync', ['-f', folder]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuse work that the disk has no room for.
 * @param path a file or folder on it that need not exist yet
 * @param bytes what will be written
 * @throws UserError 'no-space' with both numbers
 */
export function requireSpace(path: string, bytes: number): void {
  const free = freeBytes(path);
  if (bytes <= free) return;
  throw new UserError(
    'no-space',
    `The export needs about ${megabytes(bytes)} MB, and the disk of ${path} has ${megabytes(free)} MB free. Free some space, choose another disk or ask for fewer pictures.`,
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}
