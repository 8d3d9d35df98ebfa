/** What the arguments of `contexture predict` mean: folders, zip files, lists, pictures, patterns, names on stdin. */
import { existsSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { comparePaths, promisedKind } from '../data/names.ts';
import type { PictureInput } from '../predict/pictures.ts';

/** Stands for the names on stdin, as in other tools. */
export const STDIN = '-';

/** What makes a name a pattern. */
const PATTERN = /[*?[{]/;

/**
 * Inputs of a prediction, in the order of the arguments. A pattern stands for the pictures that fit it, sorted; names on
 * stdin are taken as they are, one a line or with a zero byte after each. What stdin names and is not there is found
 * out when it is read, and told as a picture without an answer.
 * @param folder absolute; where relative names lie
 * @param stdin the text on stdin; null where `-` is not among the arguments
 * @throws UserError 'not-found' for an argument that is not there, or a pattern that nothing fits; 'empty' when stdin
 *   names nothing; 'no-permission'
 */
export async function pictureInputs(
  arguments_: readonly string[],
  folder: string,
  stdin: string | null,
): Promise<PictureInput[]> {
  const inputs: PictureInput[] = [];
  for (const argument of arguments_) {
    if (argument === STDIN) {
      for (const name of listedNames(stdin ?? ''))
        inputs.push(inputOf(name, resolve(folder, name)) ?? gone(name, folder));
      continue;
    }
    const path = resolve(folder, argument);
    if (!existsSync(path) && PATTERN.test(argument)) inputs.push(...(await fitting(argument, folder)));
    else inputs.push(inputOf(argument, path) ?? refuse(path));
  }
  // Of one folder alone, paths inside it say enough.
  const [only, ...others] = inputs;
  return others.length === 0 && only.kind !== 'picture' ? [{ ...only, name: '' }] : inputs;
}

/** Undefined where nothing is there. */
function inputOf(name: string, path: string): PictureInput | undefined {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw fileError(error, 'look at', path);
  }
  if (isFolder) return { kind: 'folder', path, name: `${name.replace(/[/\\]+$/, '')}/` };
  switch (extname(path).toLowerCase()) {
    case '.zip':
      return { kind: 'zip', path, name: `${name}/` };
    case '.csv':
    case '.tsv':
      // A list names its files itself.
      return { kind: 'csv', path, name: '' };
    default:
      return { kind: 'picture', path, name };
  }
}

const gone = (name: string, folder: string): PictureInput => ({ kind: 'picture', path: resolve(folder, name), name });

function refuse(path: string): never {
  throw new UserError('not-found', `There is nothing at ${path} to predict. Check the path.`);
}

async function fitting(pattern: string, folder: string): Promise<PictureInput[]> {
  const names: string[] = [];
  for await (const name of glob(pattern, { cwd: folder })) names.push(name);
  const pictures = names.filter((name) => ['image', 'other-image'].includes(promisedKind(name))).toSorted(comparePaths);
  if (pictures.length > 0) {
    return pictures.map((name) => ({ kind: 'picture', path: resolve(folder, name), name }));
  }
  throw new UserError('not-found', `No picture fits ${pattern} in ${folder}. Check the pattern.`);
}

function listedNames(text: string): string[] {
  const parts = text.includes('\0') ? text.split('\0') : text.split('\n').map((line) => line.replace(/\r$/, ''));
  const names = parts.filter((name) => name !== '');
  if (names.length === 0) throw new UserError('empty', 'There are no names of pictures on stdin. Write one a line.');
  return names;
}
