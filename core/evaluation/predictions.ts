/** From a network's outputs to decisions. All matrices are row-major. */
import { UserError } from '../base/errors.ts';

/**
 * The class of the largest logit of each image; the first one of equals.
 * @param logits images x classes
 * @returns class index of each image
 * @throws UserError 'diverged' when a logit is not a number
 */
export function predict(logits: Float32Array, classes: number): Int32Array {
  if (classes < 1 || logits.length % classes !== 0) {
    throw new RangeError(`${logits.length} logits do not divide into rows of ${classes}`);
  }
  const predictions = new Int32Array(logits.length / classes);
  for (let i = 0, at = 0; i < predictions.length; i++) {
    let best = 0;
    for (let c = 0; c < classes; c++, at++) {
      if (Number.isNaN(logits[at])) {
        throw new UserError(
          'diverged',
          'The model gives outputs that are not numbers: train it anew at a lower learning rate.',
        );
      }
      if (logits[at] > logits[at - c + best]) best = c;
    }
    predictions[i] = best;
  }
  return predictions;
}

/** Mean of two heads' logits, element by element. */
export function meanLogits(a: Float32Array, b: Float32Array): Float32Array {
  if (a.length !== b.length) throw new RangeError(`two heads with ${a.length} and ${b.length} logits`);
  return a.map((value, i) => (value + b[i]) / 2);
}

/**
 * Count each pair of true and predicted class.
 * @returns classes x classes; row: true class, column: predicted class
 */
export function confusionMatrix(predictions: Int32Array, labels: Int32Array, classes: number): Int32Array {
  if (predictions.length !== labels.length) {
    throw new RangeError(`${predictions.length} predictions for ${labels.length} labels`);
  }
  const matrix = new Int32Array(classes * classes);
  for (let i = 0; i < labels.length; i++) {
    if (!(labels[i] >= 0 && labels[i] < classes)) throw new RangeError(`label ${labels[i]} of ${classes} classes`);
    matrix[labels[i] * classes + predictions[i]]++;
  }
  return matrix;
}

/** 1 where the prediction is right, else 0. */
export function correctFlags(predictions: Int32Array, labels: Int32Array): Uint8Array {
  return Uint8Array.from(labels, (label, i) => (predictions[i] === label ? 1 : 0));
}
