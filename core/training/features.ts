/**
 * What a frozen backbone makes of pictures: pooled features, which heads alone are trained on, and the maps that a method
 * looks at for contexts. Each picture goes through the backbone once, as evaluation sees it and in a mirror, and what comes
 * out is kept in the project's cache. It is found by all that it follows from: the pictures' content, the backbone's
 * weights, preprocessing and engine.
 *
 * Of maps the one is kept that the last stage begins with: of EfficientNet-Lite0 a quarter of the last one's size (61 KiB a
 * view), and the last stage is a twentieth of the work.
 */
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { DECODER_VERSION } from '../data/decode.ts';
import { PackFile, type PackShape } from '../data/pack-file.ts';
import { packFolder, type PackPort } from '../data/packed.ts';
import { engine } from '../engine/backend.ts';
import { fingerprint, resolveThreads } from '../engine/fingerprint.ts';
import { mapBeforeLast } from '../models/backbones.ts';
import { sha256 } from '../storage/blob-store.ts';
import { makeFeatures, PackedFeatures, type FeaturePack, type LookedAt } from './feature-packs.ts';
import { featureViews, looksAtMaps, mapsBytes, MOST_KEPT_MAPS, usesFeatures } from './frozen-views.ts';
import { evaluationMargin, normalisationOf } from './preprocessing.ts';

/** Numbers of each picture, by index. */
export interface Features {
  readonly count: number;
  /** Of one picture: [F], or [h, w, C]. */
  readonly shape: readonly number[];
  /** How many that are. */
  readonly width: number;
  /**
   * @param mirrored 1 for each picture that is seen in a mirror; none unless given
   * @returns [n, width]
   * @throws UserError 'damaged' when the cache on disk is
   */
  read(indices: Int32Array, mirrored?: Uint8Array): Float32Array;
}

/** What is kept of a run's pictures. */
export interface FrozenFeatures {
  /** [F] each. */
  pooled: Features;
  /** [h, w, C] each; null where nobody looks at them, or they would take too much space. */
  maps: Features | null;
}

/** Features with what has to be closed: `using`. */
export type OpenFeatures = FrozenFeatures & Disposable;

export interface FeatureSource extends LookedAt {
  /** Hash of the content of each picture. */
  hashes: readonly string[];
  /** `train`: mirror images too, where the settings flip pictures · `evaluate`: pictures as they are only */
  use: 'train' | 'evaluate';
  /** `Project.cacheFolder` */
  cacheFolder: string;
  /** Bytes that maps may take; `MOST_KEPT_MAPS` unless given. */
  mostMaps?: number;
}

/**
 * Open the features of pictures, making those that are not in the cache yet.
 * @returns null for a run whose backbone is not frozen as a whole
 * @throws UserError 'cancelled' (what is made is kept); as `Pictures.plain`; 'no-space'
 */
export async function openFeatures(source: FeatureSource, port: PackPort): Promise<OpenFeatures | null> {
  const { evaluator, config, use, mostMaps = MOST_KEPT_MAPS } = source;
  if (!usesFeatures(config)) return null;
  const origin = originOf(source);
  const wanted = [packOf(source, 'pooled', [evaluator.network.features], ['features 1', ...origin])];
  if (use === 'train' && looksAtMaps(config) && mapsBytes(config, source.hashes.length) <= mostMaps) {
    const { height, width, channels } = mapBeforeLast(config.model, config.inputSize);
    wanted.push(packOf(source, 'map', [height, width, channels], ['maps 1', ...origin]));
  }
  const missing = wanted.filter((pack) => !isThere(pack));
  if (missing.length > 0) await makeFeatures(source, missing, port);
  const open = wanted.map(openPack);
  const [pooled, maps = null] = open;
  return { pooled, maps, [Symbol.dispose]: () => open.forEach((pack) => pack[Symbol.dispose]()) };
}

/** A pack of one kind of numbers, whether or not it is there. */
function packOf(
  { config, use, hashes, cacheFolder }: FeatureSource,
  kind: FeaturePack['kind'],
  shape: readonly number[],
  origin: readonly unknown[],
): FeaturePack {
  const views = featureViews(config, use);
  const width = shape.reduce((product, size) => product * size, 1);
  const file: PackShape = {
    key: sha256(canonicalJson([...origin, views, hashes])),
    count: hashes.length,
    recordBytes: views * width * Float32Array.BYTES_PER_ELEMENT,
  };
  const path = join(packFolder(cacheFolder), `${file.key}.${kind === 'pooled' ? 'features' : 'maps'}`);
  return { kind, shape, views, file, path };
}

function isThere({ path, file }: FeaturePack): boolean {
  const found = PackFile.open(path, file, 'read');
  found?.close();
  return found !== undefined;
}

function openPack({ path, file, shape }: FeaturePack): PackedFeatures {
  const opened = PackFile.open(path, file, 'read');
  if (opened) return new PackedFeatures(opened, shape);
  throw new UserError('damaged', `${path} cannot be read back after it was written. Check the disk.`);
}

/** What features follow from, beside the pictures. */
function originOf({ evaluator, state, config }: FeatureSource): unknown[] {
  const { frozen } = state;
  if (!frozen || evaluator.network.tuned.stages.length > 0) throw new Error('the backbone is not frozen');
  const weights = [frozen.trunk, frozen.statistics].map((tensor) => sha256(bytesOf(tensor)));
  const { model, inputSize, augment, threads } = config;
  const seen = [DECODER_VERSION, inputSize, evaluationMargin(augment), normalisationOf(config)];
  return [...seen, model, weights, fingerprint(engine(), resolveThreads(threads))];
}

function bytesOf(tensor: tf.Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = tensor.dataSync<'float32'>();
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Some of the pictures' features, as a set of their own. @param positions index in `features` of each */
export function selectFeatures({ pooled, maps }: FrozenFeatures, positions: ArrayLike<number>): FrozenFeatures {
  const some = (all: Features): Features => ({
    count: positions.length,
    shape: all.shape,
    width: all.width,
    read: (indices, mirrored) =>
      all.read(
        indices.map((index) => positions[index]),
        mirrored,
      ),
  });
  return { pooled: some(pooled), maps: maps && some(maps) };
}
