/** Where a project's pictures lie, and what happens when they move. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { systemCode, UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { openSource, sourceKind } from '../data/sources/open.ts';
import type { ImageSource } from '../data/sources/source.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import type { ImageRecord, Source } from '../storage/records.ts';
import { requireSource } from './require.ts';

/** Files whose content is compared when a source is relinked, unless all are asked for. */
const SAMPLE = 200;

/** Files that are looked at at the same time. */
const AT_ONCE = 32;

/** What is at work on sources, by project. */
const atWork = new WeakMap<Project, Set<{ sourceId: number }>>();

/** Do work that no removal of the source may come between. */
export async function workOn<T>(project: Project, sourceId: number, work: () => Promise<T>): Promise<T> {
  const works = atWork.get(project) ?? new Set();
  atWork.set(project, works);
  const one = { sourceId };
  works.add(one);
  try {
    return await work();
  } finally {
    works.delete(one);
  }
}

/** Whether a source is being scanned or relinked. */
export function isAtWork(project: Project, sourceId: number): boolean {
  return [...(atWork.get(project) ?? [])].some((one) => one.sourceId === sourceId);
}

/** The path as seen from the project file's folder; null where there is none (another drive). */
export function relativeToProject(project: Pick<Project, 'file'>, path: string): string | null {
  const found = relative(dirname(project.file), path);
  return isAbsolute(found) ? null : found;
}

/**
 * Find each source where it lies now: beside the project as before, so that both can move together, else at its old
 * path. The same for folders of plain backgrounds. To be called when a project is opened.
 * @returns the sources in the project that lie at neither place; their pictures cannot be read until they are relinked
 */
export function locateSources(project: Project): Source[] {
  const { store } = project;
  const lost: Source[] = [];
  for (const source of store.sources.all()) {
    const beside = source.relativePath === null ? undefined : resolve(dirname(project.file), source.relativePath);
    if (beside !== undefined && existsSync(beside)) {
      if (beside !== source.path) store.sources.setPath(source.id, beside, source.relativePath);
    } else if (source.removedAt === null && !existsSync(source.path)) {
      lost.push(source);
    }
  }
  for (const folder of store.backgrounds.folders()) {
    const beside = folder.relativePath === null ? undefined : resolve(dirname(project.file), folder.relativePath);
    if (beside !== undefined && beside !== folder.path && existsSync(beside)) {
      store.backgrounds.moveFolder(folder.id, beside, folder.relativePath);
    }
  }
  return lost;
}

export interface RelinkOptions {
  /** Compare the content of every file rather than of a sample. */
  all?: boolean;
  onEvent?: (event: Progress) => void;
  signal?: AbortSignal;
}

export interface RelinkSummary {
  sourceId: number;
  path: string;
  /** Pictures found there, of those that were in use; and pictures that had been missing and are back. */
  images: number;
  returned: number;
  /** Pictures whose content was compared; the others were compared by name and size. */
  compared: number;
}

/**
 * Tell a project that a source has moved. Nothing changes unless the same pictures are there: every one in use by name
 * and size, and a sample spread over them by content.
 * @throws UserError 'not-found' (no such source, nothing at the path), 'usage' (removed, another kind of source), 'changed'
 *   (other pictures; says how many), 'cancelled'
 */
export function relinkSource(
  project: Project,
  sourceId: number,
  newPath: string,
  options: RelinkOptions = {},
): Promise<RelinkSummary> {
  return workOn(project, sourceId, () => relink(project, sourceId, newPath, options));
}

async function relink(
  project: Project,
  sourceId: number,
  newPath: string,
  { all = false, onEvent = () => {}, signal }: RelinkOptions,
): Promise<RelinkSummary> {
  const { store } = project;
  const source = requireSource(store, sourceId);
  if (source.removedAt !== null) {
    throw new UserError('usage', `Source ${sourceId} (${source.path}) was removed: bring it back, then relink it.`);
  }
  const path = resolve(newPath);
  const kind = await sourceKind(path);
  if (kind !== source.kind) {
    throw new UserError('usage', `The source is a ${source.kind}, ${path} is a ${kind}. Import it as a new source.`);
  }
  const images = [...store.images.iterate({ sourceId })];
  const inUse = images.filter(({ state }) => state !== 'missing').length;
  const every = all ? 1 : Math.max(1, Math.floor(images.length / SAMPLE));
  const meter = new ProgressMeter(onEvent, { stage: 'Comparing pictures', unit: 'images', total: images.length });
  const opened = await openSource({ kind, path });
  const same: number[] = [];
  const different: ImageRecord[] = [];
  let compared = 0;
  try {
    const compare = async ({ image, index }: { image: ImageRecord; index: number }): Promise<boolean> => {
      if (signal?.aborted) return false;
      const byContent = index % every === 0;
      const result = await isSame(opened, image, byContent);
      if (byContent && result) compared += 1;
      return result;
    };
    const items = images.map((image, index) => ({ image, index }));
    let next = 0;
    for await (const result of mapOrdered(items, AT_ONCE, compare)) {
      if (signal?.aborted) throw new UserError('cancelled', 'Relinking was cancelled; nothing has changed.');
      const image = images[next++];
      if (result) same.push(image.id);
      else if (image.state !== 'missing') different.push(image);
      meter.add();
    }
  } finally {
    await opened.close();
  }
  meter.finish();
  if (different.length > 0 || same.length === 0) {
    const count = `${different.length} of ${inUse} pictures`;
    const first = different.length > 0 ? ` (the first: ${different[0].path})` : '';
    throw new UserError(
      'changed',
      `${path} does not hold the same pictures: ${count} are missing or different${first}. ` +
        'Choose another place, or import it as a new source.',
    );
  }
  const returning = new Set(images.filter(({ state }) => state === 'missing').map(({ id }) => id));
  const returned = same.filter((id) => returning.has(id));
  store.transaction(() => {
    store.sources.setPath(sourceId, path, relativeToProject(project, path));
    store.images.setState(returned, 'ok');
  });
  return { sourceId, path, images: same.length - returned.length, returned: returned.length, compared };
}

/** Whether a file of that name and size, and perhaps of that content, is there. */
async function isSame(source: ImageSource, image: ImageRecord, byContent: boolean): Promise<boolean> {
  try {
    const { size } = await source.stat(image);
    if (size !== image.size) return false;
    return !byContent || sha256(await source.read(image)) === image.hash;
  } catch (error) {
    if (error instanceof UserError || systemCode(error) !== undefined) return false;
    throw error;
  }
}
