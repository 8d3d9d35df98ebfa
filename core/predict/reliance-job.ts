/**
 * The reliance job: shows a run's model the pictures that it was judged on, whole, in parts, and in front of backgrounds of
 * its training pictures, and counts what becomes of its answers (core/evaluation/reliance.ts).
 */
import { setImmediate as breathe } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { GroupThresholds } from '../data/groups.ts';
import type { MaskedPicture } from '../data/masked-picture.ts';
import { indicesOfSplit, readSnapshot, trainCounts } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import { tidyRead } from '../engine/tidy.ts';
import type { Head } from '../evaluation/figures.ts';
import { meanLogits, predict } from '../evaluation/predictions.ts';
import {
  COMPOSITIONS,
  drawPartners,
  relianceFigures,
  type ComposedAnswers,
  type RelianceFigures,
} from '../evaluation/reliance.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { decodeModelFile } from '../models/model-file.ts';
import { Network, type InferenceState } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import type { TrainConfig } from '../training/config.ts';
import { evaluationBatch } from '../training/evaluate.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';
import { openPictures } from '../training/open-pictures.ts';
import type { Pictures } from '../training/pictures.ts';
import { probabilitiesOf } from './answers.ts';
import { compose, maskOf } from './compositions.ts';
import { encodeReliance, type RelianceFile } from './reliance-file.ts';

export interface RelianceSpec {
  /** The data set that the run was trained on; the split that it was judged on is looked at. */
  snapshotBlob: BlobId;
  config: Pick<TrainConfig, 'inputSize' | 'augment'>;
  thresholds: GroupThresholds;
  blobFolder: string;
  cacheFolder: string;
  modelBlob: BlobId;
  /** The model whose saliency tells foreground from background; of the same classes and input size. */
  masksModelBlob: BlobId;
  /** Masks that a person accepted, used instead of saliency, by image; others are passed over. */
  reviewed: Record<string, BlobId>;
  /** Foreground is where saliency reaches this share of its largest value. */
  threshold: number;
  /** Of partners and of the bootstrap. */
  seed: number;
}

export interface RelianceResult {
  /** A `RelianceFile`. */
  blob: BlobId;
  images: number;
  /** Mean share of a picture that counts as background, 0 to 1. */
  background: number;
  /** Pictures, also of those that lend their backgrounds, whose mask a person accepted. */
  reviewed: number;
  heads: Record<Head, RelianceFigures | null>;
}

const HEADS = ['uniform', 'balanced', 'mean'] as const;

/** @throws UserError 'empty' without pictures; 'cancelled', 'engine', 'memory'; 'changed', 'not-found', … naming a file */
export const relianceJob: Job<RelianceSpec, Progress, RelianceResult> = async (spec, port) => {
  try {
    return await measure(spec, port);
  } catch (error) {
    throw engineFailure(
      error,
      'There is no memory left to measure context reliance: close other programs and try again.',
    );
  }
};

