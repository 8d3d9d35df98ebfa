/** Try it: what a run's model says about pictures, while something else may be training. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Head } from './figures.ts';
import { SaliencyMap } from './runs.ts';
import { Task } from './tasks.ts';

/** Largest picture that is taken, bytes. */
export const LARGEST_PICTURE = 64 * 2 ** 20;
/** Most pictures at once. */
export const MOST_PICTURES = 100;

/** A picture that was sent, by the hash of its bytes, or an image of the project. */
export const TriedPicture = z.union([
  z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ image: z.int().positive() }),
]);
export type TriedPicture = z.infer<typeof TriedPicture>;

export const SentPicture = z
  .object({ hash: z.string(), width: z.number(), height: z.number(), format: z.string() })
  .meta({ id: 'SentPicture' });
export type SentPicture = z.infer<typeof SentPicture>;

const Guess = z.object({ label: z.number(), name: z.string(), probability: z.number() });

export const PictureAnswer = z
  .object({
    picture: TriedPicture,
    /** Why there is no answer; one sentence. */
    problem: z.string().nullable(),
    /** The five most probable classes by each head, best first; empty for a head that was not trained. */
    heads: z.array(z.object({ head: Head, guesses: z.array(Guess) })),
    /** Evidence for the best class of the head that the run is judged by. */
    saliency: SaliencyMap.nullable(),
  })
  .meta({ id: 'PictureAnswer' });
export type PictureAnswer = z.infer<typeof PictureAnswer>;

/** Result of a task of kind "predict". */
export const PredictionResult = z
  .object({ run: z.number(), judgedBy: Head, answers: z.array(PictureAnswer) })
  .meta({ id: 'PredictionResult' });
export type PredictionResult = z.infer<typeof PredictionResult>;

export const PREDICT_ENDPOINTS = {
  'POST /api/projects/{project}/pictures': {
    summary: 'Send a picture to be tried. It is kept for a day.',
    upload: LARGEST_PICTURE,
    response: SentPicture,
  },
  'POST /api/projects/{project}/predictions': {
    summary: 'Show pictures to the model of a run. The result of the task is a PredictionResult.',
    body: z.object({
      run: z.int().positive(),
      pictures: z.array(TriedPicture).min(1).max(MOST_PICTURES),
    }),
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
