/** From a path to the source that reads it. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileError, UserError } from '../../base/errors.ts';
import type { Source } from '../../storage/records.ts';
import { CsvSource } from './csv.ts';
import { FolderSource } from './folder.ts';
import type { ImageSource } from './source.ts';
import { ZipSource } from './zip.ts';

/**
 * What kind of source lies at a path: a folder, or a file ending in .zip, .csv or .tsv.
 * @throws UserError 'not-found', 'no-permission', or 'usage' when it is none of them
 */
export async function sourceKind(path: string): Promise<Source['kind']> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(error, 'import', path);
  }
  if (isFolder) return 'folder';
  const extension = extname(path).toLowerCase();
  if (extension === '.zip') return 'zip';
  if (extension === '.csv' || extension === '.tsv') return 'csv';
  throw new UserError('usage', `Cannot import ${path}: it is neither a folder nor a .zip or .csv file.`);
}

/**
 * Open a source; close it after use.
 * @param exclude absolute real paths of folders that are not looked into
 * @throws UserError when a zip file is gone or damaged; a folder or CSV file is looked at when it is listed
 */
export async function openSource(
  { kind, path }: Pick<Source, 'kind' | 'path'>,
  exclude: readonly string[] = [],
): Promise<ImageSource> {
  if (kind === 'zip') return ZipSource.open(path);
  return kind === 'csv' ? new CsvSource(path) : new FolderSource(path, { exclude });
}
