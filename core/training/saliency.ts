/**
 * Saliency and context masks (method.md 2.1).
 *
 * With global average pooling and a linear head the gradient of a class's logit is w_y / (HW) at every position, so
 * Grad-CAM after its min-max is ReLU(sum_c w_yc f_c): no backward pass.
 */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Saliency of the given classes on the feature grid, min-max scaled to [0, 1] for each image.
 * @param features last feature map [N, h, w, C]
 * @param weight head's weight [C, classes]
 * @param labels class of each image [N] int32
 * @returns [N, h, w]; an image whose map is flat gets zeros (the official code would divide by zero there)
 */
export function saliencyMap(features: tf.Tensor4D, weight: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = features.shape;
    const classWeights = tf.gather(tf.transpose(weight), labels);
    const evidence = tf.matMul(
      tf.reshape(features, [batch, height * width, channels]),
      tf.reshape(classWeights, [batch, channels, 1]),
    );
    const map = tf.relu(tf.reshape(evidence, [batch, height, width]));
    const low = tf.min(map, [1, 2], true);
    const high = tf.max(map, [1, 2], true);
    return tf.div(tf.sub(map, low), tf.add(tf.sub(high, low), 1e-8)) as tf.Tensor3D;
  });
}

/**
 * Soft context mask M = (1 - A)^2, where A is the saliency enlarged to the image (bicubic, clamped to [0, 1]).
 * @param saliency [N, h, w] in [0, 1]
 * @returns [N, height, width, 1], 1 = context
 */
export function contextMask(saliency: tf.Tensor3D, height: number, width: number): tf.Tensor4D {
  return tf.tidy(() => {
    const enlarged = tf.clipByValue(enlarge(saliency, height, width), 0, 1);
    return tf.expandDims(tf.square(tf.sub(1, enlarged)), 3) as tf.Tensor4D;
  });
}

/** Bicubic enlargement as two matrix products: [N, h, w] -> [N, height, width]. */
function enlarge(maps: tf.Tensor3D, height: number, width: number): tf.Tensor3D {
  const [batch, h, w] = maps.shape;
  const columns = tf.tensor2d(bicubicMatrix(w, width), [width, w]);
  const rows = tf.tensor2d(bicubicMatrix(h, height), [height, h]);
  const wide = tf.reshape(tf.matMul(tf.reshape(maps, [batch * h, w]), columns, false, true), [batch, h, width]);
  const tall = tf.matMul(tf.reshape(tf.transpose(wide, [0, 2, 1]), [batch * width, h]), rows, false, true);
  return tf.transpose(tf.reshape(tall, [batch, width, height]), [0, 2, 1]);
}

/** Keys' cubic kernel with a = -0.75, as PyTorch's bicubic interpolation has it (TensorFlow's uses -0.5). */
function cubic(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/**
 * Interpolation weights of a bicubic resize of one axis, align_corners off, borders repeated.
 * @returns [to, from] row by row
 */
export function bicubicMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = ((i + 0.5) * from) / to - 0.5;
    const base = Math.floor(position);
    for (let tap = base - 1; tap <= base + 2; tap++) {
      const source = Math.min(Math.max(tap, 0), from - 1);
      matrix[i * from + source] += cubic(position - tap);
    }
  }
  return matrix;
}
