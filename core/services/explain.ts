/** Have a run's model look at pictures, in a process of its own that leaves the machine to a training beside it. */
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { ExplainEvent, ExplainPicture, ExplainResult, ExplainSpec } from '../predict/explain-job.ts';
import type { TrySpec } from '../predict/try-job.ts';
import type { Project } from '../storage/project.ts';
import type { ImageRecord, Run } from '../storage/records.ts';
import { engineJobEnvironment } from './job-environment.ts';

/** Classes told of each picture. */
const TOP = 5;

/** Pictures with the folders or files that they lie in. */
export interface ExplainInput {
  roots: SnapshotRoot[];
  pictures: { picture: ExplainPicture; label: number | null }[];
}

/**
 * Look at pictures with a model.
 * @param model absolute path of its file
 * @param head whose evidence is shown; null for the one that the model answers by
 * @throws UserError 'not-found', 'damaged', 'engine', 'memory', 'cancelled'
 */
export async function explainPictures(
  model: string,
  head: Head | null,
  input: ExplainInput,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<ExplainEvent>, 'onEvent' | 'signal'>,
): Promise<ExplainResult> {
  const spec: ExplainSpec = { model, head, ...input, top: TOP };
  return runJob<ExplainSpec, ExplainEvent, ExplainResult>('explain', spec, {
    ...(onEvent ? { onEvent } : {}),
    ...(signal ? { signal } : {}),
    env: besideTraining(),
  });
}

/** One thread, and no graphics card: what trains meanwhile keeps both to itself. */
function besideTraining(): Record<string, string> {
  return { ...engineJobEnvironment(1), CUDA_VISIBLE_DEVICES: '-1' };
}

/**
 * Look at a few pictures by the head that the model answers by; the model stays loaded for the next ones.
 * @returns one event for each picture
 * @throws UserError as `explainPictures`
 */
export async function explainFew(
  model: string,
  input: ExplainInput,
  runJob: RunJob,
  { signal }: Pick<RunJobOptions<Progress>, 'signal'>,
): Promise<ExplainEvent[]> {
  const spec: TrySpec = { model, ...input, top: TOP };
  return runJob<TrySpec, Progress, ExplainEvent[]>('try', spec, {
    ...(signal ? { signal } : {}),
    env: besideTraining(),
  });
}

/** The model of a run. @throws UserError 'empty' when it has none yet */
export function requireModel({ id, name, modelBlob }: Run): string {
  if (modelBlob !== null) return modelBlob;
  throw new UserError(
    'empty',
    `Run ${id} (${name}) has no model: it has not finished. Choose one that has, or go on with \`contexture resume ${id}\`.`,
  );
}

/** An image of the project as the job reads it; `roots` gets its source where it lacks it. */
export function imagePicture(project: Project, image: ImageRecord, roots: SnapshotRoot[]): ExplainPicture {
  const { kind, path: rootPath } = project.store.sources.get(image.sourceId)!;
  let root = roots.findIndex((known) => known.path === rootPath);
  if (root < 0) root = roots.push({ kind, path: rootPath }) - 1;
  const { path, pathBytes, hash, width, height } = image;
  return {
    root,
    path,
    ...(pathBytes ? { pathBytes: Buffer.from(pathBytes).toString('base64') } : {}),
    hash,
    width,
    height,
    name: path,
  };
}
