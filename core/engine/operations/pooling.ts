/** Pixels brought together, or left out. All maps are NHWC. */
import * as tf from '@tensorflow/tfjs-core';

/** Mean over height and width: [N, H, W, C] -> [N, C]. Its gradient spreads dy / (HW) without a host array of ones. */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  const [batch, height, width, channels] = x.shape;
  const operation = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc) => ({
    value: tf.mean(input as tf.Tensor, [1, 2]),
    gradFunc: (dy: tf.Tensor) =>
      tf.broadcastTo(tf.reshape(tf.div(dy, height * width), [batch, 1, 1, channels]), [batch, height, width, channels]),
  }));
  return operation(x) as tf.Tensor2D;
}

/** Every `stride`-th pixel of every `stride`-th row. A 1x1 pool does it and, unlike a strided slice, has a gradient in tfjs. */
export function subsample(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  return stride === 1 ? x : tf.avgPool(x, 1, stride, 'valid');
}