async function measure(spec: RelianceSpec, port: JobPort<Progress>): Promise<RelianceResult> {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const judged = snapshot.evaluation ? indicesOfSplit(snapshot, snapshot.evaluation.split) : [];
  if (judged.length === 0)
    throw new UserError('empty', 'The run was judged on no pictures: there are none to look at.');
  const labelOf = (index: number): number => snapshot.images[index].label;
  const training = indicesOfSplit(snapshot, 'train');
  const labels = Int32Array.from(judged, labelOf);
  const drawn = drawPartners(labels, Int32Array.from(training, labelOf), spec.seed);
  // Those that were judged, then those that lend their backgrounds, each once.
  const lenders = [...new Set([...drawn.same, ...drawn.rand])].filter((lender) => lender >= 0);
  const indices = [...judged, ...lenders.map((lender) => training[lender])];
  const place = new Map(lenders.map((lender, i) => [lender, judged.length + i]));
  const placed = (positions: Int32Array): Int32Array => positions.map((lender) => place.get(lender) ?? -1);
  const partners = { same: placed(drawn.same), rand: placed(drawn.rand) };
  startEngine(readEngineInstall());
  await using pictures = await openPictures(snapshot, indices, spec.config, 'evaluate', spec.cacheFolder, port);
  using judge = new LoadedModel(blobs, spec.modelBlob);
  const imageIds = Int32Array.from(indices, (index) => snapshot.images[index].id);
  const looked = Int32Array.from(indices, labelOf);
  const { saliency, mean } = await lookAt(blobs, spec.masksModelBlob, pictures, looked, port);
  const { inputSize, enlarge } = judge.card.preprocessing;
  const reviewed = Object.fromEntries([...imageIds].flatMap((id) => entryOf(spec.reviewed, id)));
  const recipe = { inputSize, enlarge, fill: mean, threshold: spec.threshold, reviewed };
  const parts = { recipe, imageIds, labels, partners, saliency };
  const { heads, background } = await judgeAll(judge, pictures, parts, blobs, port);
  const file = Buffer.concat(encodeReliance({ ...parts, heads }));
  const rest = { labels, trainCounts: trainCounts(snapshot), thresholds: spec.thresholds, seed: spec.seed };
  const figures = (head: Head): RelianceFigures | null => {
    const answers = heads[head];
    return answers && relianceFigures({ ...answers, ...rest });
  };
  return {
    blob: blobs.put(file),
    images: judged.length,
    background,
    reviewed: Object.keys(reviewed).length,
    heads: { uniform: figures('uniform'), balanced: figures('balanced'), mean: figures('mean') },
  };
}

function entryOf(masks: Readonly<Record<string, BlobId>>, imageId: number): [string, BlobId][] {
  return Object.hasOwn(masks, imageId) ? [[String(imageId), masks[imageId]]] : [];
}

/** A model file at work. */
class LoadedModel implements Disposable {
  readonly card;
  readonly evaluator: Evaluator;
  readonly state: InferenceState;
  readonly #tensors: ImageTensors;

  constructor(blobs: BlobStore, blob: BlobId) {
    const { card, weights } = decodeModelFile(blobs.get(blob), blobs.path(blob));
    this.card = card;
    this.evaluator = new Evaluator(new Network(card.model, card.classes.length));
    this.#tensors = new ImageTensors(card.preprocessing);
    this.state = {
      trunk: tf.tensor1d(weights.trunk),
      balanced: tf.tensor1d(weights.balanced),
      statistics: tf.tensor1d(weights.statistics),
    };
  }

  /** @param pixels [n, S, S, 3] 8-bit RGB, S the model's input size; the caller disposes the result */
  images(pixels: Uint8Array): tf.Tensor4D {
    const { inputSize } = this.card.preprocessing;
    return this.#tensors.of(pixels, inputSize, inputSize);
  }

  [Symbol.dispose](): void {
    tf.dispose([this.state.trunk, this.state.balanced, this.state.statistics]);
    this.evaluator[Symbol.dispose]();
  }
}

/** Positions of pictures in batches, with a look at the signal and a word on progress between them. */
async function* batches(
  count: number,
  size: number,
  stage: string,
  port: JobPort<Progress>,
): AsyncGenerator<Int32Array> {
  const meter = new ProgressMeter((event) => port.emit(event), { stage, unit: 'images', total: count });
  const most = evaluationBatch(size);
  for (let start = 0; start < count; start += most) {
    await breathe();
    if (port.signal.aborted) throw new UserError('cancelled', 'Measuring context reliance was cancelled.');
    const length = Math.min(most, count - start);
    yield Int32Array.from({ length }, (_, i) => start + i);
    meter.add(length);
  }
  meter.finish();
}

