/**
 * A backbone's weights in one file: safetensors with kernels as TensorFlow has them, by the names of its layers, running
 * statistics, and in the metadata entry "contexture" what they are and where they come from.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { decodeSafetensors, fittingTensor } from '../base/safetensors.ts';
import type { ModelConfig, StartingWeights } from '../training/config.ts';
import { BackboneCard, tensorsOfBackbone } from './backbone-card.ts';

export interface BackbonePack {
  /** By name, in the layouts of the backbone's plan. */
  weights: Map<string, Float32Array>;
  /** SHA-256 of the file, 64 hex digits. */
  hash: string;
}

/** What is known of a pack without its weights. */
export interface FoundPack {
  name: string;
  model: ModelConfig;
  /** SHA-256 of the file, 64 hex digits. */
  hash: string;
  /** How its weights expect pixels, where it says so; null: as the backbone's published weights do. */
  normalisation: StartingWeights['normalisation'];
}

/** Packs by path, for as long as their files are the same. */
const FOUND = new Map<string, { stamp: string; pack: FoundPack }>();

/** The pack of that name; undefined where it is not here. @throws UserError 'damaged' where it is none */
export function findPack(name: string | undefined): FoundPack | undefined {
  if (name === undefined) return undefined;
  const path = backbonePath(name);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  const stamp = `${stats.size} ${stats.mtimeMs}`;
  const known = FOUND.get(path);
  if (known?.stamp === stamp) return known.pack;
  const pack = describe(name, path);
  FOUND.set(path, { stamp, pack });
  return pack;
}

function describe(name: string, path: string): FoundPack {
  const bytes = readFileSync(path);
  const { metadata } = decodeSafetensors(bytes, path);
  const { data: card } = BackboneCard.safeParse(JSON.parse(metadata.contexture ?? 'null'));
  if (!card) {
    throw new UserError('damaged', `${path} is not a backbone of Contexture: remove it and get it again.`);
  }
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { name, model: { kind: card.kind }, hash, normalisation: card.normalisation };
}

/** Where a backbone's pack lies. */
export const backbonePath = (name: string): string => join(cacheFolder(), 'backbones', `${name}.safetensors`);

/**
 * Read a pack.
 * @param model what its tensors must fit
 * @throws UserError 'not-found'; 'damaged' naming the tensor that does not fit
 */
export function readBackbonePack(path: string, model: ModelConfig): BackbonePack {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, 'read the backbone', path);
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.safetensors$/, '');
    throw new UserError('not-found', `The backbone ${name} is not here: run \`contexture backbone get ${name}\`.`);
  }
  const { tensors } = decodeSafetensors(bytes, path);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of tensorsOfBackbone(model)) {
    weights.set(name, fittingTensor(tensors[name], { dtype: 'F32', shape }, name, path).data);
  }
  return { weights, hash: createHash('sha256').update(bytes).digest('hex') };
}
