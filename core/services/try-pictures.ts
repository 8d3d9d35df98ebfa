/** Try a run's model on pictures: sent by a person, or images of the project. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { PictureAnswer, PredictionResult, SentPicture, Trial, TriedPicture } from '../api/predict.ts';
import { TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
import { pruneFolder } from '../base/prune-folder.ts';
import { otherFormat, sniffFormat } from '../data/formats.ts';
import { inspectImage } from '../data/inspect.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { ExplainEvent, ExplainPicture } from '../predict/explain-job.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import { explainFew, explainPictures, imagePicture } from './explain.ts';
import { requireImage } from './require.ts';
import { headOf } from './run-data.ts';
import { modelOfRun, type RunModel } from './run-model.ts';

/** Pictures that are answered within seconds, so that nobody has to be told how far it is. */
const FEW = 8;

/** Sent pictures are kept this long, milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Keep a picture to be tried.
 * @throws UserError 'damaged' when it is none that can be read; 'no-space', …
 */
export async function keepPicture(project: Project, bytes: Buffer): Promise<SentPicture> {
  const format = sniffFormat(bytes);
  if (!format) {
    const other = otherFormat(bytes);
    const what = other ? `${other} pictures are not read` : 'This is not a picture that can be read';
    throw new UserError('damaged', `${what}: send a JPEG, PNG, WebP, GIF, TIFF or BMP file.`);
  }
  const { width, height } = await inspect(bytes, format);
  const hash = sha256(bytes);
  const folder = triedFolder(project);
  const part = join(folder, `${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    await mkdir(folder, { recursive: true });
    await pruneFolder(folder, KEPT_MS);
    await writeFile(part, bytes);
    await rename(part, join(folder, hash));
  } catch (error) {
    await rm(part, { force: true });
    throw fileError(error, 'keep the picture', folder);
  }
  return { hash, width, height, format };
}

async function inspect(bytes: Buffer, format: NonNullable<ReturnType<typeof sniffFormat>>) {
  try {
    return await inspectImage(bytes, format);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('damaged', `The picture cannot be read: ${error.message.replace(/\.$/, '')}.`, {
      cause: error,
    });
  }
}

function triedFolder({ cacheFolder }: Project): string {
  return join(cacheFolder, 'tried');
}

/**
 * Check what is asked before it is queued.
 * @returns the model that is asked
 * @throws UserError 'not-found' for a run, variant, image or sent picture that is not there; 'empty' for a run without a
 *   model
 */
export function checkTrial(project: Project, { run, variant, pictures }: Trial): RunModel {
  const model = modelOfRun(project, run, variant ?? null);
  for (const picture of pictures) {
    if ('image' in picture) {
      requireImage(project.store, picture.image);
    } else if (!existsSync(join(triedFolder(project), picture.hash))) {
      throw new UserError('not-found', 'The picture that was sent is not kept any more: send it again.');
    }
  }
  return model;
}

/**
 * What a model says of pictures, in their order.
 * @throws UserError as `checkTrial` and `explainPictures`
 */
export async function tryPictures(
  project: Project,
  trial: Trial,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<ExplainEvent>, 'onEvent' | 'signal'>,
): Promise<PredictionResult> {
  const { run, variant, path } = checkTrial(project, trial);
  const { pictures } = trial;
  const roots: SnapshotRoot[] = [];
  const looked = await Promise.all(pictures.map((picture) => toExplain(project, picture, roots)));
  const answers = pictures.map((picture): PictureAnswer => {
    return { picture, problem: 'It was not looked at.', heads: [], saliency: null };
  });
  const receive = (event: ExplainEvent): void => {
    if (event.type === 'explained') {
      const { index, heads, evidence } = event;
      answers[index] = { picture: pictures[index], problem: null, heads, saliency: evidence };
    } else if (event.type === 'unreadable') {
      answers[event.index].problem = event.reason;
    }
    onEvent?.(event);
  };
  const input = { roots, pictures: looked.map((picture) => ({ picture, label: null })) };
  const waited = signal ? { signal } : {};
  if (pictures.length <= FEW) (await explainFew(path, input, runJob, waited)).forEach(receive);
  else await explainPictures(path, null, input, runJob, { onEvent: receive, ...waited });
  return { run: run.id, judgedBy: variant?.head ?? headOf(run), answers };
}

async function toExplain(project: Project, picture: TriedPicture, roots: SnapshotRoot[]): Promise<ExplainPicture> {
  if ('image' in picture) return imagePicture(project, project.store.images.get(picture.image)!, roots);
  const { hash } = picture;
  const path = triedFolder(project);
  const known = roots.findIndex((root) => root.path === path);
  const root = known < 0 ? roots.push({ kind: 'folder', path }) - 1 : known;
  const bytes = await readFile(join(path, hash));
  const { width, height } = await inspect(bytes, sniffFormat(bytes)!);
  return { root, path: hash, hash, width, height, name: 'The picture' };
}
