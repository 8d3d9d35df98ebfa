/**
 * Saliency and context masks (method.md 2.1).
 *
 * With global average pooling and a linear head the gradient of a class's logit is w_y / (HW) at every position, so
 * Grad-CAM after its min-max is ReLU(sum_c w_yc f_c): no backward pass.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../engine/operations/gather-rows.ts';
import { bicubicMatrix } from './bicubic.ts';

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
    const classWeights = gatherRows(tf.transpose(weight), labels);
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
