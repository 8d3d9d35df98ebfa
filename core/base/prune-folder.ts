/** Folders that keep files for a while. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Delete the files that nobody has written for so long. @param kept milliseconds */
export async function pruneFolder(folder: string, kept: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > kept) await rm(path, { force: true });
  }
}
