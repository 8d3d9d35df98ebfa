/** Images: which ones fit a filter, what is known of them, thumbnails and pictures; and the filters that are kept. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';

export const SplitName = z.enum(['train', 'val', 'test']);
export type SplitName = z.infer<typeof SplitName>;
export const GroupName = z.enum(['many', 'medium', 'few']);
export type GroupName = z.infer<typeof GroupName>;
export const ImageStateName = z.enum(['ok', 'missing', 'changed']);
export type ImageStateName = z.infer<typeof ImageStateName>;

/** Most images whose details are given at once. */
export const MOST_DETAILS = 2000;
/** Most thumbnails of one sheet. */
export const MOST_THUMBNAILS = 512;

/** Which images are shown, and in which order. What is not named does not narrow; of several values one must fit. */
export const ImageQuery = z
  .object({
    /** Ids of classes, merges applied. */
    class: z.array(z.int().positive()).max(5000).optional(),
    /** Groups of classes by the thresholds of the project. */
    group: z.array(GroupName).optional(),
    /** In force. "train" has those without a split too; "unassigned" has them alone. */
    split: z.array(z.enum([...SplitName.options, 'unassigned'])).optional(),
    state: z.array(ImageStateName).optional(),
    excluded: z.boolean().optional(),
    source: z.array(z.int().positive()).max(1000).optional(),
    /** What the path inside the source holds. */
    text: z.string().max(500).optional(),
    /** Usable images that are there more than once; of those "leak": across splits, "conflict": across classes. */
    duplicates: z.enum(['any', 'leak', 'conflict']).optional(),
    /** Images that the import noted a problem of this kind for. */
    problem: z.string().max(100).optional(),
    /** "class": by name. "size": bytes of the file. "date": time of the file. */
    sort: z.enum(['path', 'class', 'size', 'date']).default('path'),
    descending: z.boolean().default(false),
  })
  .meta({ id: 'ImageQuery' });
export type ImageQuery = z.infer<typeof ImageQuery>;

export const ImageDetails = z
  .object({
    id: z.number(),
    source: z.number(),
    /** Path inside the source. */
    path: z.string(),
    /** In force, merges applied. */
    classId: z.number(),
    className: z.string(),
    /** As the import found them. */
    foundClass: z.string(),
    foundSplit: SplitName.nullable(),
    /** In force; null counts as train. */
    split: SplitName.nullable(),
    excluded: z.boolean(),
    state: ImageStateName,
    /** Pixels, upright. */
    width: z.number(),
    height: z.number(),
    /** Bytes of the file. */
    size: z.number(),
    /** When the file was last written, ISO 8601. */
    date: z.string(),
    format: z.string(),
    /** SHA-256 of the file's bytes. */
    hash: z.string(),
  })
  .meta({ id: 'ImageDetails' });
export type ImageDetails = z.infer<typeof ImageDetails>;

/** All that the picture view says about an image. */
export const ImageFacts = ImageDetails.extend({
  /** Where the source lies; the file is `path` inside it. */
  sourcePath: z.string(),
  problems: z.array(z.object({ kind: z.string(), severity: z.enum(['error', 'warning', 'note']), reason: z.string() })),
  /** Other images with the same bytes, usable or not. */
  copies: z.array(z.object({ id: z.number(), path: z.string(), className: z.string(), split: SplitName.nullable() })),
  context: z
    .object({
      id: z.number(),
      state: z.enum(['undecided', 'accepted', 'rejected']),
      /** Probability of the true class. */
      probability: z.number(),
      /** Share of the picture that is context, 0 to 1. */
      area: z.number(),
    })
    .nullable(),
}).meta({ id: 'ImageFacts' });
export type ImageFacts = z.infer<typeof ImageFacts>;

/** A filter that is kept under a name. */
export const SavedView = z
  .object({ name: z.string().trim().min(1).max(100), query: ImageQuery })
  .meta({ id: 'SavedView' });
export type SavedView = z.infer<typeof SavedView>;

const Ids = z.array(
  z
    .int()
    .positive()
    .max(2 ** 32 - 1),
);

export const IMAGE_ENDPOINTS = {
  'GET /api/projects/{project}/images/ids': {
    summary: 'Ids of the images that fit, in order: unsigned 32-bit numbers, little end first.',
    query: ImageQuery,
    response: { media: 'application/octet-stream' },
  },
  'POST /api/projects/{project}/images/details': {
    summary: 'What is known of images, in the order asked for; ids that are not there are left out.',
    body: z.object({ ids: Ids.max(MOST_DETAILS) }),
    response: z.array(ImageDetails),
  },
  'GET /api/projects/{project}/images/{image}': { summary: 'All about one image.', response: ImageFacts },
  'GET /api/projects/{project}/images/{image}/picture': {
    summary:
      'The picture, upright. With a size: as WebP, its longer side at most that many pixels. Without: the file as it is where a browser can show it. Refused when the file is not the one that was imported.',
    query: z.object({ size: z.int().min(16).max(4096).optional() }),
    response: { media: 'image/*' },
  },
  'POST /api/projects/{project}/thumbnails': {
    summary:
      'A sheet of thumbnails: the number of them, then id and byte length of each (unsigned 32-bit numbers, little end first; length 0: cannot be shown), then the WebP files one after the other.',
    body: z.object({
      /** Longer side in pixels; a little more may come. */
      size: z.int().min(16).max(1024),
      ids: Ids.min(1).max(MOST_THUMBNAILS),
    }),
    response: { media: 'application/octet-stream' },
  },
  'GET /api/projects/{project}/views': { summary: 'Filters that are kept.', response: z.array(SavedView) },
  'PUT /api/projects/{project}/views': {
    summary: 'Keep these filters in place of those before.',
    body: z.object({ views: z.array(SavedView).max(200) }),
    response: z.array(SavedView),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
