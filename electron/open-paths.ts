/** What a person opens from outside: words of a command line, files dropped on the icon. */
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';

/** Ending of a project file. */
export const PROJECT_ENDING = '.contexture';

/** Files that can be opened or imported, by ending; folders can too. */
const ENDINGS = [PROJECT_ENDING, '.zip', '.csv', '.tsv'];

/**
 * The paths among the words of a command line that can be opened, absolute.
 * @param cwd where relative ones begin
 * @param appPath the app itself, which an unpackaged Electron is given as a word
 */
export function pathsAmong(words: readonly string[], cwd: string, appPath: string): string[] {
  const paths = words.filter((word) => word !== '' && !word.startsWith('-')).map((word) => resolve(cwd, word));
  return paths.filter((path) => path !== resolve(appPath) && canBeOpened(path));
}

/** Whether a path is a folder, or a file that can be opened or imported. */
export function canBeOpened(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isDirectory() || (stat.isFile() && ENDINGS.includes(extname(path).toLowerCase()));
  } catch {
    return false;
  }
}
