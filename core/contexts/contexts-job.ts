/**
 * Finds contexts: sends pictures through a finished run's model, takes the saliency of the true class (forward only,
 * method.md 2.1) and makes a context mask on each picture's own pixels.
 */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { decodeRgb, encodeGrey } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import type { Size } from '../data/geometry.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import { readSnapshot, type DatasetSnapshot, type SnapshotImage } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import { tidyRead } from '../engine/tidy.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { decodeModelFile } from '../models/model-file.ts';
import { Network, type InferenceState } from '../models/network.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId, Saliency } from '../storage/records.ts';
import type { TrainConfig } from '../training/config.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';
import { decodePredictions } from '../training/predictions-file.ts';
import { heldOutProbabilities } from './held-out.ts';
import { MaskMakers } from './mask-makers.ts';
import type { MaskRule } from './mask.ts';
import {
  averageMaps,
  inputStep,
  mirrored,
  saliencyInput,
  toGrey,
  type SaliencyLook,
  type SaliencyMap,
} from './saliency-look.ts';

export interface ContextsSpec {
  snapshotBlob: BlobId;
  /** Indices into the snapshot's images, the pictures to look at. */
  indices: number[];
  blobFolder: string;
  cacheFolder: string;
  modelBlob: BlobId;
  look: SaliencyLook;
  rule: MaskRule;
  /**
   * Where p(true class) comes from. "on-line": as seen in training, from the run's predictions. "held-out": this many
   * folds, each judged by a model trained with `config` on the others. "training": the model's own, which knows the answer.
   */
  probability:
    | { from: 'on-line'; predictionsBlob: BlobId }
    | { from: 'held-out'; folds: number; config: TrainConfig }
    | { from: 'training' };
}

/** What was found in one picture; the bytes are in the blob store. */
export interface FoundContext {
  imageId: number;
  saliency: Pick<Saliency, 'blob' | 'width' | 'height' | 'probability' | 'probabilityFrom'>;
  mask: { blob: BlobId; width: number; height: number; area: number };
}

export type ContextsEvent = Progress | { type: 'contexts'; layer: string; found: FoundContext[] };

export interface ContextsResult {
  found: number;
}

/** Pixels that go through the network at a time. */
export const PIXELS_A_BATCH = 128 * 64 * 64;

/** A picture decoded at one size. */
export interface Decoded {
  image: SnapshotImage;
  pixels: Uint8Array;
}

/** Pictures of one shape waiting for their batch, decoded at each of the sizes. */
interface Bucket {
  sizes: Size[];
  pictures: { image: SnapshotImage; pixels: Uint8Array[] }[];
}

export const contextsJob: Job<ContextsSpec, ContextsEvent, ContextsResult> = async (spec, port) => {
  try {
    return await findContexts(spec, port);
  } catch (error) {
    throw engineFailure(
      error,
      'The engine ran out of memory while finding contexts. Choose a smaller size or close other programs, and run it again; what was found so far is kept.',
    );
  }
};

