/** Which project a command is about. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';

const SUFFIX = '.contexture';

/**
 * @param given what `--project` says, or undefined
 * @param folder where the command was given
 * @returns the given file, else the only project file in `folder`; absolute
 * @throws UserError 'usage' when there is none or more than one
 */
export function findProject(given: string | undefined, folder: string): string {
  if (given !== undefined) return resolve(folder, given);
  const found = projectsIn(folder);
  if (found.length === 1) return join(folder, found[0]);
  throw new UserError(
    'usage',
    found.length === 0
      ? `There is no project (*${SUFFIX}) in ${folder}: name one with --project FILE.`
      : `There are ${found.length} projects in ${folder} (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}): name one with --project FILE.`,
  );
}

/** Names of the project files in a folder, sorted. */
export function projectsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX))
    .map((entry) => entry.name)
    .toSorted();
}
