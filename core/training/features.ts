/**
 * Pooled features of pictures: what heads alone are trained on where the backbone is frozen. Each picture goes through the
 * backbone once, as evaluation sees it and in a mirror, and what comes out is kept in the project's cache. It is found
 * by all that it follows from: the pictures' content, the backbone's weights, preprocessing and engine.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { ProgressMeter } from '../base/progress.ts';
import { DECODER_VERSION } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import { PackFile, type PackShape } from '../data/pack-file.ts';
import { packFolder, type PackPort } from '../data/packed.ts';
import { engine } from '../engine/backend.ts';
import { fingerprint, resolveThreads } from '../engine/fingerprint.ts';
import type { InferenceState } from '../models/network.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { TrainConfig } from './config.ts';
import { evaluationBatch } from './evaluate.ts';
import type { Evaluator } from './evaluator.ts';
import { featureViews, usesFeatures } from './frozen-views.ts';
import { ImageTensors } from './image-tensors.ts';
import type { Pictures } from './pictures.ts';
import { evaluationMargin, normalisationOf } from './preprocessing.ts';

/** Pooled features by index of the picture. */
export interface Features {
  readonly count: number;
  /** Numbers of each. */
  readonly width: number;
  /**
   * @param mirrored 1 for each picture that is seen in a mirror; none unless given
   * @returns [n, width]
   * @throws UserError 'damaged' when the cache on disk is
   */
  read(indices: Int32Array, mirrored?: Uint8Array): Float32Array;
}

/** Features with what has to be closed: `using`. */
export type OpenFeatures = Features & Disposable;

export interface FeatureSource {
  /** Of a network whose backbone is frozen. */
  evaluator: Evaluator;
  state: InferenceState;
  /** At input size. */
  pictures: Pictures;
  /** Hash of the content of each picture. */
  hashes: readonly string[];
  config: TrainConfig;
  /** `train`: mirror images too, where the settings flip pictures · `evaluate`: pictures as they are only */
  use: 'train' | 'evaluate';
  /** `Project.cacheFolder` */
  cacheFolder: string;
}

/**
 * Open the features of pictures, making those that are not in the cache yet.
 * @returns null for a run whose backbone is not frozen as a whole
 * @throws UserError 'cancelled' (what is made is kept); as `Pictures.plain`; 'no-space'
 */
export async function openFeatures(source: FeatureSource, port: PackPort): Promise<OpenFeatures | null> {
  const { evaluator, hashes, config, cacheFolder } = source;
  if (!usesFeatures(config)) return null;
  const views = featureViews(config, source.use);
  const width = evaluator.network.features;
  const shape: PackShape = {
    key: sha256(canonicalJson([...originOf(source), views, hashes])),
    count: hashes.length,
    recordBytes: views * width * Float32Array.BYTES_PER_ELEMENT,
  };
  const path = join(packFolder(cacheFolder), `${shape.key}.features`);
  const found = PackFile.open(path, shape, 'read');
  if (found) return new PackedFeatures(found, width);
  await make(source, path, shape, views, port);
  const made = PackFile.open(path, shape, 'read');
  if (made) return new PackedFeatures(made, width);
  throw new UserError('damaged', `${path} cannot be read back after it was written. Check the disk.`);
}

