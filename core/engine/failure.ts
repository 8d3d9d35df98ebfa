/** What a native failure means for a person. */
import { UserError } from '../base/errors.ts';

/**
 * Translate TensorFlow's out-of-memory errors; anything else is returned as it is.
 * @param message what to tell the person then: one sentence, and advice
 */
export function engineFailure(error: unknown, message: string): unknown {
  const text = error instanceof Error ? error.message : '';
  const outOfMemory = /\bOOM\b|out of memory|resource exhausted|failed to allocate|allocation failed/i;
  if (
    error instanceof UserError ||
    !(outOfMemory.test(text) || (error instanceof RangeError && /Array buffer/.test(text)))
  ) {
    return error;
  }
  return new UserError('memory', message, { cause: error });
}