/** Saliency of the true class in every picture, and the mean colour of all. */
async function lookAt(
  blobs: BlobStore,
  modelBlob: BlobId,
  pictures: Pictures,
  labels: Int32Array,
  port: JobPort<Progress>,
): Promise<{ saliency: RelianceFile['saliency']; mean: [number, number, number] }> {
  using model = new LoadedModel(blobs, modelBlob);
  const maps: Uint8Array[] = [];
  const sums: [number, number, number] = [0, 0, 0];
  const grid = { width: 0, height: 0 };
  const { count, size } = pictures;
  for await (const positions of batches(count, size, 'Finding foregrounds', port)) {
    const pixels = await pictures.plain(positions);
    for (let i = 0; i < pixels.length; i++) sums[i % 3] += pixels[i];
    tf.tidy(() => {
      const batch = {
        images: model.images(pixels),
        labels: tf.tensor1d(
          positions.map((i) => labels[i]),
          'int32',
        ),
      };
      const { saliency } = model.evaluator.look(model.state, batch);
      [, grid.height, grid.width] = saliency.shape;
      maps.push(Uint8Array.from(saliency.dataSync<'float32'>(), (value) => Math.round(255 * value)));
    });
  }
  const [red, green, blue] = sums.map((sum) => Math.round(sum / (count * size * size)));
  return { saliency: { ...grid, data: Buffer.concat(maps) }, mean: [red, green, blue] };
}

/** Answers of every head to every composition, and the mean share of background. */
async function judgeAll(
  model: LoadedModel,
  pictures: Pictures,
  parts: Omit<RelianceFile, 'heads'>,
  blobs: BlobStore,
  port: JobPort<Progress>,
): Promise<{ heads: RelianceFile['heads']; background: number }> {
  const { labels, partners } = parts;
  const { size } = pictures;
  const count = labels.length;
  const columns = COMPOSITIONS.length;
  const empty = (): ComposedAnswers => ({
    probability: new Float32Array(count * columns).fill(NaN),
    right: new Uint8Array(count * columns),
  });
  const two = model.card.head === 'balanced';
  const heads = { uniform: empty(), balanced: two ? empty() : null, mean: two ? empty() : null };
  const classes = model.card.classes.length;
  const masked = async (positions: Int32Array): Promise<MaskedPicture[]> => {
    const pixels = await pictures.plain(positions);
    const bytes = size * size * 3;
    return Promise.all(
      [...positions].map(async (position, i) => {
        return { pixels: pixels.subarray(i * bytes, (i + 1) * bytes), mask: await maskOf(parts, position, blobs) };
      }),
    );
  };
  let background = 0;
  for await (const positions of batches(count, size, 'Judging parts and swaps', port)) {
    const own = await masked(positions);
    for (const { mask } of own) background += mask.reduce((sum, value) => sum + value, 0) / (255 * mask.length);
    for (const [column, composition] of COMPOSITIONS.entries()) {
      const of = composition === 'mixed-same' ? partners.same : composition === 'mixed-rand' ? partners.rand : null;
      const made = [...positions.keys()].filter((i) => of === null || of[positions[i]] >= 0);
      if (made.length === 0) continue;
      const lent = of && (await masked(Int32Array.from(made, (i) => of[positions[i]])));
      const composed = made.map((i, k) => compose(composition, own[i], lent && lent[k], parts.recipe.fill));
      const { uniform, balanced } = classify(model, Buffer.concat(composed));
      const logits = { uniform, balanced, mean: meanLogits(uniform, balanced) };
      for (const head of HEADS) {
        const answers = heads[head];
        if (answers === null) continue;
        const named = predict(logits[head], classes);
        const probabilities = probabilitiesOf(logits[head], classes, null);
        for (const [k, i] of made.entries()) {
          const label = labels[positions[i]];
          const at = positions[i] * columns + column;
          answers.probability[at] = probabilities[k * classes + label];
          answers.right[at] = named[k] === label ? 1 : 0;
        }
      }
    }
  }
  return { heads, background: background / count };
}

function classify(model: LoadedModel, pixels: Uint8Array): { uniform: Float32Array; balanced: Float32Array } {
  return tidyRead(() => {
    const { uniform, balanced } = model.evaluator.classify(model.state, model.images(pixels));
    return {
      uniform: Float32Array.from(uniform.dataSync<'float32'>()),
      balanced: Float32Array.from(balanced.dataSync<'float32'>()),
    };
  });
}
