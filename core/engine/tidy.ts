import * as tf from '@tensorflow/tfjs-core';

/**
 * `tf.tidy` for results of any type: tensors made by `work` are freed, except those found in what it returns (objects and
 * arrays are searched). tfjs types its own version for objects with index signatures only.
 */
export function tidy<T>(work: () => T): T {
  return tf.tidy(work as () => tf.TensorContainer) as T;
}

/**
 * As `tidy`, for numbers that were read and nothing on the device. tfjs searches what `work` returns for tensors, typed
 * arrays too, number by number: that takes longer than many a network takes to make them.
 */
export function tidyRead<T>(work: () => T): T {
  const read: T[] = [];
  tf.tidy(() => void read.push(work()));
  return read[0];
}
