/** The trash: runs that were thrown away, until it is emptied. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, Run } from '../storage/records.ts';
import { findRun } from './run-data.ts';

/** What emptying the trash frees. */
export interface TrashContent {
  runs: number;
  bytes: number;
}

/**
 * Throw runs away. They stay whole until the trash is emptied.
 * @throws UserError 'not-found'; 'usage' for a run that is queued or at work; none is then thrown away
 */
export function trashRuns(project: Project, ids: readonly number[]): void {
  for (const run of ids.map((id) => findRun(project, id))) {
    if (run.state === 'running' || run.state === 'queued') {
      throw new UserError('usage', `Run ${run.id} (${run.name}) is ${run.state}: stop it before you throw it away.`);
    }
  }
  setTrashed(project, ids, new Date().toISOString());
}

/** Take runs out of the trash. @throws UserError 'not-found' */
export function restoreRuns(project: Project, ids: readonly number[]): void {
  for (const id of ids) findRun(project, id);
  setTrashed(project, ids, null);
}

function setTrashed({ store }: Project, ids: readonly number[], trashedAt: string | null): void {
  store.transaction(() => {
    for (const id of ids) store.runs.update(id, { trashedAt });
  });
}

/** How much emptying the trash would free. */
export function trashContent(project: Project): TrashContent {
  const runs = trashedRuns(project);
  const blobs = onlyNamedBy(project, runs).map((blob) => project.blobs.path(blob));
  const checkpoints = runs.flatMap(({ id }) => filesIn(project.runFolder(id)));
  return { runs: runs.length, bytes: [...blobs, ...checkpoints].reduce((sum, file) => sum + sizeOf(file), 0) };
}

/**
 * Delete the runs in the trash for good, and the files that nothing else names. Nothing may be at work in the project
 * that writes or reads blobs which no record names yet.
 * @returns what was freed
 * @throws UserError 'no-permission', … when a file cannot be deleted; the runs are gone by then
 */
export function emptyTrash(project: Project): TrashContent {
  const runs = trashedRuns(project);
  const content = trashContent(project);
  const blobs = onlyNamedBy(project, runs);
  // First the records: a file too many does no harm, a record without its file does.
  project.store.runs.remove(runs.map(({ id }) => id));
  for (const path of [
    ...blobs.map((blob) => project.blobs.path(blob)),
    ...runs.map(({ id }) => project.runFolder(id)),
  ]) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw fileError(error, 'delete a file of the project', path);
    }
  }
  return content;
}

function trashedRuns({ store }: Project): Run[] {
  return store.runs.listed().flatMap(({ id, trashedAt }) => (trashedAt === null ? [] : [store.runs.get(id)!]));
}

/** Blobs of these runs that no other run and nothing else names. */
function onlyNamedBy({ store }: Project, runs: readonly Run[]): BlobId[] {
  const blobs = runs.flatMap(({ id, datasetBlob, bankBlob, modelBlob, predictionsBlob }) =>
    [
      datasetBlob,
      bankBlob,
      modelBlob,
      predictionsBlob,
      ...store.variants.ofRun(id).map((variant) => variant.blob),
      store.reliance.ofRun(id)?.blob ?? null,
    ].filter((blob) => blob !== null),
  );
  const ids = runs.map(({ id }) => id);
  const named = store.namedBlobs(blobs, ids);
  return [...new Set(blobs)].filter((blob) => !named.has(blob));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'look into a folder of the project', folder);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
