/** Packs that nobody has opened for a while go: they can be made anew from the pictures at any time. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packFolder } from './packed.ts';

/** Milliseconds since it was last opened after which a pack is taken for one of data or a size that nobody uses. */
const UNUSED = 14 * 24 * 3600 * 1000;

/**
 * Delete packs, finished or not, that were last opened or written to two weeks ago or earlier.
 * @param now milliseconds since 1970
 * @returns names of the files that are gone
 */
export function prunePacks(cacheFolder: string, now = Date.now()): string[] {
  const folder = packFolder(cacheFolder);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // No pack has been made yet.
    return [];
  }
  return names.filter((name) => {
    try {
      if (now - statSync(join(folder, name)).mtimeMs < UNUSED) return false;
      rmSync(join(folder, name));
      return true;
    } catch {
      // Another process was faster, or has it open and the system minds: it is tried again by the next run.
      return false;
    }
  });
}
