/** Records that a caller names by number, or the one sentence that says that there is none. */
import { UserError } from '../base/errors.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { Context, ImageRecord, Source } from '../storage/records.ts';

/** One that was removed, too. @throws UserError 'not-found' */
export function requireSource(store: ProjectStore, id: number): Source {
  const source = store.sources.get(id);
  if (!source) throw new UserError('not-found', `There is no source ${id}. See the list of sources.`);
  return source;
}

/** @throws UserError 'not-found' */
export function requireImage(store: ProjectStore, id: number): ImageRecord {
  const image = store.images.get(id);
  if (!image) throw new UserError('not-found', `There is no image ${id} in this project.`);
  return image;
}

/** @throws UserError 'not-found' */
export function requireContext(store: ProjectStore, id: number): Context {
  const context = store.contexts.get(id);
  if (!context) throw new UserError('not-found', `There is no context ${id} in this project.`);
  return context;
}
