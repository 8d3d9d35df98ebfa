/** How a failure crosses the contract. */
import { z } from 'zod';

/** Codes of `core/base/errors.ts`, and "defect" for what is our fault. */
export const ErrorCode = z.enum([
  'usage',
  'not-found',
  'unreadable',
  'damaged',
  'locked',
  'newer',
  'no-space',
  'no-permission',
  'exists',
  'empty',
  'changed',
  'conflict',
  'engine',
  'memory',
  'diverged',
  'cancelled',
  'verify',
  'defect',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

export const Failure = z
  .object({
    code: ErrorCode,
    /** One sentence: what happened, to which file or setting, what to do. */
    message: z.string(),
  })
  .meta({ id: 'Failure' });
export type Failure = z.infer<typeof Failure>;

/** Body of every answer whose status is 400 or more. */
export const ErrorBody = z.object({ error: Failure }).meta({ id: 'ErrorBody' });
export type ErrorBody = z.infer<typeof ErrorBody>;
