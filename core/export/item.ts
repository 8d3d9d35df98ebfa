/** One picture of an export: all that is needed to make it, and all that is remembered of how it was made. */
import { z } from 'zod';
import { SPLITS } from '../storage/records.ts';

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Pixels = z.int().min(1);

/** `CoverCrop`: resize, then cut. */
const Crop = z.strictObject({
  resized: z.strictObject({ width: Pixels, height: Pixels }),
  left: z.int().min(0),
  top: z.int().min(0),
});

/** An image of the data set, named so that it is found again: by id in the project, by content anywhere. */
export const ImageReference = z.strictObject({
  /** `ImageRecord.id`. */
  id: z.int().min(1),
  /** Index into the manifest's `roots`, and the path inside it. */
  root: z.int().min(0),
  path: z.string(),
  /** Base64 of the exact name where it is not valid UTF-8. */
  pathBytes: z.base64().optional(),
  hash: Hash,
});
export type ImageReference = z.infer<typeof ImageReference>;

/** What of the context image is pasted. */
export const MaskReference = z.discriminatedUnion('kind', [
  /** A version of a mask: its id in the project and its bytes' hash. */
  z.strictObject({ kind: z.literal('version'), id: z.int().min(1), blob: Hash }),
  /** All of it: of a plain background. */
  z.strictObject({ kind: z.literal('whole') }),
  /** Inside a rectangle of the upright context image all, outside nothing. */
  z.strictObject({ kind: z.literal('rectangle'), x: z.int().min(0), y: z.int().min(0), width: Pixels, height: Pixels }),
]);
export type MaskReference = z.infer<typeof MaskReference>;

export const PlanItem = z.strictObject({
  /** Path inside the export with `/` between parts. */
  file: z.string(),
  split: z.enum(SPLITS),
  /** Class name as in the project; the folder's name can differ. */
  class: z.string(),
  /** "original": an image of the data set · "copy": a plain copy of one · "mixed": one with a context pasted. */
  kind: z.enum(['original', 'copy', 'mixed']),
  source: ImageReference,
  /** How the source is resized and cut to the output; null where it keeps its size. */
  crop: Crop.nullable(),
  /** Upright size of the written picture. */
  width: Pixels,
  height: Pixels,
  context: z
    .strictObject({
      /** `Context.id`; null for a random image and for a plain background. */
      id: z.int().min(1).nullable(),
      /** `Background.id`; only of a plain background. */
      background: z.int().min(1).optional(),
      /** A plain background is no image of the data set: its id is null. */
      image: ImageReference.extend({ id: z.int().min(1).nullable() }),
      mask: MaskReference,
      /** How image and mask are resized and cut to the output. */
      crop: Crop,
      lambda: z.number().min(0).max(1),
    })
    .nullable(),
});
export type PlanItem = z.infer<typeof PlanItem>;

/** A line of `lineage.jsonl`. */
export const LineageItem = PlanItem.extend({ sha256: Hash, bytes: z.int().min(1) });
export type LineageItem = z.infer<typeof LineageItem>;
