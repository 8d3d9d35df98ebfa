/**
 * What the first bytes of a file tell before SQLite touches it: opening a file is enough to make SQLite write, and a file
 * that is refused must stay as it is. Layout: https://www.sqlite.org/fileformat2.html, section 1.3.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { fileError, UserError } from '../core/base/errors.ts';
import { backupFolder } from '../core/storage/project.ts';
import { newerError } from './migrate.ts';

/** "Ctxr": tells a project from any other SQLite file. */
export const APPLICATION_ID = 0x43747872;

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;

/**
 * Refuse a file that is no project, is damaged at its head or cut short, or is newer than we are.
 *
 * Not for a file that this process has open: on POSIX systems, closing any descriptor of a file gives up the locks that
 * the process holds on it, SQLite's too.
 * @param newest version of the last migration known
 * @throws UserError 'damaged', 'newer', 'no-permission', 'usage'
 */
export function checkHeader(file: string, newest: number): void {
  const { header, size } = readHeader(file);
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC || header.readUInt32BE(68) !== APPLICATION_ID) {
    throw new UserError(
      'damaged',
      `${file} is not a Contexture project, or its first bytes are damaged. Check the path.`,
    );
  }
  if (header.readUInt32BE(60) > newest) throw newerError(file);
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  // While a log of changes waits beside the file, pages may rightly be missing from it.
  if (size < pages * pageSize && !statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) {
    throw new UserError(
      'damaged',
      `${file} is damaged: its end is missing (${size} of ${pages * pageSize} bytes). Restore it from a backup, such as those in ${backupFolder(file)}.`,
    );
  }
}

/** The first 100 bytes, zeros where the file is shorter, and the file's size. */
function readHeader(file: string): { header: Buffer; size: number } {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, header, 0, HEADER_BYTES, 0);
      return { header, size: fstatSync(fd).size };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, 'open the project', file);
  }
}
