/** What to export: one schema for the command line, the service, the stored record and the manifest. */
import { z } from 'zod';

/** How many new pictures each class gets. */
export const ExportAmount = z.discriminatedUnion('kind', [
  /** So many new ones in every class. */
  z.strictObject({ kind: z.literal('add'), images: z.int().min(0).max(1_000_000) }),
  /** As many as bring a class to `to` pictures in all, kept originals counted; larger classes get none. */
  z.strictObject({ kind: z.literal('fill'), to: z.int().min(1).max(1_000_000) }),
  /** So many new ones for each training image of the class. */
  z.strictObject({ kind: z.literal('multiply'), by: z.int().min(1).max(1000) }),
]);
export type ExportAmount = z.infer<typeof ExportAmount>;

/**
 * Where a new picture's context comes from: the method, or a control that differs from it in one thing.
 * - "context": an accepted context of any class (method.md 2.4 has no rule on classes)
 * - "no-paste": none; new pictures are plain copies
 * - "same-class": an accepted context of the picture's own class
 * - "random": any training image, with a random rectangle as large as an accepted context's mask
 */
export const EXPORT_ARMS = ['context', 'no-paste', 'same-class', 'random'] as const;
export type ExportArm = (typeof EXPORT_ARMS)[number];

/** File format of every picture of the export. */
export const ExportFormat = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('png') }),
  z.strictObject({ kind: z.literal('jpeg'), quality: z.int().min(1).max(100) }),
  z.strictObject({ kind: z.literal('webp'), quality: z.int().min(1).max(100) }),
]);
export type ExportFormat = z.infer<typeof ExportFormat>;

export const ExportRecipe = z.strictObject({
  amount: ExportAmount,
  /** Classes, by name, that get another amount. */
  perClass: z
    .array(z.strictObject({ class: z.string(), amount: ExportAmount }))
    .refine((rows) => new Set(rows.map((row) => row.class)).size === rows.length, 'a class is named twice')
    .optional(),
  /** Write the training images themselves, too. */
  originals: z.boolean(),
  arm: z.enum(EXPORT_ARMS),
  /** Classes whose contexts may be used, by name; null for all. */
  contextClasses: z.array(z.string()).min(1).nullable(),
  /** lambda is drawn evenly from this range for each picture. */
  lambda: z
    .strictObject({ min: z.number().min(0).max(1), max: z.number().min(0).max(1) })
    .refine(({ min, max }) => min <= max, 'the smallest lambda is larger than the largest'),
  /** "soft": the mask as it is · "binary": all context from `threshold` (0 to 1) on, nothing below. */
  mask: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('soft') }),
    z.strictObject({ kind: z.literal('binary'), threshold: z.number().gt(0).max(1) }),
  ]),
  /** How often one context (in the arm "random": one image) may be used; null for no limit. */
  reuse: z.int().min(1).nullable(),
  /** Side of the square pictures, pixels: resized to cover, centre cropped. null: each picture keeps its own size. */
  size: z.int().min(8).max(4096).nullable(),
  format: ExportFormat,
  /** Further splits to write beside `train`, without any change but size and format. */
  copy: z.array(z.enum(['val', 'test'])),
  /** Whole number; everything random follows from it. */
  seed: z.int().min(0),
});
export type ExportRecipe = z.infer<typeof ExportRecipe>;

/** What holds where a user says nothing. */
export const DEFAULT_RECIPE: Omit<ExportRecipe, 'amount'> = {
  originals: true,
  arm: 'context',
  contextClasses: null,
  lambda: { min: 0, max: 1 },
  mask: { kind: 'soft' },
  reuse: null,
  size: null,
  format: { kind: 'png' },
  copy: [],
  seed: 1,
};

/** File name ending of a format. */
export const EXTENSIONS: Readonly<Record<ExportFormat['kind'], string>> = { png: 'png', jpeg: 'jpg', webp: 'webp' };
