/** From a model's logits to its answers: which head speaks, and how sure it is. */
import { UserError } from '../base/errors.ts';
import type { Head } from '../evaluation/figures.ts';
import { predict } from '../evaluation/predictions.ts';
import type { ModelCard } from '../models/model-card.ts';

/**
 * The head that answers.
 * @param wanted null for the one that the model's method is judged by, or that a variant changed
 * @throws UserError 'usage' for a head that was not trained, or that a variant is not about
 */
export function answeringHead(
  { method, head, variant }: Pick<ModelCard, 'method' | 'head' | 'variant'>,
  wanted: Head | null,
): Head {
  if (wanted === null) return variant?.head ?? head;
  if (head === 'uniform' && wanted !== 'uniform') {
    throw new UserError(
      'usage',
      `The method "${method}" trains one head: "${wanted}" gives no answer. Leave the setting away.`,
    );
  }
  if (variant && wanted !== variant.head) {
    throw new UserError(
      'usage',
      `This variant changes the head "${variant.head}": "${wanted}" is not what it is about. Leave the setting away.`,
    );
  }
  return wanted;
}

/** The heads that a model can be asked for. */
export function headsOfModel({ head, variant }: Pick<ModelCard, 'head' | 'variant'>): readonly Head[] {
  if (variant) return [variant.head];
  return head === 'uniform' ? ['uniform'] : ['uniform', 'balanced', 'mean'];
}

/**
 * Probabilities of every class.
 * @param logits [n, classes] of the head that answers
 * @param temperatures in label order, see `VariantCard`; null: 1
 * @returns [n, classes], each row sums to 1
 */
export function probabilitiesOf(
  logits: Float32Array,
  classes: number,
  temperatures: readonly number[] | null,
): Float32Array {
  if (temperatures === null) return softmaxRows(logits, classes);
  const best = predict(logits, classes);
  return softmaxRows(
    logits.map((value, i) => value / temperatures[best[Math.floor(i / classes)]]),
    classes,
  );
}

/** Softmax of each row, computed so that it cannot overflow. */
function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float64Array.from(row, (value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    probabilities.set(
      Float32Array.from(powers, (power) => power / sum),
      start,
    );
  }
  return probabilities;
}
