/** Use a trained model on pictures. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Head } from '../evaluation/figures.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { PictureInput } from '../predict/pictures.ts';
import type { ModelUsed, PredictEvent, PredictResult, PredictSpec, Unreadable } from '../predict/predict-job.ts';
import { tableWriter, type TableFormat } from '../predict/table.ts';
import { engineJobEnvironment } from './job-environment.ts';

export interface PredictOptions {
  /** Absolute path of the model file; see `modelOfRun`. */
  model: string;
  /** Where the pictures are; see `pictureInputs`. */
  inputs: PictureInput[];
  /** Classes told for each picture, most probable first; 5 by default. */
  top?: number;
  /** The head that answers; by default the one that the model answers by. */
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
  const { inputs, top = 5, head = null, out } = options;
  if (!Number.isSafeInteger(top) || top < 1) throw new UserError('usage', `"top" must be at least 1, not ${top}.`);
  const spec: PredictSpec = { model: resolve(options.model), inputs, top, head };
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

function refuseExisting(path: string): void {
  if (existsSync(path)) throw new UserError('exists', `${path} is there already. Choose another file, or delete it.`);
}
