/** In which precision a tensor is, and how an operation is told. */
import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../../training/config.ts';
import { engine, type OpAttribute } from '../backend.ts';

/** @param type as TensorFlow numbers them */
export const typeAttribute = (name: string, type: number): OpAttribute => ({
  name,
  type: engine().backend.binding.TF_ATTR_TYPE,
  value: type,
});

/** A tensor in the given precision; the tensor itself where it has it. Differentiable: the gradient is cast back. */
export function toPrecision<T extends tf.Tensor>(x: T, precision: Precision): T {
  const { backend } = engine();
  const { TF_BFLOAT16, TF_FLOAT } = backend.binding;
  const types = { float32: TF_FLOAT, bfloat16: TF_BFLOAT16 };
  const from = precisionOf(x);
  if (from === precision) return x;
  const cast = (tensor: tf.Tensor, source: Precision, target: Precision): tf.Tensor =>
    backend.executeSingleOutput(
      'Cast',
      [typeAttribute('SrcT', types[source]), typeAttribute('DstT', types[target])],
      [tensor],
    );
  const operation = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc) => ({
    value: cast(input as tf.Tensor, from, precision),
    gradFunc: (dy: tf.Tensor) => cast(dy, precision, from),
  }));
  return operation(x) as T;
}

export function precisionOf(x: tf.Tensor): Precision {
  return isBfloat16(x) ? 'bfloat16' : 'float32';
}

export function isBfloat16(x: tf.Tensor): boolean {
  const { backend } = engine();
  return backend.tensorMap.get(x.dataId).dtype === backend.binding.TF_BFLOAT16;
}
