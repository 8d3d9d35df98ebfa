/** What in the pictures a run's model goes by. Maps are kept by the picture's content and the model's. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { Evidence, ExplainEvent } from '../predict/explain-job.ts';
import type { Project } from '../storage/project.ts';
import type { ImageRecord, Run } from '../storage/records.ts';
import { explainPictures, imagePicture, requireModel } from './explain.ts';
import { requireImage } from './require.ts';
import { datasetOf, findRun, headOf } from './run-data.ts';

/** A picture and the label that it is asked about. */
export interface SaliencyWish {
  image: number;
  label: number;
}

/** What is known of some wishes. */
export interface KnownSaliency {
  maps: { image: number; map: Evidence }[];
  missing: SaliencyWish[];
}

/**
 * Maps that were made before.
 * @throws UserError 'not-found' for a run or image that is not there; 'empty' without a model; 'usage' for a label that the
 *   run does not have
 */
export async function knownSaliency(
  project: Project,
  runId: number,
  wishes: readonly SaliencyWish[],
  head?: Head,
): Promise<KnownSaliency> {
  const run = findRun(project, runId);
  const { classes } = await datasetOf(project, run);
  const found = await Promise.all(
    wishes.map(async (wish) => {
      if (wish.label >= classes.length) {
        throw new UserError('usage', `Run ${runId} has ${classes.length} classes: there is no label ${wish.label}.`);
      }
      const map = await readMap(mapPath(project, run, requireImage(project.store, wish.image), wish.label, head));
      return { wish, map };
    }),
  );
  return {
    maps: found.flatMap(({ wish: { image }, map }) => (map ? [{ image, map }] : [])),
    missing: found.flatMap(({ wish, map }) => (map ? [] : [wish])),
  };
}

/** A picture without a map. */
export interface SaliencyProblem {
  image: number;
  /** One sentence. */
  reason: string;
}

/**
 * Make maps and keep them.
 * @returns the pictures that could not be looked at
 * @throws UserError 'empty' when the run has no model; else as `explainPictures`
 */
export async function makeSaliency(
  project: Project,
  runId: number,
  wishes: readonly SaliencyWish[],
  head: Head | undefined,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<ExplainEvent>, 'onEvent' | 'signal'>,
): Promise<SaliencyProblem[]> {
  const run = findRun(project, runId);
  const roots: SnapshotRoot[] = [];
  const images = wishes.map(({ image }) => requireImage(project.store, image));
  const pictures = wishes.map(({ label }, i) => ({ picture: imagePicture(project, images[i], roots), label }));
  const writing: Promise<void>[] = [];
  const problems: SaliencyProblem[] = [];
  const receive = (event: ExplainEvent): void => {
    if (event.type === 'explained') {
      const path = mapPath(project, run, images[event.index], event.evidence.label, head);
      const written = writeMap(path, event.evidence);
      // Whoever waits for all of them sees the failure.
      written.catch(() => {});
      writing.push(written);
    }
    if (event.type === 'unreadable') problems.push({ image: images[event.index].id, reason: event.reason });
    onEvent?.(event);
  };
  const model = project.blobs.path(requireModel(run));
  await explainPictures(model, headOf(run, head), { roots, pictures }, runJob, {
    onEvent: receive,
    ...(signal ? { signal } : {}),
  });
  await Promise.all(writing);
  return problems;
}

function mapPath({ cacheFolder }: Project, run: Run, { hash }: ImageRecord, label: number, head?: Head): string {
  const model = `${requireModel(run).slice(0, 16)}-${headOf(run, head)}`;
  return join(cacheFolder, 'saliency', model, hash.slice(0, 2), `${hash.slice(2)}-${label}.json`);
}

/** A kept map; undefined when there is none, or a part of one after a power loss. */
async function readMap(path: string): Promise<Evidence | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read a saliency map', path);
  }
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `writeMap` wrote, or no JSON at all
    return JSON.parse(text) as Evidence;
  } catch {
    return undefined;
  }
}

/** Not synced: it is made anew for the asking. */
async function writeMap(path: string, map: Evidence): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, JSON.stringify(map));
  } catch (error) {
    throw fileError(error, 'keep a saliency map', path);
  }
}
