/** Swap preview: a picture with contexts laid over it, and what a run's model says of it, before anything is written. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Head } from './figures.ts';

/** Most contexts and most strengths at once. */
export const MOST_SWAP_CONTEXTS = 12;
export const MOST_SWAP_LAMBDAS = 5;

const Lambda = z.number().min(0).max(1);
const Context = z.int().positive();

/** The mask as it is, or all context from `threshold` on; as in a recipe. */
export const SwapMask = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('soft') }),
    z.strictObject({ kind: z.literal('binary'), threshold: z.number().gt(0).max(1) }),
  ])
  .meta({ id: 'SwapMask' });
export type SwapMask = z.infer<typeof SwapMask>;

export const SwapRequest = z.strictObject({
  /** The image whose foreground it is. */
  image: z.int().positive(),
  /** Whose model answers; the newest finished run when absent. */
  run: z.int().positive().optional(),
  /** Contexts, in the bank or not. */
  contexts: z.array(Context).min(1).max(MOST_SWAP_CONTEXTS),
  lambdas: z.array(Lambda).min(1).max(MOST_SWAP_LAMBDAS),
  mask: SwapMask.default({ kind: 'soft' }),
});
export type SwapRequest = z.infer<typeof SwapRequest>;

/** A context that is laid over the picture. */
export const SwapContext = z
  .object({
    context: z.number(),
    /** Its image, and the class of it. */
    image: z.number(),
    className: z.string(),
    /** The mask version in force. */
    mask: z.number(),
  })
  .meta({ id: 'SwapContext' });
export type SwapContext = z.infer<typeof SwapContext>;

export const SwapAnswer = z
  .object({
    /** The class that is named, and how sure the model is. */
    name: z.string(),
    probability: z.number(),
    /** Probability of the true class; null where the model does not know the class. */
    truth: z.number().nullable(),
    right: z.boolean(),
    /** Another class is named than for the picture as it is. */
    changed: z.boolean(),
  })
  .meta({ id: 'SwapAnswer' });
export type SwapAnswer = z.infer<typeof SwapAnswer>;

export const SwapPreview = z
  .object({
    run: z.number(),
    runName: z.string(),
    image: z.number(),
    path: z.string(),
    className: z.string(),
    lambdas: z.array(z.number()),
    mask: SwapMask,
    /** Those that answer, in the order of answers; and the one that the run is judged by. */
    heads: z.array(Head),
    judgedBy: Head,
    /** To the picture as it is. */
    plain: z.array(SwapAnswer),
    rows: z.array(
      SwapContext.extend({
        /** Why there is none, in one sentence. */
        problem: z.string().nullable(),
        /** Answers by lambda, then by head. */
        cells: z.array(z.array(SwapAnswer)),
      }),
    ),
  })
  .meta({ id: 'SwapPreview' });
export type SwapPreview = z.infer<typeof SwapPreview>;

export const SWAP_ENDPOINTS = {
  'GET /api/projects/{project}/bank/swap/draw': {
    summary: 'Contexts drawn from the bank for an image, never of the same picture; the same seed draws the same ones.',
    query: z.object({
      image: z.int().positive(),
      count: z.int().min(1).max(MOST_SWAP_CONTEXTS).default(MOST_SWAP_CONTEXTS),
      seed: z.int().min(0).default(1),
    }),
    response: z.array(SwapContext),
  },
  'GET /api/projects/{project}/bank/swap/picture': {
    summary:
      'An image with a context laid over it, at the input size of a run, as training and an export of that size do; the image as it is without a context.',
    query: z.object({
      image: z.int().positive(),
      run: z.int().positive(),
      context: Context.optional(),
      /** Version of its mask; the one in force when absent. */
      version: z.int().positive().optional(),
      lambda: Lambda.default(1),
      /** A binary mask: all context from here on; the mask as it is when absent. */
      threshold: z.number().gt(0).max(1).optional(),
    }),
    response: { media: 'image/png' },
  },
  'POST /api/projects/{project}/bank/swap': {
    summary: 'What a run says of an image with contexts laid over it, in several strengths. Nothing is kept.',
    body: SwapRequest,
    response: SwapPreview,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
