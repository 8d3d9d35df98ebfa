/** Rows of a matrix by their index. */
import * as tf from '@tensorflow/tfjs-core';
import { engine } from '../backend.ts';
import { typeAttribute } from './precision.ts';

/**
 * Rows of a matrix by their index. TensorFlow.js's own reads the indices back to check them, which a trace cannot have.
 * @param x [N, C]
 * @param indices [B] int32, 0 … N-1
 * @returns [B, C]; not differentiable
 */
export function gatherRows(x: tf.Tensor2D, indices: tf.Tensor1D): tf.Tensor2D {
  const { backend } = engine();
  const { TF_FLOAT, TF_INT32 } = backend.binding;
  return tf.tidy(() =>
    backend.executeSingleOutput(
      'GatherV2',
      [typeAttribute('Tparams', TF_FLOAT), typeAttribute('Tindices', TF_INT32), typeAttribute('Taxis', TF_INT32)],
      [x, indices, tf.scalar(0, 'int32')],
    ),
  ) as tf.Tensor2D;
}
