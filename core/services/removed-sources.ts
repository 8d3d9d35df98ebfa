/** Taking a source out of a project, and bringing it back. Nothing is deleted: its images only go out of use. */
import { existsSync } from 'node:fs';
import { systemCode, UserError } from '../base/errors.ts';
import { mapOrdered } from '../data/flow.ts';
import { openSource } from '../data/sources/open.ts';
import type { ImageSource } from '../data/sources/source.ts';
import type { Project } from '../storage/project.ts';
import type { SourceContent } from '../storage/project-store.ts';
import type { ImageRecord, Source } from '../storage/records.ts';
import { requireSource } from './require.ts';
import { isAtWork } from './sources.ts';

/** Files that are looked at at the same time. */
const AT_ONCE = 32;

/** What would go out of use with a source. @throws UserError 'not-found'; 'usage' when it is out already */
export function sourceContent(project: Project, id: number): SourceContent {
  const source = requireSource(project.store, id);
  if (source.removedAt !== null) throw new UserError('usage', `Source ${id} (${source.path}) was removed already.`);
  return project.store.sources.content(id);
}

/**
 * Take a source out of the project. Masks, contexts, labels and edits of its images stay stored, and so do runs and exports;
 * its files are not touched.
 * @returns what went out of use
 * @throws UserError 'not-found'; 'usage' when it is out already, or is being imported or relinked
 */
export function removeSource(project: Project, id: number): SourceContent {
  const content = sourceContent(project, id);
  if (isAtWork(project, id)) throw stillAtWork(requireSource(project.store, id));
  project.store.sources.remove(id, new Date().toISOString());
  return content;
}

/** Why a source cannot be removed now. */
export function stillAtWork({ id, path }: Source): UserError {
  return new UserError(
    'usage',
    `Source ${id} (${path}) is being imported or relinked: wait until that has ended or cancel it, then remove the source.`,
  );
}

/**
 * Bring a source back as it was when it was removed.
 * @returns what is in use again
 * @throws UserError 'not-found'; 'usage' when it is in the project
 */
export function restoreSource(project: Project, id: number): SourceContent {
  const source = requireSource(project.store, id);
  if (source.removedAt === null)
    throw new UserError('usage', `Source ${id} (${source.path}) is in the project already.`);
  project.store.sources.restore(id);
  return project.store.sources.content(id);
}

/**
 * Whether files of a source are not as the last look found them, by size and time, so that it has to be scanned again. One
 * that is not there at all is left to be relinked.
 * @throws UserError 'not-found'
 */
export async function hasChanged(project: Project, id: number): Promise<boolean> {
  const source = requireSource(project.store, id);
  if (!existsSync(source.path)) return false;
  let opened: ImageSource;
  try {
    opened = await openSource(source);
  } catch (error) {
    // The scan says what is wrong.
    if (error instanceof UserError) return true;
    throw error;
  }
  try {
    const images = project.store.images.iterate({ sourceId: id, state: 'ok' });
    for await (const same of mapOrdered(images, AT_ONCE, (image) => isAsFound(opened, image))) if (!same) return true;
    return false;
  } finally {
    await opened.close();
  }
}

async function isAsFound(source: ImageSource, image: ImageRecord): Promise<boolean> {
  try {
    const { size, mtimeMs } = await source.stat(image);
    return size === image.size && mtimeMs === image.mtimeMs;
  } catch (error) {
    if (error instanceof UserError || systemCode(error) !== undefined) return false;
    throw error;
  }
}
