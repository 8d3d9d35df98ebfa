/** Pictures of the project, and masks of contexts, as a run's model is shown them. For the eye: one at a time. */
import { LRUCache } from 'lru-cache';
import { UserError } from '../base/errors.ts';
import { decodeRgb, type Target } from '../data/decode.ts';
import { readMask } from '../data/masked-picture.ts';
import type { ModelCard } from '../models/model-card.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, ImageRecord } from '../storage/records.ts';
import { cardOfModel, modelOfRun } from './run-model.ts';

/** Reads the file of an image as it is now. */
export type ReadImage = (image: ImageRecord) => Promise<Buffer>;

/** Bytes of pictures and masks at input size that are kept: a preview shows each of them several times. */
const KEPT_BYTES = 64 * 2 ** 20;

const pixelsKept = new LRUCache<string, Uint8Array>({ maxSize: KEPT_BYTES, sizeCalculation: ({ length }) => length });
const cards = new LRUCache<BlobId, ModelCard>({ max: 16 });

/** What the model of a run says about itself. @throws UserError 'not-found', 'empty' without a model, 'damaged' */
export async function cardOfRun(project: Project, runId: number): Promise<ModelCard> {
  const model = modelOfRun(project, runId, null);
  const card = cards.get(model.blob) ?? (await cardOfModel(model));
  cards.set(model.blob, card);
  return card;
}

/** How a model is shown pictures. */
export function targetOf({ preprocessing: { inputSize: size, enlarge } }: ModelCard): Target {
  return { width: size, height: size, fit: 'cover', enlarge };
}

/** @returns RGB, not to be changed. @throws UserError 'changed', 'damaged'; whatever `read` throws */
export async function pixelsOf(image: ImageRecord, target: Target, read: ReadImage): Promise<Uint8Array> {
  return kept(`${image.hash} ${keyOf(target)}`, async () => {
    const bytes = await read(image);
    if (sha256(bytes) !== image.hash) {
      throw new UserError('changed', `${image.path} is not the file that was imported. Scan its source again.`);
    }
    return decodeRgb(bytes, target, image);
  });
}

/** @returns 1 byte a pixel, 255 = context, not to be changed. @throws UserError 'not-found' or 'damaged' */
export async function maskPixels({ blobs }: Project, blob: BlobId, target: Target): Promise<Uint8Array> {
  return kept(`mask ${blob} ${keyOf(target)}`, () => readMask(blobs, blob, target));
}

function keyOf({ width, enlarge }: Target): string {
  return `${width} ${enlarge}`;
}

async function kept(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const known = pixelsKept.get(key);
  if (known) return known;
  const pixels = await make();
  pixelsKept.set(key, pixels);
  return pixels;
}
