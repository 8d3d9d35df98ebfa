/**
 * The explain job: what a run's model says of a few pictures, and what in them it goes by. Short, and small enough to
 * run beside a training.
 */
import { availableParallelism } from 'node:os';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { decodeRgb } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import { coverCrop } from '../data/geometry.ts';
import { SnapshotFiles, type SnapshotFile } from '../data/snapshot-files.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { Classifier, type Explained } from './classifier.ts';
import { PIXELS_A_BATCH, topLabels } from './predict-job.ts';
import { readModel } from './read-model.ts';

/** A picture to look at. */
export interface ExplainPicture extends SnapshotFile {
  /** Upright size. */
  width: number;
  height: number;
  /** What it is called in a sentence. */
  name: string;
}

export interface ExplainSpec {
  /** Absolute path of the model file. */
  model: string;
  /** The head whose evidence is shown; null for the one that the model answers by. */
  head: Head | null;
  roots: SnapshotRoot[];
  /** `label`: the class whose evidence is wanted; null for the one that the head answers. */
  pictures: { picture: ExplainPicture; label: number | null }[];
  /** Classes told of each head, most probable first. */
  top: number;
}

/** Evidence for a class on a coarse grid, and which part of the upright picture it is of, in shares of its sides. */
export interface Evidence {
  label: number;
  width: number;
  height: number;
  /** One byte a cell, rows from the top, in base64; 255 is the strongest. */
  data: string;
  box: { left: number; top: number; width: number; height: number };
}

export type ExplainEvent =
  | Progress
  | {
      type: 'explained';
      /** Position in `spec.pictures`. */
      index: number;
      /** Most probable classes of each head that answers. */
      heads: { head: Head; guesses: { label: number; name: string; probability: number }[] }[];
      evidence: Evidence;
    }
  /** `reason` is one sentence. */
  | { type: 'unreadable'; index: number; reason: string };

export interface ExplainResult {
  explained: number;
  unreadable: number;
}

/** A decoded picture waiting for its batch. */
interface Waiting {
  index: number;
  pixels: Uint8Array;
}

/** @throws UserError 'not-found' or 'damaged' (the model), 'engine', 'memory', 'cancelled' */
export const explainJob: Job<ExplainSpec, ExplainEvent, ExplainResult> = async (spec, port) => {
  const file = readModel(spec.model);
  startEngine(readEngineInstall());
  const classifier = new Classifier(file, spec.head);
  try {
    return await explain(classifier, spec, port);
  } finally {
    classifier.dispose();
  }
};

/** Look at the pictures with a model that is loaded. @throws UserError 'engine', 'memory', 'cancelled' */
export async function explain(
  classifier: Classifier,
  spec: Omit<ExplainSpec, 'model' | 'head'>,
  port: Pick<JobPort<ExplainEvent>, 'emit' | 'signal'>,
): Promise<ExplainResult> {
  const { inputSize: size, enlarge } = classifier.card.preprocessing;
  const files = new SnapshotFiles(spec.roots);
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Looking at pictures',
    unit: 'images',
    total: spec.pictures.length,
  });
  const result: ExplainResult = { explained: 0, unreadable: 0 };
  const read = async ({ picture }: ExplainSpec['pictures'][number], index: number): Promise<Waiting | undefined> => {
    try {
      const bytes = await files.read(picture);
      return { index, pixels: await decodeRgb(bytes, { width: size, height: size, fit: 'cover', enlarge }) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      port.emit({ type: 'unreadable', index, reason: sentence(error, picture.name) });
      result.unreadable++;
      return undefined;
    }
  };
  const look = (batch: readonly Waiting[]): void => {
    const explained = classifier.explain(
      Buffer.concat(batch.map(({ pixels }) => pixels)),
      batch.map(({ index }) => spec.pictures[index].label),
    );
    for (const [i, { index }] of batch.entries()) {
      const { picture } = spec.pictures[index];
      port.emit({
        type: 'explained',
        index,
        heads: headsOf(explained, i, classifier.card.classes, spec.top),
        evidence: evidenceOf(explained, i, picture, size, enlarge),
      });
    }
    result.explained += batch.length;
  };
  const most = Math.max(1, Math.floor(PIXELS_A_BATCH / (size * size)));
  let batch: Waiting[] = [];
  try {
    const numbered = spec.pictures.map((entry, index) => ({ entry, index }));
    for await (const decoded of mapOrdered(numbered, availableParallelism(), ({ entry, index }) =>
      read(entry, index),
    )) {
      if (port.signal.aborted) throw new UserError('cancelled', 'Looking at pictures was cancelled.');
      if (decoded) batch.push(decoded);
      if (batch.length >= most) {
        look(batch);
        batch = [];
      }
      meter.add();
    }
    if (batch.length > 0) look(batch);
  } catch (error) {
    throw engineFailure(error, 'There is no memory left to look at pictures: close other programs and try again.');
  } finally {
    await files.close();
  }
  meter.finish();
  return result;
}

/** The decoder speaks in half sentences that lack the file. */
function sentence({ code, message }: UserError, name: string): string {
  return code === 'damaged' ? `${name} cannot be looked at: ${message.replace(/\.$/, '')}.` : message;
}

function headsOf(
  { probabilities }: Explained,
  row: number,
  classes: readonly string[],
  top: number,
): Extract<ExplainEvent, { type: 'explained' }>['heads'] {
  return (['uniform', 'balanced', 'mean'] as const).flatMap((head) => {
    const values = probabilities[head]?.subarray(row * classes.length, (row + 1) * classes.length);
    if (!values) return [];
    const guesses = topLabels(values, top).map((label) => {
      return { label, name: classes[label], probability: Number(values[label].toPrecision(6)) };
    });
    return [{ head, guesses }];
  });
}

function evidenceOf(
  { labels, maps }: Explained,
  row: number,
  picture: ExplainPicture,
  size: number,
  enlarge: number,
): Evidence {
  const { width, height, data } = maps[row];
  const { resized, left, top } = coverCrop(picture, { width: size, height: size }, undefined, enlarge);
  return {
    label: labels[row],
    width,
    height,
    data: Buffer.from(data).toString('base64'),
    box: {
      left: left / resized.width,
      top: top / resized.height,
      width: size / resized.width,
      height: size / resized.height,
    },
  };
}