/** What features follow from, beside the pictures. */
function originOf({ evaluator, state, config }: FeatureSource): unknown[] {
  const { frozen } = state;
  if (!frozen || evaluator.network.tuned.stages.length > 0) throw new Error('the backbone is not frozen');
  const weights = [frozen.trunk, frozen.statistics].map((tensor) => sha256(bytesOf(tensor.dataSync<'float32'>())));
  const { model, inputSize, augment, threads } = config;
  const seen = [DECODER_VERSION, inputSize, evaluationMargin(augment), normalisationOf(config)];
  return ['features 1', ...seen, model, weights, fingerprint(engine(), resolveThreads(threads))];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** A record is one picture's features, plain and then mirrored. */
class PackedFeatures implements OpenFeatures {
  readonly count: number;
  readonly width: number;
  readonly #file: PackFile;
  readonly #record: Uint8Array;

  constructor(file: PackFile, width: number) {
    this.count = file.shape.count;
    this.width = width;
    this.#file = file;
    this.#record = new Uint8Array(file.shape.recordBytes);
  }

  read(indices: Int32Array, mirrored?: Uint8Array): Float32Array {
    const features = new Float32Array(indices.length * this.width);
    const record = new Float32Array(this.#record.buffer);
    for (const [i, index] of indices.entries()) {
      this.#file.readRaw(index, 1, this.#record);
      if (!this.#file.matches(index, this.#record)) {
        throw new UserError('damaged', `${this.#file.path} is damaged. Delete it; it is made anew from the pictures.`);
      }
      const start = (mirrored?.[i] ?? 0) * this.width;
      features.set(record.subarray(start, start + this.width), i * this.width);
    }
    return features;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Some of the pictures' features, as a set of their own. @param positions index in `features` of each */
export function selectFeatures(features: Features, positions: ArrayLike<number>): Features {
  return {
    count: positions.length,
    width: features.width,
    read: (indices, mirrored) =>
      features.read(
        indices.map((index) => positions[index]),
        mirrored,
      ),
  };
}

/** Milliseconds between two notes of what is there, which is what a killed job can lose. */
const SAVE_EVERY = 2000;

/** Make what is not in the pack yet, batch by batch: a picture's digits may depend on those beside it. */
async function make(
  source: FeatureSource,
  path: string,
  shape: PackShape,
  views: 1 | 2,
  port: PackPort,
): Promise<void> {
  const { pictures, evaluator } = source;
  const file = PackFile.begin(path, shape);
  try {
    const size = evaluationBatch(pictures.size);
    const batches = Array.from({ length: Math.ceil(shape.count / size) }, (_, at) =>
      Int32Array.from({ length: Math.min(size, shape.count - at * size) }, (__, i) => at * size + i),
    );
    const record = new Uint8Array(shape.recordBytes);
    const isThere = (index: number): boolean => {
      if (file.has(index)) file.readRaw(index, 1, record);
      return file.matches(index, record);
    };
    const missing = batches.filter((batch) => !batch.every(isThere));
    const meter = new ProgressMeter((event) => port.emit(event), {
      stage: `Looking at pictures through the frozen ${evaluator.network.backbone.title}`,
      unit: 'images',
      total: shape.count,
      done: shape.count - missing.reduce((sum, batch) => sum + batch.length, 0),
    });
    const tensors = new ImageTensors(normalisationOf(source.config));
    const read = async (batch: Int32Array): Promise<{ batch: Int32Array; pixels: Uint8Array[] }> => {
      const plain = await pictures.plain(batch);
      const mirror = views === 2 ? [await pictures.plain(batch, new Uint8Array(batch.length).fill(1))] : [];
      return { batch, pixels: [plain, ...mirror] };
    };
    const recordLength = shape.recordBytes / Float32Array.BYTES_PER_ELEMENT;
    const width = recordLength / views;
    let saved = performance.now();
    for await (const { batch, pixels } of mapOrdered(missing, pictures.ahead + 1, read)) {
      if (port.signal.aborted) throw new UserError('cancelled', 'Looking at the pictures was cancelled.');
      const seen = pixels.map((view) => poolPixels(source, tensors, view));
      for (const [i, index] of batch.entries()) {
        const values = new Float32Array(recordLength);
        for (const [view, features] of seen.entries()) {
          values.set(features.subarray(i * width, (i + 1) * width), view * width);
        }
        file.write(index, bytesOf(values));
      }
      meter.add(batch.length);
      // A cancel is heard between batches.
      await nextTurn();
      if (performance.now() - saved < SAVE_EVERY) continue;
      file.saveTable();
      saved = performance.now();
    }
    meter.finish();
    file.finish(path);
  } finally {
    file.close();
  }
}

/** @param pixels [n, size, size, 3] 8-bit RGB @returns [n, width] */
function poolPixels(
  { evaluator, state, pictures }: FeatureSource,
  tensors: ImageTensors,
  pixels: Uint8Array,
): Float32Array {
  const { size } = pictures;
  return tf.tidy(() => evaluator.pool(state, tensors.of(pixels, size, size)).dataSync<'float32'>());
}
