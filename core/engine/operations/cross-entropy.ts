/** Softmax cross entropy as one kernel. */
import * as tf from '@tensorflow/tfjs-core';
import { engine } from '../backend.ts';
import { typeAttribute } from './precision.ts';

/**
 * Mean softmax cross entropy with integer labels.
 * @param logits [N, C]
 * @param labels [N] int32, 0 … C-1
 * @returns the mean over the batch, differentiable in `logits`, and the loss of each sample [N] (kept: the caller
 *   disposes it); exp(-loss) is the probability of the true class
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): { loss: tf.Scalar; sampleLosses: tf.Tensor1D } {
  const losses = engine().device === 'cpu' ? fusedLosses : composedLosses;
  let sampleLosses: tf.Tensor1D | undefined;
  const operation = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    const { each, gradient } = losses(input as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([gradient]);
    sampleLosses = tf.keep(each);
    return {
      value: tf.mean(each),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0], tf.div(dy, logits.shape[0])),
    };
  });
  const loss = operation(logits) as tf.Scalar;
  return { loss, sampleLosses: sampleLosses! };
}

/** Cross entropy of each sample, and each one's gradient in its logits. */
interface Losses {
  each: tf.Tensor1D;
  gradient: tf.Tensor2D;
}

/** SparseSoftmaxCrossEntropyWithLogits. */
function fusedLosses(logits: tf.Tensor2D, labels: tf.Tensor1D): Losses {
  const { backend } = engine();
  const [each, gradient] = backend.executeMultipleOutputs(
    'SparseSoftmaxCrossEntropyWithLogits',
    [typeAttribute('T', backend.binding.TF_FLOAT), typeAttribute('Tlabels', backend.binding.TF_INT32)],
    [logits, labels],
    2,
  );
  return { each: each as tf.Tensor1D, gradient: gradient as tf.Tensor2D };
}

/** Out of operations that repeat their digits on a GPU, where the fused one refuses to run because it does not. */
export function composedLosses(logits: tf.Tensor2D, labels: tf.Tensor1D): Losses {
  const logProbabilities = tf.logSoftmax(logits);
  const truth = tf.cast(tf.oneHot(labels, logits.shape[1]), 'float32') as tf.Tensor2D;
  return {
    each: tf.neg(tf.sum(tf.mul(logProbabilities, truth), 1)),
    gradient: tf.sub(tf.exp(logProbabilities), truth),
  };
}
