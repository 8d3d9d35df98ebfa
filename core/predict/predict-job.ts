/** The predict job: a model's answers for pictures. */
import { availableParallelism } from 'node:os';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { startEngine } from '../engine/backend.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { Classifier } from './classifier.ts';
import { FoundPictures, readPicture, type FoundPicture, type Picture, type PictureInput } from './pictures.ts';
import { readModel } from './read-model.ts';

export interface PredictSpec {
  /** Absolute path of the model file. */
  model: string;
  /** Where the pictures are, in the order of the answers. */
  inputs: PictureInput[];
  /** Classes told for each picture, most probable first. */
  top: number;
  /** The head that answers; null for the one that the model answers by. */
  head: Head | null;
}

/** Most probable classes of one picture. */
export interface Prediction {
  /** As its input calls it. */
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
  /** In the order of the inputs. */
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
  try {
    return await predictAll(spec, classifier, port);
  } finally {
    classifier.dispose();
  }
};

async function predictAll(
  { inputs, top }: PredictSpec,
  classifier: Classifier,
  port: JobPort<PredictEvent>,
): Promise<PredictResult> {
  const found = await FoundPictures.find(inputs, port.signal);
  try {
    const result = await answerAll(found.pictures, classifier, top, port);
    if (result.predicted + result.unreadable > 0) return result;
  } finally {
    await found.close();
  }
  const where = inputs.length === 1 ? `${inputs[0].path} holds` : `These ${inputs.length} paths hold`;
  throw new UserError('empty', `${where} no picture that can be read. Check the path.`);
}

async function answerAll(
  pictures: readonly FoundPicture[],
  classifier: Classifier,
  top: number,
  port: JobPort<PredictEvent>,
): Promise<PredictResult> {
  stopIfCancelled(port.signal);
  const { inputSize: size, enlarge } = classifier.card.preprocessing;
  const batchSize = Math.max(1, Math.floor(PIXELS_A_BATCH / (size * size)));
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Predicting',
    unit: 'images',
    total: pictures.length,
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
  const read = async (picture: FoundPicture): Promise<Picture | undefined> =>
    port.signal.aborted ? undefined : readPicture(picture, { width: size, height: size, fit: 'cover', enlarge });
  for await (const picture of mapOrdered(pictures, availableParallelism() * 4, read)) {
    stopIfCancelled(port.signal);
    if (picture) batch.push(picture);
    if (batch.length >= batchSize) await flush();
    meter.add();
  }
  await flush();
  meter.finish();
  return result;
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
