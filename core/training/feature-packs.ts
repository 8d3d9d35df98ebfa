/** Features of pictures in pack files: read by index, and made where they are missing. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { ProgressMeter } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { PackFile, type PackShape } from '../data/pack-file.ts';
import type { PackPort } from '../data/packed.ts';
import { tidyRead } from '../engine/tidy.ts';
import type { InferenceState } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import { evaluationBatch } from './evaluate.ts';
import type { Evaluator, Kept } from './evaluator.ts';
import type { Features } from './features.ts';
import { ImageTensors } from './image-tensors.ts';
import type { Pictures } from './pictures.ts';
import { normalisationOf } from './preprocessing.ts';

/** Pictures that go through a frozen backbone. */
export interface LookedAt {
  /** Of a network whose backbone is frozen. */
  evaluator: Evaluator;
  state: InferenceState;
  /** At input size. */
  pictures: Pictures;
  config: TrainConfig;
}

/** A file of one kind of numbers; a record is one picture's, plain and then mirrored. */
export interface FeaturePack {
  kind: keyof Kept;
  /** Of one view of a picture. */
  shape: readonly number[];
  /** Views of each picture. */
  views: 1 | 2;
  file: PackShape;
  path: string;
}

/** An open pack, as features by index. */
export class PackedFeatures implements Features, Disposable {
  readonly count: number;
  readonly shape: readonly number[];
  readonly width: number;
  readonly #file: PackFile;
  readonly #record: Uint8Array;

  constructor(file: PackFile, shape: readonly number[]) {
    this.count = file.shape.count;
    this.shape = shape;
    this.width = shape.reduce((product, size) => product * size, 1);
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

/** Milliseconds between two notes of what is there, which is what a killed job can lose. */
const SAVE_EVERY = 2000;

/**
 * Make what is not in the packs yet, batch by batch: a picture's digits may depend on those beside it. All packs are of the
 * same pictures and views, and get theirs from one look.
 * @throws UserError 'cancelled' (what is made is kept); as `Pictures.plain`; 'no-space'
 */
export async function makeFeatures(source: LookedAt, packs: readonly FeaturePack[], port: PackPort): Promise<void> {
  const { pictures, evaluator } = source;
  const [{ file: common, views }] = packs;
  const files: PackFile[] = [];
  try {
    for (const { path, file } of packs) files.push(PackFile.begin(path, file));
    const size = evaluationBatch(pictures.size);
    const batches = Array.from({ length: Math.ceil(common.count / size) }, (_, at) =>
      Int32Array.from({ length: Math.min(size, common.count - at * size) }, (__, i) => at * size + i),
    );
    const missing = batches.filter((batch) => !files.every((file) => hasAll(file, batch)));
    const meter = new ProgressMeter((event) => port.emit(event), {
      stage: `Looking at pictures through the frozen ${evaluator.network.backbone.title}`,
      unit: 'images',
      total: common.count,
      done: common.count - missing.reduce((sum, batch) => sum + batch.length, 0),
    });
    const tensors = new ImageTensors(normalisationOf(source.config));
    const read = async (batch: Int32Array): Promise<{ batch: Int32Array; pixels: Uint8Array[] }> => {
      const plain = await pictures.plain(batch);
      const mirror = views === 2 ? [await pictures.plain(batch, new Uint8Array(batch.length).fill(1))] : [];
      return { batch, pixels: [plain, ...mirror] };
    };
    let saved = performance.now();
    for await (const { batch, pixels } of mapOrdered(missing, pictures.ahead + 1, read)) {
      if (port.signal.aborted) throw new UserError('cancelled', 'Looking at the pictures was cancelled.');
      const kinds = packs.map(({ kind }) => kind);
      const seen = pixels.map((view) => lookAt(source, tensors, view, kinds));
      for (const [at, file] of files.entries()) {
        writeRecords(
          file,
          batch,
          seen.map((view) => view[at]),
        );
      }
      meter.add(batch.length);
      // A cancel is heard between batches.
      await nextTurn();
      if (performance.now() - saved < SAVE_EVERY) continue;
      for (const file of files) file.saveTable();
      saved = performance.now();
    }
    meter.finish();
    for (const [at, { path }] of packs.entries()) files[at].finish(path);
  } finally {
    for (const file of files) file.close();
  }
}

/** Whether every picture of a batch is in a pack, undamaged. */
function hasAll(file: PackFile, batch: Int32Array): boolean {
  const record = new Uint8Array(file.shape.recordBytes);
  return batch.every((index) => {
    if (file.has(index)) file.readRaw(index, 1, record);
    return file.matches(index, record);
  });
}

/** @param views numbers of the batch's pictures, in each view */
function writeRecords(file: PackFile, batch: Int32Array, views: readonly Float32Array[]): void {
  const width = views[0].length / batch.length;
  for (const [i, index] of batch.entries()) {
    const record = new Float32Array(width * views.length);
    for (const [at, values] of views.entries()) record.set(values.subarray(i * width, (i + 1) * width), at * width);
    file.write(index, new Uint8Array(record.buffer));
  }
}

/** @param pixels [n, size, size, 3] 8-bit RGB @returns the numbers of each kind; what nobody keeps stays on the device */
function lookAt(
  { evaluator, state, pictures }: LookedAt,
  tensors: ImageTensors,
  pixels: Uint8Array,
  kinds: readonly (keyof Kept)[],
): Float32Array[] {
  const { size } = pictures;
  return tidyRead(() => {
    const kept = evaluator.keep(state, tensors.of(pixels, size, size));
    return kinds.map((kind) => kept[kind].dataSync<'float32'>());
  });
}
