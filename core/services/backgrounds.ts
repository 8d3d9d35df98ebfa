/** Plain backgrounds of the bank: added from folders, listed, retired and put back, noted, removed. */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AddedBackgrounds, BackgroundEntry } from '../api/backgrounds.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { BackgroundsEvent, BackgroundsResult, BackgroundsSpec, FoundBackground } from '../data/backgrounds-job.ts';
import { sourceKind } from '../data/sources/open.ts';
import type { RunJob } from '../jobs/protocol.ts';
import { filesFolder, type Project } from '../storage/project.ts';
import type { Background, BackgroundFolder, NewProblem, Split } from '../storage/records.ts';
import { countUses } from './bank.ts';
import type { Act } from './contexts.ts';
import { realPath } from './import.ts';
import { locateSources, relativeToProject } from './sources.ts';

/** Problems that are told one by one. */
const MOST_PROBLEMS = 200;

/** @throws UserError 'not-found', 'no-permission' or 'usage' for what is no folder */
export async function requireFolder(path: string): Promise<void> {
  if ((await sourceKind(path)) === 'folder') return;
  throw new UserError('usage', `${path} is no folder. Name a folder with pictures of plain backgrounds.`);
}

/**
 * Add the pictures of folders to the bank as plain backgrounds; the files stay where they are. One that is also in the data
 * set is refused. A folder that was added before is brought up to date: new pictures come in, changed ones are taken as they
 * are now, one that has moved is known by its content.
 * @returns what was added, and what was not and why
 * @throws UserError 'not-found', 'no-permission' or 'usage' for what is no folder; 'empty' where no picture could be used;
 *   'cancelled': what was read stays
 */
export async function addBackgrounds(
  project: Project,
  folders: readonly string[],
  by: Act,
  runJob: RunJob,
  { onEvent, signal }: { onEvent?: (event: Progress) => void; signal?: AbortSignal } = {},
): Promise<AddedBackgrounds> {
  for (const path of folders) await requireFolder(path);
  locateSources(project);
  const result: AddedBackgrounds = { files: 0, added: 0, known: 0, changed: 0, refused: 0, problems: [] };
  const note = (problem: NewProblem): void => {
    if (problem.severity === 'error') result.refused++;
    if (problem.severity !== 'note' && result.problems.length < MOST_PROBLEMS) result.problems.push(problem);
  };
  for (const path of folders) {
    const real = realpathSync(resolve(path));
    const take = (event: BackgroundsEvent): void => {
      if (event.type === 'progress') return onEvent?.(event);
      project.store.transaction(() => {
        for (const problem of event.problems) note(problem);
        if (event.pictures.length === 0) return;
        const folder = project.store.backgrounds.folder(real, relativeToProject(project, real));
        for (const picture of event.pictures) {
          const taken = takePicture(project, folder, picture, by);
          if (typeof taken === 'string') result[taken]++;
          else note(taken);
        }
      });
    };
    const spec: BackgroundsSpec = { path: real, exclude: [realPath(filesFolder(project.file))] };
    const { files } = await runJob<BackgroundsSpec, BackgroundsEvent, BackgroundsResult>('backgrounds', spec, {
      onEvent: take,
      ...(signal ? { signal } : {}),
    });
    result.files += files;
  }
  if (result.added + result.known + result.changed > 0) return result;
  const why = result.problems.length > 0 ? ` ${result.problems[0].path}: ${result.problems[0].reason}` : '';
  const where = folders.length === 1 ? `${folders[0]} holds` : 'The folders hold';
  throw new UserError('empty', `${where} no picture that can be a background.${why} Choose another folder.`);
}

/** @returns what became of it, or why it cannot be used */
function takePicture(
  { store }: Project,
  folder: BackgroundFolder,
  { pathBytes: exact, ...found }: FoundBackground,
  { author, at }: Act,
): 'added' | 'known' | 'changed' | NewProblem {
  const { backgrounds } = store;
  const pathBytes = exact === undefined ? null : Buffer.from(exact, 'base64');
  const file = { ...found, pathBytes, folderId: folder.id };
  const here = backgrounds.byPath(folder.id, file.path, pathBytes);
  if (here?.hash === file.hash) return 'known';
  const refusal = twinInData(store, file.hash);
  if (refusal) {
    // The old content is gone, and the new one must not be used.
    if (here) backgrounds.setRetired(here.id, here.retiredAt ?? at);
    return { path: join(folder.path, file.path), ...refusal };
  }
  const twin = backgrounds.withHash(file.hash);
  if (twin) return movedOrTwice(store, twin, file, folder);
  if (here) {
    backgrounds.setFile(here.id, file);
    return 'changed';
  }
  backgrounds.add({ ...file, author, addedAt: at });
  return 'added';
}

