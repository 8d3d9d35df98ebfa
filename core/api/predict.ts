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

/** Pictures and the model that they are shown to. */
export const Trial = z.strictObject({
  run: z.int().positive(),
  /** Name of a variant of the run; absent for the model as it was trained. */
  variant: z.string().min(1).max(100).optional(),
  pictures: z.array(TriedPicture).min(1).max(MOST_PICTURES),
});
export type Trial = z.infer<typeof Trial>;

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
    /** The five most probable classes by each head that answers, best first. */
    heads: z.array(z.object({ head: Head, guesses: z.array(Guess) })),
    /** Evidence for the best class of the head that `judgedBy` names. */
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
    summary:
      'Show pictures to the model of a run, or to a variant of it. The result of the task is a PredictionResult.',
    body: Trial,
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
