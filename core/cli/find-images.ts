/** Which images the arguments of a command mean. */
import { relative, resolve, sep } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { ProjectStore } from '../storage/project-store.ts';

/**
 * @param arguments_ each an image's number, its path inside its source, its path on this machine, or the path of a folder
 *   of images
 * @param folder where the command was given, for paths on this machine
 * @returns ids, in the order given and without repetition
 * @throws UserError 'not-found' naming the first argument that fits nothing
 */
export function findImages(store: ProjectStore, arguments_: readonly string[], folder: string): number[] {
  const sources = store.sources.list();
  const found = new Set<number>();
  for (const argument of arguments_) {
    if (/^\d+$/.test(argument)) {
      found.add(Number(argument));
      continue;
    }
    const before = found.size;
    for (const source of sources) {
      const inside = relative(source.path, resolve(folder, argument)).split(sep).join('/');
      for (const path of new Set([argument.replace(/\/+$/, ''), inside])) {
        const image = store.images.byPath(source.id, path);
        if (image) found.add(image.id);
        else for (const id of imagesBelow(store, source.id, path)) found.add(id);
      }
    }
    if (found.size === before) {
      throw new UserError('not-found', `There is no image or folder ${argument} in this project: check the path.`);
    }
  }
  return [...found];
}

function imagesBelow(store: ProjectStore, sourceId: number, folder: string): number[] {
  const below: number[] = [];
  const prefix = folder === '' ? '' : `${folder}/`;
  for (const { id, path } of store.images.iterate({ sourceId })) if (path.startsWith(prefix)) below.push(id);
  return below;
}
