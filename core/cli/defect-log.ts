/** Keeps the details of a defect where a report can find them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** @returns the file written, or undefined where the cache folder cannot be written to */
export function writeDefectLog(error: unknown, env: NodeJS.ProcessEnv = process.env): string | undefined {
  // An empty variable counts as unset, as the XDG specification says.
  const folder = join(env.CONTEXTURE_CACHE || env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'contexture', 'logs');
  const now = new Date().toISOString();
  const file = join(folder, `${now.replaceAll(':', '')}-${process.pid}.log`);
  const text = [
    now,
    process.argv
      .slice(2)
      .map((argument) => JSON.stringify(argument))
      .join(' '),
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
