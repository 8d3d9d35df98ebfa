/** Keeps the details of a defect where a report can find them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';

/**
 * @param argv the arguments of the command that failed
 * @returns the file written, or undefined where the cache folder cannot be written to
 */
export function writeDefectLog(error: unknown, argv: readonly string[]): string | undefined {
  const folder = join(cacheFolder(), 'logs');
  const now = new Date().toISOString();
  const file = join(folder, `${now.replaceAll(':', '')}-${process.pid}.log`);
  const text = [
    now,
    argv.map((argument) => JSON.stringify(argument)).join(' '),
    `node ${process.version} ${process.platform} ${process.arch}`,
    error instanceof Error ? error.stack : String(error),
    '',
  ].join('\n');
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    return file;
  } catch {
    return undefined;
  }
}
