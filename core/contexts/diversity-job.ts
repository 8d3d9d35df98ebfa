/**
 * The diversity job: looks with a model at the contexts of a frozen bank, foregrounds painted over with the mean colour,
 * and at its plain backgrounds, and tells how many different ones they come to.
 */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { readSnapshot } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import { tidyRead } from '../engine/tidy.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { Network } from '../models/network.ts';
import { compose, meanColour } from '../predict/compositions.ts';
import { readModel } from '../predict/read-model.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { evaluationBatch } from '../training/evaluate.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';
import { bankBackgrounds } from './bank-backgrounds.ts';
import { BankPictures, usableEntries } from './bank-pictures.ts';
import { readBank } from './bank.ts';
import { effectiveNumber, nearTwins, unitRows } from './diversity.ts';

export interface DiversitySpec {
  snapshotBlob: BlobId;
  bankBlob: BlobId;
  blobFolder: string;
  /** Absolute path of the model file. */
  model: string;
  /** Cosine from which two contexts count as near twins. */
  twinsFrom: number;
  /** Twins that are told at most, those most alike first. */
  most: number;
}

/** A context by `Context.id`, or a plain background by `Background.id`. */
export interface BankMember {
  kind: 'context' | 'background';
  id: number;
}

export interface DiversityResult {
  contexts: number;
  /** How many different ones they come to, plain backgrounds included; see `effectiveNumber`. */
  effective: number;
  /** By name of class; classes without contexts are left out. */
  classes: { name: string; contexts: number; effective: number }[];
  /** The plain backgrounds, which are of no class; null without any. */
  plain: { backgrounds: number; effective: number } | null;
  twins: { a: BankMember; b: BankMember; cosine: number }[];
  /** Pairs, those that are not told included, and members that have a twin. */
  pairs: number;
  withTwin: number;
}

/** What is looked at. */
interface Looked extends BankMember {
  /** Name of its class; null for a plain background. */
  className: string | null;
  /** RGB at the model's input size, the foreground painted over. */
  read: () => Promise<Uint8Array>;
}

/** @throws UserError 'empty'; 'cancelled', 'engine', 'memory'; 'not-found', 'changed' or 'damaged' naming a file */
export const diversityJob: Job<DiversitySpec, Progress, DiversityResult> = async (spec, port) => {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const bank = readBank(blobs, spec.bankBlob);
  const { roots, backgrounds } = bankBackgrounds(snapshot, bank);
  const file = readModel(spec.model);
  const { inputSize: size, enlarge, mean } = file.card.preprocessing;
  const fill = meanColour(mean);
  await using pictures = new BankPictures(roots, blobs, { width: size, height: size, fit: 'cover', enlarge });
  const looked: Looked[] = [
    ...usableEntries(bank, snapshot).map((usable): Looked => ({
      kind: 'context',
      id: usable.entry.contextId,
      className: snapshot.classes[usable.image.label],
      read: async () => compose('no-fg', await pictures.read(usable), null, fill),
    })),
    ...[...backgrounds].map(([id, picture]): Looked => ({
      kind: 'background',
      id,
      className: null,
      read: () => pictures.readPlain(picture),
    })),
  ];
  if (looked.length === 0) {
    throw new UserError('empty', 'The bank has no context from a training image: accept some first.');
  }
  let rows: Float32Array;
  let width: number;
  try {
    ({ rows, width } = await featuresOf(
      file,
      mapOrdered(looked, READ_AHEAD, ({ read }) => read()),
      looked.length,
      port,
    ));
  } catch (error) {
    throw engineFailure(
      error,
      'There is no memory left to look at the bank: close other programs, or choose a run with a smaller network.',
    );
  }
  const pairs = nearTwins(rows, width, spec.twinsFrom);
  const memberAt = (row: number): BankMember => ({ kind: looked[row].kind, id: looked[row].id });
  const parts = Map.groupBy(looked.keys(), (row) => looked[row].className);
  const effectiveOf = (own: readonly number[]): number => {
    const part = new Float32Array(own.length * width);
    for (const [i, row] of own.entries()) part.set(rows.subarray(row * width, (row + 1) * width), i * width);
    return effectiveNumber(part, width);
  };
  const plain = parts.get(null);
  return {
    contexts: looked.length - backgrounds.size,
    effective: effectiveNumber(rows, width),
    classes: snapshot.classes.flatMap((name) => {
      const own = parts.get(name);
      return own ? [{ name, contexts: own.length, effective: effectiveOf(own) }] : [];
    }),
    plain: plain ? { backgrounds: plain.length, effective: effectiveOf(plain) } : null,
    twins: pairs.slice(0, spec.most).map(({ a, b, cosine }) => ({ a: memberAt(a), b: memberAt(b), cosine })),
    pairs: pairs.length,
    withTwin: new Set(pairs.flatMap(({ a, b }) => [a, b])).size,
  };
};

/** Pictures that are read while others are looked at. */
const READ_AHEAD = 16;

/** Pooled features of pictures at the model's input size, each row brought to length 1. */
async function featuresOf(
  { card, weights }: ReturnType<typeof readModel>,
  pictures: AsyncIterable<Uint8Array>,
  count: number,
  port: JobPort<Progress>,
): Promise<{ rows: Float32Array; width: number }> {
  startEngine(readEngineInstall());
  const network = new Network(card.model, card.classes.length);
  const { inputSize: size } = card.preprocessing;
  const tensors = new ImageTensors(card.preprocessing);
  using evaluator = new Evaluator(network);
  const state = {
    trunk: tf.tensor1d(weights.trunk),
    balanced: tf.tensor1d(weights.balanced),
    statistics: tf.tensor1d(weights.statistics),
  };
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Looking at the bank',
    unit: 'backgrounds',
    total: count,
  });
  const features = new Float32Array(count * network.features);
  const most = evaluationBatch(size);
  let batch: Uint8Array[] = [];
  let done = 0;
  const look = (): void => {
    const values = tidyRead(() =>
      evaluator.pool(state, tensors.of(Buffer.concat(batch), size, size)).dataSync<'float32'>(),
    );
    features.set(values, done * network.features);
    done += batch.length;
    meter.add(batch.length);
    batch = [];
  };
  try {
    for await (const picture of pictures) {
      if (port.signal.aborted) throw new UserError('cancelled', 'Looking at the bank was cancelled.');
      batch.push(picture);
      if (batch.length === most) look();
    }
    if (batch.length > 0) look();
  } finally {
    tf.dispose([state.trunk, state.balanced, state.statistics]);
  }
  meter.finish();
  return { rows: unitRows(features, network.features), width: network.features };
}
