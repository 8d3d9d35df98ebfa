import * as tf from '@tensorflow/tfjs-core';

/**
 * `tf.tidy` for results of any type: tensors made by `work` are freed, except those found in what it returns (objects and
 * arrays are searched). tfjs types its own version for objects with index signatures only.
 */
export function tidy<T>(work: () => T): T {
  return tf.tidy(work as () => tf.TensorContainer) as T;
}
