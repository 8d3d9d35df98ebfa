/** Use a trained model on pictures: a folder, a zip file or a list. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { sourceKind } from '../data/sources/open.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { ModelUsed, PredictEvent, PredictResult, PredictSpec, Unreadable } from '../predict/predict-job.ts';
import { tableWriter, type TableFormat } from '../predict/table.ts';
import { engineJobEnvironment } from './job-environment.ts';
import type { Project } from '../storage/project.ts';

export interface PredictOptions {
  /** Model file; see `modelOfRun`. */
  model: string;
  /** Folder, zip or CSV file with the pictures. */
  path: string;
  /** Classes told for each picture, most probable first; 5 by default. */
  top?: number;
  /** The head that answers; by default the one that the model's method is judged by. */
  head?: Head;
  format: TableFormat;
  /** File to write, which must not be there; or where the text goes, piece by piece. */
  out: string | ((text: string) => void);
}

export interface PredictOutcome extends PredictResult {
  model: ModelUsed;
  /** Pictures without an answer, all of them. */
  problems: Unreadable[];
}

/**
 * Predict the class of every picture.
 * @throws UserError 'not-found', 'damaged' (the model, or it fails its self-test), 'exists' (the file to write), 'empty'
 *   (no pictures), 'usage', 'engine', 'cancelled'; a file to write is then not made
 */
export async function predictPictures(
  options: PredictOptions,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'> = {},
): Promise<PredictOutcome> {
  const { top = 5, head = null, out } = options;
  if (!Number.isSafeInteger(top) || top < 1) throw new UserError('usage', `"top" must be at least 1, not ${top}.`);
  const path = resolve(options.path);
  const spec: PredictSpec = {
    model: resolve(options.model),
    source: { kind: await sourceKind(path), path },
    top,
    head,
  };
  if (typeof out === 'string') refuseExisting(resolve(out));
  const chunks: Buffer[] = [];
  const write = typeof out === 'string' ? (text: string): void => void chunks.push(Buffer.from(text)) : out;
  const table = tableWriter(options.format, top);
  const problems: Unreadable[] = [];
  let model: ModelUsed | undefined;
  const receive = (event: PredictEvent): void => {
    if (event.type === 'progress') {
      onEvent?.(event);
    } else if (event.type === 'model') {
      ({ model } = event);
      write(table.begin(model));
    } else {
      write(table.rows(event.rows));
      for (const row of event.rows) if ('reason' in row) problems.push(row);
    }
  };
  const result = await runJob<PredictSpec, PredictEvent, PredictResult>('predict', spec, {
    onEvent: receive,
    ...(signal ? { signal } : {}),
    env: engineJobEnvironment(0),
  });
  write(table.end());
  if (typeof out === 'string') {
    refuseExisting(resolve(out));
    writeDurably(resolve(out), chunks);
  }
  return { ...result, model: model!, problems };
}

/**
 * The model file of a finished run.
 * @param runId null for the newest finished run
 * @throws UserError 'not-found' for no such run, 'empty' when it has no model yet
 */
export function modelOfRun(project: Project, runId: number | null): string {
  const { runs } = project.store;
  const run = runId === null ? runs.list().find(({ modelBlob }) => modelBlob !== null) : runs.get(runId);
  if (!run) {
    const what = runId === null ? 'has no finished run' : `has no run ${runId}`;
    throw new UserError('not-found', `The project ${what}. See \`contexture runs\`, or name a model file.`);
  }
  if (run.modelBlob === null) {
    throw new UserError(
      'empty',
      `Run ${run.id} has no model: it has not finished. Go on with \`contexture resume ${run.id}\`.`,
    );
  }
  return project.blobs.path(run.modelBlob);
}

function refuseExisting(path: string): void {
  if (existsSync(path)) throw new UserError('exists', `${path} is there already. Choose another file, or delete it.`);
}
