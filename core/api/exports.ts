/** Exports: a recipe, what it would give, the task that writes it, and what was written. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { GroupName } from './images.ts';
import { Task } from './tasks.ts';

/** How many new pictures a class gets. */
export const RecipeAmount = z
  .discriminatedUnion('kind', [
    /** So many new ones. */
    z.strictObject({ kind: z.literal('add'), images: z.int().min(0).max(1_000_000) }),
    /** As many as bring it to `to` pictures in all, kept originals counted. */
    z.strictObject({ kind: z.literal('fill'), to: z.int().min(1).max(1_000_000) }),
    /** So many new ones for each training image. */
    z.strictObject({ kind: z.literal('multiply'), by: z.int().min(1).max(1000) }),
  ])
  .meta({ id: 'RecipeAmount' });
export type RecipeAmount = z.infer<typeof RecipeAmount>;

/** The same as `ExportRecipe` of core/export/recipe.ts, which says more of each field; a test holds them together. */
export const Recipe = z
  .strictObject({
    amount: RecipeAmount,
    /** Classes, by name, that get another amount. */
    perClass: z.array(z.strictObject({ class: z.string(), amount: RecipeAmount })).optional(),
    originals: z.boolean(),
    arm: z.enum(['context', 'no-paste', 'same-class', 'random']),
    contextClasses: z.array(z.string()).min(1).nullable(),
    lambda: z.strictObject({ min: z.number().min(0).max(1), max: z.number().min(0).max(1) }),
    mask: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('soft') }),
      z.strictObject({ kind: z.literal('binary'), threshold: z.number().gt(0).max(1) }),
    ]),
    /** Times that one context may be used; null for no limit. */
    reuse: z.int().min(1).nullable(),
    /** Pixels; null: each picture keeps its own size. */
    size: z.int().min(8).max(4096).nullable(),
    format: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('png') }),
      z.strictObject({ kind: z.literal('jpeg'), quality: z.int().min(1).max(100) }),
      z.strictObject({ kind: z.literal('webp'), quality: z.int().min(1).max(100) }),
    ]),
    copy: z.array(z.enum(['val', 'test'])),
    seed: z.int().min(0),
  })
  .meta({ id: 'Recipe' });
export type Recipe = z.infer<typeof Recipe>;

export const ExportDefaults = z
  .object({
    /** That of the newest export, else one that fills every class to the largest. */
    recipe: Recipe,
    /** A folder that is free. */
    folder: z.string(),
    /** Largest training set first. */
    classes: z.array(z.object({ name: z.string(), train: z.number(), group: GroupName })),
    /** Usable images of the other splits. */
    val: z.number(),
    test: z.number(),
    acceptedContexts: z.number(),
  })
  .meta({ id: 'ExportDefaults' });
export type ExportDefaults = z.infer<typeof ExportDefaults>;

export const ExportSample = z
  .object({
    /** Path inside the export. */
    file: z.string(),
    class: z.string(),
    kind: z.enum(['original', 'copy', 'mixed']),
    /** Ids of the images that it is made of, and of the context. */
    source: z.number(),
    contextImage: z.number().nullable(),
    contextId: z.number().nullable(),
    lambda: z.number().nullable(),
    /** Of the picture as it would be written. */
    width: z.number(),
    height: z.number(),
    bytes: z.number(),
    /** It, reduced, as WebP in base64; null where it could not be made, and why. */
    picture: z.string().nullable(),
    problem: z.string().nullable(),
  })
  .meta({ id: 'ExportSample' });
export type ExportSample = z.infer<typeof ExportSample>;

export const ExportPreview = z
  .object({
    /** The command line that exports by this recipe; the project comes after it. */
    command: z.string(),
    classes: z.array(z.object({ name: z.string(), images: z.number(), originals: z.number(), added: z.number() })),
    /** Pictures in all, copied splits too; new ones among them. */
    pictures: z.number(),
    added: z.number(),
    contexts: z.object({
      accepted: z.number(),
      usable: z.number(),
      used: z.number(),
      /** Pictures that the most used one is laid over. */
      mostUses: z.number(),
    }),
    /** Why the export would be refused. */
    problem: z.string().nullable(),
    warnings: z.array(z.string()),
    /** Estimated size and free space on the disk, bytes. */
    bytes: z.number().nullable(),
    free: z.number().nullable(),
    samples: z.array(ExportSample),
  })
  .meta({ id: 'ExportPreview' });
