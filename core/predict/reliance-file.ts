/** What a run answered to the compositions of its pictures, with all that is needed to show them again. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import type { Head } from '../evaluation/figures.ts';
import { COMPOSITIONS, type ComposedAnswers, type Partners } from '../evaluation/reliance.ts';
import type { BlobId } from '../storage/records.ts';

/** How the pictures were made. */
const Recipe = z.strictObject({
  /** Side of the pictures, pixels, and how many times larger the shorter side is made before the centre is cut out. */
  inputSize: z.int(),
  enlarge: z.number(),
  /** Of what is taken away: mean colour of the pictures, rounded. */
  fill: z.tuple([z.int(), z.int(), z.int()]),
  /** Foreground is where saliency reaches this share of its largest value. */
  threshold: z.number(),
  /** Masks that a person accepted, by image; all others are from saliency. */
  reviewed: z.record(z.string(), z.string()),
});
export type RelianceRecipe = z.infer<typeof Recipe>;

export interface RelianceFile {
  recipe: RelianceRecipe;
  /** `ImageRecord.id` of each picture that was judged [n], then of those that lent their backgrounds. */
  imageIds: Int32Array;
  /** True class of each picture that was judged [n]. */
  labels: Int32Array;
  /** Positions in `imageIds` [n]. */
  partners: Partners;
  /** Null for heads that were not trained. */
  heads: Record<Head, ComposedAnswers | null>;
  /** Saliency of the true class of each of `imageIds`, one grid after the other, 255 = strongest. */
  saliency: { width: number; height: number; data: Uint8Array };
}

const HEADS = ['uniform', 'balanced', 'mean'] as const;

export function encodeReliance(file: RelianceFile): Uint8Array[] {
  const all = file.imageIds.length;
  const count = file.labels.length;
  const { width, height, data } = file.saliency;
  const tensors: Record<string, StoredTensor> = {
    image_ids: { dtype: 'I32', shape: [all], data: file.imageIds },
    labels: { dtype: 'I32', shape: [count], data: file.labels },
    same: { dtype: 'I32', shape: [count], data: file.partners.same },
    rand: { dtype: 'I32', shape: [count], data: file.partners.rand },
    saliency: { dtype: 'U8', shape: [all, height, width], data },
  };
  for (const head of HEADS) {
    const answers = file.heads[head];
    if (answers === null) continue;
    const shape = [count, COMPOSITIONS.length];
    tensors[`probability.${head}`] = { dtype: 'F32', shape, data: answers.probability };
    tensors[`right.${head}`] = { dtype: 'U8', shape, data: answers.right };
  }
  return encodeSafetensors(tensors, { recipe: JSON.stringify(file.recipe) });
}

/** @throws UserError 'damaged' */
export function decodeReliance(bytes: Uint8Array, name: string): RelianceFile {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const get = <D extends 'I32' | 'F32' | 'U8'>(tensor: string, dtype: D): StoredTensor<D> => {
    const stored = tensors[tensor];
    if (stored?.dtype !== dtype) {
      throw new UserError(
        'damaged',
        `${name} does not hold a run's context reliance: ${tensor} is missing. Measure it again.`,
      );
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as its dtype says
    return stored as StoredTensor<D>;
  };
  const saliency = get('saliency', 'U8');
  const [, height, width] = saliency.shape;
  const answers = (head: Head): ComposedAnswers | null =>
    `right.${head}` in tensors
      ? { probability: get(`probability.${head}`, 'F32').data, right: get(`right.${head}`, 'U8').data }
      : null;
  return {
    recipe: Recipe.parse(JSON.parse(metadata.recipe)),
    imageIds: get('image_ids', 'I32').data,
    labels: get('labels', 'I32').data,
    partners: { same: get('same', 'I32').data, rand: get('rand', 'I32').data },
    heads: { uniform: answers('uniform'), balanced: answers('balanced'), mean: answers('mean') },
    saliency: { width, height, data: saliency.data },
  };
}

/** The mask of a picture that a person accepted; undefined where it is from saliency. */
export function reviewedMask({ reviewed }: RelianceRecipe, imageId: number): BlobId | undefined {
  return Object.hasOwn(reviewed, imageId) ? reviewed[imageId] : undefined;
}
