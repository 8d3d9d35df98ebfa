/**
 * What an export says of itself. `manifest.json` names everything by hash; it is written last, so a folder that has one
 * (and no unfinished mark) is complete. Nothing in it depends on when or where the export was made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { fileError, UserError } from '../base/errors.ts';
import { CODE_VERSION } from '../base/version.ts';
import { ImageReference } from './item.ts';
import { ExportRecipe } from './recipe.ts';

export const MANIFEST_FILE = 'manifest.json';
export const LINEAGE_FILE = 'lineage.jsonl';
export const LINEAGE_TABLE = 'lineage.csv';

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.int().min(0);

/** What decides the bytes beside the plan: pictures are equal to the bit where all of this is. */
export const Producer = z.strictObject({
  /** Version of Contexture. */
  version: z.string(),
  /** Operating system and processor, as in "linux-x64". */
  platform: z.string(),
  /** Versions of the picture library and the codecs in it. */
  codecs: z.record(z.string(), z.string()),
});
export type Producer = z.infer<typeof Producer>;

export const ExportManifest = z.strictObject({
  format: z.literal('contexture-export'),
  formatVersion: z.literal(1),
  producer: Producer,
  /** Id of the project. */
  project: z.string(),
  /** Content hash of the data set, and the blob of the project that lists it. */
  dataset: z.strictObject({ hash: Hash, blob: Hash }),
  /** The same of the accepted contexts. */
  bank: z.strictObject({ hash: Hash, blob: Hash }),
  recipe: ExportRecipe,
  /** Hash of the plan. */
  plan: Hash,
  /** Where the images came from: kind and last part of the path. */
  roots: z.array(z.strictObject({ kind: z.enum(['folder', 'zip', 'csv']), name: z.string() })),
  /** Class names, their folders, and how many pictures each has in each split. */
  classes: z.array(
    z.strictObject({
      name: z.string(),
      folder: z.string(),
      originals: Count,
      added: Count,
      pictures: z.strictObject({ train: Count, val: Count, test: Count }),
    }),
  ),
  /** Training images that were left out because the same file is also in the test or validation split. */
  leftOut: z.array(ImageReference),
  pictures: Count,
  bytes: Count,
  /** The lineage, line by line, and as a table. */
  lineage: z.strictObject({ sha256: Hash }),
  table: z.strictObject({ sha256: Hash }),
});
export type ExportManifest = z.infer<typeof ExportManifest>;

/** This program on this machine. */
export function thisProducer(): Producer {
  const libraries = Object.entries(sharp.versions).filter(([, version]) => version !== undefined);
  // Node's own zlib writes PNG files (`png.ts`).
  const codecs = { ...Object.fromEntries(libraries), 'node-zlib': process.versions.zlib };
  return { version: CODE_VERSION, platform: `${process.platform}-${process.arch}`, codecs };
}

/**
 * Read the manifest of a finished export.
 * @returns the manifest and its exact bytes
 * @throws UserError 'not-found', 'damaged', 'newer'
 */
export function readManifest(folder: string): { manifest: ExportManifest; bytes: Buffer } {
  const path = join(folder, MANIFEST_FILE);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read the export', path);
  }
  const damaged = (cause?: unknown): UserError =>
    new UserError('damaged', `${path} is not the manifest of an export, or is damaged. Export again.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw damaged(error);
  }
  const version = z.looseObject({ format: z.literal('contexture-export'), formatVersion: z.int() }).safeParse(value);
  if (version.success && version.data.formatVersion > 1) {
    throw new UserError('newer', `${path} was written by a newer Contexture. Update this one to read it.`);
  }
  const parsed = ExportManifest.safeParse(value);
  if (!parsed.success) throw damaged(parsed.error);
  return { manifest: parsed.data, bytes };
}
