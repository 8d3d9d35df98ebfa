/** The predict job: a model's answers for all pictures of a folder. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileError, UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { openSource } from '../data/sources/open.ts';
import type { ImageSource, SourceItem } from '../data/sources/source.ts';
import { startEngine } from '../engine/backend.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { decodeModelFile, type ModelFile } from '../models/model-file.ts';
import type { Source } from '../storage/records.ts';
import { Classifier } from './classifier.ts';
import { concernsPictures, readPicture, type Picture } from './pictures.ts';

export interface PredictSpec {
  /** Absolute path of the model file. */
  model: string;
  /** Absolute path of the folder, zip or CSV file with the pictures. */
  source: Pick<Source, 'kind' | 'path'>;
  /** Classes told for each picture, most probable first. */
  top: number;
  /** The head that answers; null for the one that the model's method is judged by. */
  head: Head | null;
}

/** Most probable classes of one picture. */
export interface Prediction {
  /** Path inside the source. */
  file: string;
  /** Most probable first. */
  classes: { class: string; probability: number }[];
}

/** A picture without an answer. */
export interface Unreadable {
  file: string;
  /** One sentence. */
  reason: string;
}

/** The model at work. */
export interface ModelUsed {
  /** Class names in label order. */
  classes: string[];
  method: string;
  head: Head;
  /** Pixels. */
  inputSize: number;
  /** Largest relative difference between the logits of the self-test and those stored. */
  selfTest: number;
}

export type PredictEvent =
  | Progress
  /** Sent once, when the model has passed its self-test. */
  | { type: 'model'; model: ModelUsed }
  /** In the order of the source. */
  | { type: 'rows'; rows: (Prediction | Unreadable)[] };

export interface PredictResult {
  /** Pictures with an answer, and without one. */
  predicted: number;
  unreadable: number;
}

/** Pixels that go through the network at a time. */
export const PIXELS_A_BATCH = 512 * 32 * 32;

/**
 * Predict.
 * @throws UserError 'not-found' or 'damaged' (the model file, or its self-test fails), 'engine', 'empty' (no picture),
 *   'cancelled'
 */
export const predictJob: Job<PredictSpec, PredictEvent, PredictResult> = async (spec, port) => {
  const file = readModel(spec.model);
  startEngine(readEngineInstall());
  const classifier = new Classifier(file, spec.head);
  const selfTest = classifier.selfTest(file.selfTest, spec.model);
  const { classes, method, preprocessing } = file.card;
  const model: ModelUsed = { classes, method, head: classifier.head, inputSize: preprocessing.inputSize, selfTest };
  port.emit({ type: 'model', model });
  const source = await openSource(spec.source);
  try {
    return await predictAll(source, classifier, spec.top, port);
  } finally {
    await source.close();
    classifier.dispose();
  }
};

/** @throws UserError 'not-found', 'no-permission' or 'damaged' */
export function readModel(path: string): ModelFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read the model', path);
  }
  return decodeModelFile(bytes, path);
}

async function predictAll(
  source: ImageSource,
  classifier: Classifier,
  top: number,
  port: JobPort<PredictEvent>,
): Promise<PredictResult> {
  const items = await listPictures(source, port.signal);
  const { inputSize: size, enlarge } = classifier.card.preprocessing;
  const batchSize = Math.max(1, Math.floor(PIXELS_A_BATCH / (size * size)));
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Predicting',
    unit: 'images',
    total: items.length,
  });
  const result = { predicted: 0, unreadable: 0 };
  let batch: Picture[] = [];
  const flush = async (): Promise<void> => {
    const rows = rowsOf(batch, classifier, top);
    for (const row of rows) result['classes' in row ? 'predicted' : 'unreadable']++;
    if (rows.length > 0) port.emit({ type: 'rows', rows });
    batch = [];
    await port.drained();
  };
  const read = async (item: SourceItem): Promise<Picture | undefined> =>
    port.signal.aborted ? undefined : readPicture(source, item, { width: size, height: size, fit: 'cover', enlarge });
  for await (const picture of mapOrdered(items, availableParallelism() * 4, read)) {
    stopIfCancelled(port.signal);
    if (picture) batch.push(picture);
    if (batch.length >= batchSize) await flush();
    meter.add();
  }
  await flush();
  meter.finish();
  if (result.predicted + result.unreadable === 0) {
    throw new UserError('empty', `${source.path} holds no picture that can be read. Check the path.`);
  }
  return result;
}

async function listPictures(source: ImageSource, signal: AbortSignal): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const item of source.list(signal)) if (concernsPictures(item)) items.push(item);
  stopIfCancelled(signal);
  return items;
}

function stopIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new UserError('cancelled', 'The prediction was cancelled.');
}

/** Rows of a batch, in its order. */
function rowsOf(batch: readonly Picture[], classifier: Classifier, top: number): (Prediction | Unreadable)[] {
  const readable = batch.flatMap((picture) => ('pixels' in picture ? [picture.pixels] : []));
  if (readable.length === 0) return batch.filter((picture) => 'reason' in picture);
  const { classes } = classifier.card;
  const probabilities = classifier.probabilities(Buffer.concat(readable), readable.length);
  let next = 0;
  return batch.map((picture) => {
    if ('reason' in picture) return picture;
    const row = probabilities.subarray(next * classes.length, ++next * classes.length);
    return { file: picture.file, classes: topClasses(row, classes, top) };
  });
}

function topClasses(row: Float32Array, classes: readonly string[], top: number): Prediction['classes'] {
  return topLabels(row, top).map((label) => ({ class: classes[label], probability: row[label] }));
}

/** Labels of the most probable classes, best first; of equal ones the first. @param row probability of each class */
export function topLabels(row: Float32Array, top: number): number[] {
  return [...row.keys()].toSorted((a, b) => row[b] - row[a] || a - b).slice(0, top);
}