/** Why a content that is in the data set cannot be a background. */
function twinInData(store: Project['store'], hash: string): Omit<NewProblem, 'path'> | undefined {
  const twins = store.images.many(store.images.withHash(hash));
  const heldOut = twins.find(({ split }) => split === 'val' || split === 'test');
  if (heldOut) {
    const where: Split = heldOut.split!;
    const reason = `It is the very file of the ${where} image ${heldOut.path}: laid under training images it would leak what runs are judged on, so it is not added.`;
    return { kind: 'leak', severity: 'error', reason };
  }
  const [twin] = twins;
  if (!twin) return undefined;
  const reason = `It is already in the data set, as ${twin.path}: find its context instead, so it is not added.`;
  return { kind: 'in-data-set', severity: 'error', reason };
}

/** The same content is known: from a place where it no longer is, or from another one. */
function movedOrTwice(
  { backgrounds }: Project['store'],
  twin: Background,
  file: Omit<Background, 'id' | 'author' | 'addedAt' | 'retiredAt' | 'note'>,
  folder: BackgroundFolder,
): 'known' | NewProblem {
  const from = placeOf(backgrounds.folders(), twin);
  if (existsSync(from)) {
    const reason = `It is already a background, as ${from}.`;
    return { path: join(folder.path, file.path), kind: 'twice', severity: 'warning', reason };
  }
  backgrounds.setFile(twin.id, file);
  return 'known';
}

function placeOf(folders: readonly BackgroundFolder[], { folderId, path }: Background): string {
  return join(folders.find(({ id }) => id === folderId)!.path, path);
}

/** All plain backgrounds, those of the bank and the retired ones, in order of id. @throws UserError 'damaged' */
export async function listBackgrounds(project: Project): Promise<BackgroundEntry[]> {
  const { backgrounds, uses } = project.store;
  await countUses(project);
  const used = uses.ofBackgrounds();
  const folders = backgrounds.folders();
  return backgrounds.list().map((background) => {
    const { id, width, height, author, addedAt, retiredAt, note } = background;
    const made = used.get(id) ?? { runs: 0, exports: 0, pictures: 0 };
    return { id, file: placeOf(folders, background), width, height, author, addedAt, retiredAt, note, ...made };
  });
}

/**
 * Take backgrounds out of the bank or put them back, all or none.
 * @returns how many changed
 * @throws UserError 'not-found' naming the first unknown one
 */
export function retireBackgrounds({ store }: Project, ids: readonly number[], retired: boolean, at: string): number {
  return store.transaction(() => {
    const changed = ids.filter((id) => (requireBackground(store, id).retiredAt !== null) !== retired);
    for (const id of changed) store.backgrounds.setRetired(id, retired ? at : null);
    return changed.length;
  });
}

/** Write the note of a background. @throws UserError 'not-found' */
export function noteBackground({ store }: Project, id: number, note: string): void {
  requireBackground(store, id);
  store.backgrounds.setNote(id, note.trim());
}

/**
 * Forget backgrounds that nothing was made with, all or none; their files stay.
 * @throws UserError 'not-found'; 'usage' for one that a run or export was made with
 */
export async function removeBackgrounds(project: Project, ids: readonly number[]): Promise<void> {
  const { store } = project;
  await countUses(project);
  const used = store.uses.ofBackgrounds();
  store.transaction(() => {
    for (const id of new Set(ids)) {
      const { path } = requireBackground(store, id);
      const made = used.get(id);
      if (made) {
        throw new UserError(
          'usage',
          `Background ${id} (${path}) is in what was made before (runs: ${made.runs}, exports: ${made.exports}). Retire it instead: no later run or export draws from it.`,
        );
      }
      store.backgrounds.remove(id);
    }
  });
}

/** @throws UserError 'not-found' */
export function requireBackground(store: Project['store'], id: number): Background {
  const background = store.backgrounds.get(id);
  if (!background) throw new UserError('not-found', `There is no background ${id} in this project.`);
  return background;
}