export type ExportPreview = z.infer<typeof ExportPreview>;

export const ExportStateName = z.enum(['running', 'stopped', 'finished', 'verified', 'failed']);

export const ExportRow = z
  .object({
    id: z.number(),
    /** Absolute folder. */
    path: z.string(),
    state: ExportStateName,
    images: z.number(),
    recipe: Recipe.nullable(),
    createdAt: z.string(),
    endedAt: z.string().nullable(),
    /** The folder is there; it holds an export that can be gone on with. */
    there: z.boolean(),
    unfinished: z.boolean(),
  })
  .meta({ id: 'ExportRow' });
export type ExportRow = z.infer<typeof ExportRow>;

export const ExportDetail = ExportRow.extend({
  /** From the manifest; null where none can be read. */
  manifest: z
    .object({
      version: z.string(),
      bytes: z.number(),
      leftOut: z.number(),
      classes: z.array(
        z.object({
          name: z.string(),
          folder: z.string(),
          originals: z.number(),
          added: z.number(),
          train: z.number(),
          val: z.number(),
          test: z.number(),
        }),
      ),
    })
    .nullable(),
  lineage: z.object({
    /** Pictures with something laid over, and without. */
    mixed: z.number(),
    plain: z.number(),
    /** Different source images and contexts. */
    sources: z.number(),
    contexts: z.number(),
    /** Contexts that were used most, with the image they are of; ten at most. */
    mostUsed: z.array(z.object({ context: z.number(), image: z.number(), uses: z.number() })),
    /** Pictures by lambda, ten equal parts of 0 to 1. */
    lambda: z.array(z.number()),
    /** Contexts that are not as they were used: another mask, or no longer accepted. */
    changedContexts: z.number(),
  }),
}).meta({ id: 'ExportDetail' });
export type ExportDetail = z.infer<typeof ExportDetail>;

/** Result of a task "verify", and `report` of a task "export". */
export const VerifyResult = z
  .object({
    out: z.string(),
    ok: z.boolean(),
    /** The first of them, and how many there are. */
    problems: z.array(z.object({ kind: z.string(), file: z.string(), message: z.string() })),
    problemCount: z.number(),
    notes: z.array(z.string()),
    pictures: z.number(),
    proven: z.number(),
    rebuilt: z.number(),
  })
  .meta({ id: 'VerifyResult' });
export type VerifyResult = z.infer<typeof VerifyResult>;

/** Result of a task "export". */
export const ExportTaskResult = z
  .object({
    state: z.enum(['planned', 'finished']),
    out: z.string(),
    pictures: z.number(),
    /** Estimated for a dry run. */
    bytes: z.number(),
    leftOut: z.number(),
    report: VerifyResult.nullable(),
  })
  .meta({ id: 'ExportTaskResult' });
export type ExportTaskResult = z.infer<typeof ExportTaskResult>;

export const EXPORT_ENDPOINTS = {
  'GET /api/projects/{project}/exports': { summary: 'Exports, newest first.', response: z.array(ExportRow) },
  'GET /api/projects/{project}/exports/defaults': {
    summary: 'Where a new export starts from: recipe, folder, classes.',
    response: ExportDefaults,
  },
  'POST /api/projects/{project}/exports/preview': {
    summary: 'What a recipe would give: counts, warnings, estimated size, and some of its pictures. Nothing is kept.',
    body: z.object({
      recipe: Recipe,
      /** Absolute folder that would be written. */
      folder: z.string().min(1).nullable().default(null),
      /** Pictures to make, and the seed that picks them. */
      samples: z.int().min(0).max(24).default(8),
      seed: z.int().min(0).default(0),
    }),
    response: ExportPreview,
  },
  'POST /api/projects/{project}/exports': {
    summary: 'Export and verify. The same folder and recipe go on with an export that was interrupted.',
    body: z.object({
      folder: z.string().min(1),
      recipe: Recipe,
      /** Only plan, and estimate the size by making some pictures; nothing is written. */
      dryRun: z.boolean().default(false),
    }),
    response: Task,
  },
  'GET /api/projects/{project}/exports/{export}': {
    summary: 'An export with a summary of its lineage.',
    response: ExportDetail,
  },
  'POST /api/projects/{project}/verifications': {
    summary: 'Check an export: every file by its hash, nothing else there, counts, training images only.',
    body: z.object({
      folder: z.string().min(1),
      /** Make every picture again and compare. */
      rebuild: z.boolean().default(false),
    }),
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
