import type * as tf from '@tensorflow/tfjs-core';
import { engine } from './backend.ts';

/**
 * A float32 tensor of values that are copied at once, so that the caller may use the array again. `tf.tensor` keeps the
 * array until the tensor is first used; a fresh array of a batch's size for each step costs more than filling it.
 */
export function uploadFloats(values: Float32Array, shape: number[]): tf.Tensor {
  const { backend } = engine();
  const { binding } = backend;
  const id = binding.createTensor(shape, binding.TF_FLOAT, values);
  return backend.createOutputTensor({ id, dtype: binding.TF_FLOAT, shape });
}
