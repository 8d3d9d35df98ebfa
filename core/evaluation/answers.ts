/** What a head answered for each image, in the few numbers that lists of images need. */
import { predict } from './predictions.ts';

/** One value an image, in the order of the logits. */
export interface HeadAnswers {
  predicted: Int32Array;
  /** Probability of the predicted class and of the true one, 0 to 1. */
  confidence: Float32Array;
  trueProbability: Float32Array;
}

/**
 * Answers with their probabilities (softmax of the logits).
 * @param logits images x classes, row-major
 * @param labels true class of each image
 * @throws UserError 'diverged' when a logit is not a number
 */
export function answersFromLogits(logits: Float32Array, labels: Int32Array, classes: number): HeadAnswers {
  const predicted = predict(logits, classes);
  const confidence = new Float32Array(labels.length);
  const trueProbability = new Float32Array(labels.length);
  for (let i = 0, at = 0; i < labels.length; i++, at += classes) {
    const highest = logits[at + predicted[i]];
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[at + c] - highest);
    confidence[i] = 1 / sum;
    trueProbability[i] = Math.exp(logits[at + labels[i]] - highest) / sum;
  }
  return { predicted, confidence, trueProbability };
}
