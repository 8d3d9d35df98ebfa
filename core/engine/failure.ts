/** What a native failure means for a person. */
import { UserError } from '../base/errors.ts';

/**
 * Translate TensorFlow's out-of-memory errors; anything else is returned as it is.
 * @param batchSize what the run was using, for the advice
 */
export function engineFailure(error: unknown, batchSize: number): unknown {
  const text = error instanceof Error ? error.message : '';
  const outOfMemory = /\bOOM\b|out of memory|resource exhausted|failed to allocate|allocation failed/i;
  if (
    error instanceof UserError ||
    !(outOfMemory.test(text) || (error instanceof RangeError && /Array buffer/.test(text)))
  ) {
    return error;
  }
  return new UserError(
    'memory',
    `The engine ran out of memory at batchSize ${batchSize}. Choose ${Math.max(2, Math.floor(batchSize / 2))} or a smaller inputSize and resume; nothing up to the last checkpoint is lost.`,
    { cause: error },
  );
}
