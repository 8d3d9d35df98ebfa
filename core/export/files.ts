/** Many small files: hashed, written under their names by a rename, synced. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';

/** SHA-256 and size of a file; undefined when there is none. */
export async function hashFile(path: string): Promise<{ sha256: string; bytes: number } | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read the file', path);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Write a file that appears whole or not at all to other programs; it is not synced. Its folder must be there. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
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
 * Refuse work that the disk has no room for.
 * @param path a file or folder on it that need not exist yet
 * @param bytes what will be written
 * @throws UserError 'no-space' with both numbers
 */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  let free: number;
  try {
    const { bavail, bsize } = await statfs(path);
    free = bavail * bsize;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && dirname(path) !== path) return requireSpace(dirname(path), bytes);
    throw fileError(error, 'export', path);
  }
  if (bytes <= free) return;
  throw new UserError(
    'no-space',
    `The export needs about ${megabytes(bytes)} MB, and the disk of ${path} has ${megabytes(free)} MB free. Free some space, choose another disk or ask for fewer pictures.`,
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}
