/** Records that a caller names, or the one sentence that says that there is none. */
import { UserError } from '../base/errors.ts';
import type { ContextRow, ProjectStore } from '../storage/project-store.ts';
import type { ClassRecord, Context, ImageRecord, Source } from '../storage/records.ts';

/** One that was removed, too. @throws UserError 'not-found' */
export function requireSource(store: ProjectStore, id: number): Source {
  return store.sources.get(id) ?? missing('source', id);
}

/** @throws UserError 'not-found' */
export function requireImage(store: ProjectStore, id: number): ImageRecord {
  return store.images.get(id) ?? missing('image', id);
}

/** Each once, in the order asked for. @throws UserError 'not-found' naming the first that is not there */
export function requireImages(store: ProjectStore, ids: Iterable<number>): ImageRecord[] {
  return all('image', [...new Set(ids)], (wanted) => store.images.many(wanted));
}

/** @throws UserError 'not-found' */
export function requireContext(store: ProjectStore, id: number): Context {
  return store.contexts.get(id) ?? missing('context', id);
}

/** With what is known of their images; each once, in the order asked for. Errors as `requireImages`. */
export function requireContextRows(store: ProjectStore, ids: Iterable<number>): ContextRow[] {
  return all('context', [...new Set(ids)], (wanted) => store.contexts.rows(wanted));
}

/** A class by its name, merged into another or not. @throws UserError 'not-found' */
export function requireClass(store: ProjectStore, name: string): ClassRecord {
  const record = store.classes.byName(name.normalize('NFC'));
  if (record) return record;
  throw new UserError('not-found', `There is no class called ${name} in this project: check its spelling.`);
}

function all<One extends { id: number }>(what: string, ids: number[], find: (ids: number[]) => One[]): One[] {
  const found = find(ids);
  if (found.length === ids.length) return found;
  const there = new Set(found.map(({ id }) => id));
  return missing(
    what,
    ids.find((id) => !there.has(id))!,
  );
}

function missing(what: string, id: number): never {
  throw new UserError('not-found', `There is no ${what} ${id} in this project: check the number.`);
}
