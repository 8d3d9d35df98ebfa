/** How much room a disk has. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError, systemCode } from './errors.ts';

/**
 * Bytes that a disk has left for us.
 * @param path a file or folder on it that need not exist yet
 * @throws UserError as `fileError` has it
 */
export function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && dirname(path) !== path) return freeBytes(dirname(path));
    throw fileError(error, 'ask for the free space', path);
  }
}