async function findContexts(spec: ContextsSpec, port: JobPort<ContextsEvent>): Promise<ContextsResult> {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const { card, weights } = decodeModelFile(blobs.get(spec.modelBlob), blobs.path(spec.modelBlob));
  startEngine(readEngineInstall());
  const network = new Network(card.model, card.classes.length);
  const labelOf = classIndex(snapshot, card.classes);
  const probabilities = await knownProbabilities(spec, snapshot, blobs, port);
  const state = {
    trunk: tf.tensor1d(weights.trunk),
    balanced: tf.tensor1d(weights.balanced),
    statistics: tf.tensor1d(weights.statistics),
  };
  using evaluator = new Evaluator(network);
  const tensors = new ImageTensors(card.preprocessing);
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Finding contexts',
    unit: 'images',
    total: spec.indices.length,
  });
  const files = new SnapshotFiles(snapshot.roots);
  await using makers = new MaskMakers(snapshot.roots);
  const finish = async ({ sizes, pictures }: Bucket): Promise<void> => {
    const looks = sizes.flatMap((size, i) => {
      const decoded = pictures.map(({ image, pixels }): Decoded => ({ image, pixels: pixels[i] }));
      const look = (mirror: boolean): Look[] => lookAt(evaluator, state, tensors, size, decoded, labelOf, mirror);
      return spec.look.mirror ? [look(false), look(true)] : [look(false)];
    });
    const seen = pictures.map(({ image }, i) => {
      const own = looks.map((look) => look[i]);
      const probability = own.reduce((sum, look) => sum + look.probability, 0) / own.length;
      return { image, probability, saliency: toGrey(averageMaps(own.map((look) => look.saliency))) };
    });
    const masks = await makers.make(seen.map(({ image, saliency }) => ({ saliency, picture: image, rule: spec.rule })));
    const found = await Promise.all(
      seen.map(async ({ image, saliency, probability }, i): Promise<FoundContext> => {
        const known = probabilities.values.get(image.id);
        return {
          imageId: image.id,
          saliency: {
            blob: blobs.put(await encodeGrey(saliency)),
            width: saliency.width,
            height: saliency.height,
            probability: known ?? probability,
            probabilityFrom: known === undefined ? 'training' : probabilities.from,
          },
          mask: { blob: blobs.put(masks[i].png), width: image.width, height: image.height, area: masks[i].area },
        };
      }),
    );
    port.emit({ type: 'contexts', layer: network.backbone.lastLayer, found });
    await port.drained();
    meter.add(found.length);
  };
  const step = inputStep(network.backbone);
  const waiting = new Map<string, Bucket>();
  try {
    const decode = async (index: number): Promise<Bucket> => {
      const image = snapshot.images[index];
      const sizes = spec.look.sizes.map((shorter) => saliencyInput(image, shorter, step));
      const bytes = await files.read(image);
      const pixels = await Promise.all(sizes.map((size) => decodeRgb(bytes, { ...size, fit: 'fill' }, image)));
      return { sizes, pictures: [{ image, pixels }] };
    };
    for await (const { sizes, pictures } of mapOrdered(spec.indices, 2 * availableParallelism(), decode)) {
      if (port.signal.aborted) {
        throw new UserError('cancelled', 'Finding contexts was cancelled; those found so far are kept.');
      }
      const key = sizes.map(({ width, height }) => `${width}x${height}`).join(' ');
      const bucket = waiting.get(key) ?? { sizes, pictures: [] };
      waiting.set(key, bucket);
      bucket.pictures.push(...pictures);
      const most = Math.max(...sizes.map(({ width, height }) => width * height));
      if (bucket.pictures.length * most >= PIXELS_A_BATCH) {
        waiting.delete(key);
        await finish(bucket);
      }
    }
    for (const bucket of waiting.values()) await finish(bucket);
  } finally {
    await files.close();
  }
  meter.finish();
  return { found: meter.done };
}

/** What the model sees of the true class in one picture. */
export interface Look {
  saliency: SaliencyMap;
  probability: number;
}

/**
 * Look at a batch of pictures of one size.
 * @param labelOf the label that the model knows
 * @param mirror look at their mirror images; the maps are turned back
 * @returns in the order of the pictures
 */
export function lookAt(
  evaluator: Evaluator,
  state: InferenceState,
  tensors: ImageTensors,
  { width, height }: Size,
  pictures: readonly Decoded[],
  labelOf: (image: SnapshotImage) => number,
  mirror = false,
): Look[] {
  return tidyRead(() => {
    const pixels = new Uint8Array(Buffer.concat(pictures.map((picture) => picture.pixels)));
    const labels = tf.tensor1d(
      Int32Array.from(pictures, ({ image }) => labelOf(image)),
      'int32',
    );
    const upright = tensors.of(pixels, height, width);
    const images: tf.Tensor4D = mirror ? tf.reverse(upright, 2) : upright;
    const { saliency, probability } = evaluator.look(state, { images, labels });
    const [, h, w] = saliency.shape;
    const values = saliency.dataSync<'float32'>();
    const probabilities = probability.dataSync<'float32'>();
    return pictures.map((_, i) => {
      const map = { width: w, height: h, data: values.slice(i * h * w, (i + 1) * h * w) };
      return { saliency: mirror ? mirrored(map) : map, probability: probabilities[i] };
    });
  });
}

/** The model's label of an image's class. */
function classIndex(snapshot: DatasetSnapshot, classes: readonly string[]): (image: SnapshotImage) => number {
  const known = new Map(classes.map((name, label) => [name, label]));
  return ({ label }) => {
    const name = snapshot.classes[label];
    const index = known.get(name);
    if (index === undefined) {
      throw new UserError(
        'usage',
        `The model does not know the class ${name}. Choose a run that was trained on the present classes.`,
      );
    }
    return index;
  };
}

async function knownProbabilities(
  spec: ContextsSpec,
  snapshot: DatasetSnapshot,
  blobs: BlobStore,
  port: JobPort<ContextsEvent>,
): Promise<{ from: Saliency['probabilityFrom']; values: Map<number, number> }> {
  const { probability } = spec;
  switch (probability.from) {
    case 'training':
      return { from: 'training', values: new Map() };
    case 'on-line': {
      const { predictionsBlob } = probability;
      const { trainIds, trainConfidence } = decodePredictions(blobs.get(predictionsBlob), blobs.path(predictionsBlob));
      const seen = [...trainIds].map((id, i): [number, number] => [id, trainConfidence[i]]);
      return { from: 'on-line', values: new Map(seen.filter(([, value]) => !Number.isNaN(value))) };
    }
    case 'held-out':
      return {
        from: 'held-out',
        values: await heldOutProbabilities(snapshot, probability.config, probability.folds, spec.cacheFolder, port),
      };
  }
}
