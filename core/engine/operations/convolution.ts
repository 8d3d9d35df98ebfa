/** Convolutions, by our own kernels where these are the fastest. All maps are NHWC. */
import * as tf from '@tensorflow/tfjs-core';
import type { Padding } from '../../models/layer-plan.ts';
import { engine, type OpAttribute } from '../backend.ts';
import { subsample } from './pooling.ts';
import { isBfloat16, precisionOf, toPrecision, typeAttribute } from './precision.ts';

/**
 * Convolution without dilation.
 * @param x [N, H, W, I]
 * @param weights [kh, kw, I, O], float32, whatever the precision of x
 * @param stride in both directions
 */
export function convolution(x: tf.Tensor4D, weights: tf.Tensor4D, stride: number, padding: Padding): tf.Tensor4D {
  const [size] = weights.shape;
  // With stride 1 and an odd kernel, zeros on all sides are SAME.
  const keepsSize = stride === 1 && size % 2 === 1 && (padding === 'same' || size === 2 * padding + 1);
  if (keepsSize && winogradFits(x, weights)) return winogradConvolution(x, weights);
  const kernel = toPrecision(weights, precisionOf(x));
  // oneDNN's gradient in a strided 1x1 kernel is wrong, or crashes, where channels are no multiple of 8 (TensorFlow 2.21).
  if (size === 1) return tf.conv2d(subsample(x, stride), kernel, 1, 'valid');
  if (keepsSize) return plainConvolution(x, kernel, 1, (size - 1) / 2);
  if (padding === 0) return plainConvolution(x, kernel, stride, 0);
  return plainConvolution(padded(x, size, stride, padding), kernel, stride, 0);
}

/** Zeros around pictures, for a kernel of `size` pixels that then needs none. */
function padded(x: tf.Tensor4D, size: number, stride: number, padding: Padding): tf.Tensor4D {
  const sides = (length: number): readonly [number, number] =>
    padding === 'same' ? samePadding(length, size, stride) : [padding, padding];
  return zeroPad(x, [[0, 0], sides(x.shape[1]), sides(x.shape[2]), [0, 0]]);
}

/** Zero pixels before and after `length` pixels by TensorFlow's rule SAME, which gives ceil(length / stride) results. */
function samePadding(length: number, size: number, stride: number): readonly [before: number, after: number] {
  const missing = Math.max(0, (Math.ceil(length / stride) - 1) * stride + size - length);
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
}

/**
 * Convolution of each channel by itself, without dilation.
 * @param x [N, H, W, C]
 * @param kernel [kh, kw, C, 1]
 * @param stride in both directions
 */
export function depthwiseConvolution(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  padding: Padding,
): tf.Tensor4D {
  if (padding === 'same') return plainDepthwise(x, kernel, stride, 'same');
  return plainDepthwise(padded(x, kernel.shape[0], stride, padding), kernel, stride, 'valid');
}

/** Depthwise convolution whose padding TensorFlow can name. */
function plainDepthwise(x: tf.Tensor4D, kernel: tf.Tensor4D, stride: number, padding: 'same' | 'valid'): tf.Tensor4D {
  const { backend, device } = engine();
  const { TF_ATTR_INT, TF_ATTR_STRING, TF_FLOAT } = backend.binding;
  const [size, , channels] = kernel.shape;
  const [, height, width] = x.shape;
  const integer = (name: string, value: number | number[]): OpAttribute => ({ name, type: TF_ATTR_INT, value });
  const attributes = [
    typeAttribute('T', TF_FLOAT),
    integer('strides', [1, stride, stride, 1]),
    { name: 'padding', type: TF_ATTR_STRING, value: padding.toUpperCase() },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
    integer('dilations', [1, 1, 1, 1]),
  ];
  const half = isBfloat16(x);
  const ours = device === 'cpu' && channels % 16 === 0 && (size === 3 || size === 5);
  const before = (length: number): number => (padding === 'same' ? samePadding(length, size, stride)[0] : 0);
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, weights] = inputs as tf.Tensor4D[];
    (inputs[2] as tf.GradSaveFunc)([input, weights]);
    return {
      value: backend.executeSingleOutput('DepthwiseConv2dNative', attributes, [input, weights]),
      gradFunc: (dy: tf.Tensor, [savedInput, savedKernel]: tf.Tensor[]) => {
        // oneDNN's gradient of a strided one takes 20 times as long in bfloat16 (TensorFlow 2.21).
        const precise = (tensor: tf.Tensor): tf.Tensor =>
          half && stride > 1 ? toPrecision(tensor, 'float32') : tensor;
        const dx = backend.executeSingleOutput('DepthwiseConv2dNativeBackpropInput', attributes, [
          tf.tensor1d(x.shape, 'int32'),
          precise(savedKernel),
          precise(dy),
        ]);
        const dKernel = ours
          ? backend.executeSingleOutput(
              'ContextureDepthwiseFilterGrad',
              [
                typeAttribute('T', TF_FLOAT),
                integer('size', size),
                integer('stride', stride),
                integer('top', before(height)),
                integer('left', before(width)),
              ],
              [savedInput, dy],
            )
          : backend.executeSingleOutput('DepthwiseConv2dNativeBackpropFilter', attributes, [
              savedInput,
              tf.tensor1d(kernel.shape, 'int32'),
              dy,
            ]);
        return [half ? toPrecision(dx, 'bfloat16') : dx, dKernel];
      },
    };
  });
  return operation(x, kernel) as tf.Tensor4D;
}

/**
 * Zeros around a tensor, in any precision.
 * @param paddings zeros before and after, for each dimension
 */
export function zeroPad(x: tf.Tensor4D, paddings: readonly (readonly [before: number, after: number])[]): tf.Tensor4D {
  const { backend } = engine();
  const { TF_FLOAT, TF_INT32 } = backend.binding;
  const { shape } = x;
  const operation = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc) => ({
    value: backend.executeSingleOutput(
      'Pad',
      [typeAttribute('T', TF_FLOAT), typeAttribute('Tpaddings', TF_INT32)],
      [input as tf.Tensor, tf.tensor2d(paddings.flat(), [paddings.length, 2], 'int32')],
    ),
    gradFunc: (dy: tf.Tensor) =>
      tf.slice(
        dy,
        paddings.map(([before]) => before),
        shape,
      ),
  }));
  return operation(x) as tf.Tensor4D;
}

/** Channels in times channels out for which the transformed filters fit a core's own cache. */
const LARGEST_WINOGRAD = 128 * 128;

/** Whether our convolution, which takes multiples of 16 channels, is the fastest here for these. */
function winogradFits(x: tf.Tensor4D, kernel: tf.Tensor4D): boolean {
  const { backend, device } = engine();
  const [size, , channels, out] = kernel.shape;
  return (
    device === 'cpu' &&
    (isBfloat16(x) ? backend.binding.winogradBfloat16Pays : backend.binding.winogradLanes > 0) &&
    size === 3 &&
    channels % 16 === 0 &&
    out % 16 === 0 &&
    channels * out <= LARGEST_WINOGRAD
  );
}

/**
 * Convolution with 3x3 filters and stride 1 that keeps the size: native/winograd.cc, with 16 products in the place of 36.
 * The kernel and its gradient are float32 though x be bfloat16.
 */
function winogradConvolution(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const { backend } = engine();
  const { winogradLanes, TF_ATTR_BOOL, TF_ATTR_INT, TF_FLOAT } = backend.binding;
  const attributes = [typeAttribute('T', TF_FLOAT), { name: 'lanes', type: TF_ATTR_INT, value: winogradLanes }];
  const convolve = (input: tf.Tensor, weights: tf.Tensor, transposed: boolean): tf.Tensor =>
    backend.executeSingleOutput(
      'ContextureWinograd',
      [...attributes, { name: 'transposed', type: TF_ATTR_BOOL, value: transposed }],
      [input, weights],
    );
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, weights] = inputs as tf.Tensor4D[];
    (inputs[2] as tf.GradSaveFunc)([input, weights]);
    return {
      value: convolve(input, weights, false),
      gradFunc: (dy: tf.Tensor, [savedInput, savedKernel]: tf.Tensor[]) => [
        convolve(dy, savedKernel, true),
        backend.executeSingleOutput('ContextureWinogradFilterGrad', attributes, [savedInput, dy]),
      ],
    };
  });
  return operation(x, kernel) as tf.Tensor4D;
}

/** Largest kernel gradient, in values, whose partial sums fit the processor's caches. */
const LARGEST_FILTER_GRADIENT = 3 * 3 * 64 * 128;

/** Convolution whose padding TensorFlow can name: none, or as much as keeps the size. */
function plainConvolution(x: tf.Tensor4D, kernel: tf.Tensor4D, stride: number, padding: number): tf.Tensor4D {
  const { backend, device } = engine();
  const { filterGradientPays, TF_ATTR_INT, TF_ATTR_STRING, TF_FLOAT } = backend.binding;
  const name = padding === 0 ? 'valid' : 'same';
  const ours =
    device === 'cpu' &&
    filterGradientPays &&
    !isBfloat16(x) &&
    kernel.shape[3] % 8 === 0 &&
    kernel.size <= LARGEST_FILTER_GRADIENT;
  if (!ours) return tf.conv2d(x, kernel, stride, name);
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, weights] = inputs as tf.Tensor4D[];
    (inputs[2] as tf.GradSaveFunc)([input, weights]);
    return {
      value: tf.conv2d(input, weights, stride, name),
      gradFunc: (dy: tf.Tensor, [savedInput, savedKernel]: tf.Tensor[]) => {
        const dx = backend.executeSingleOutput(
          'Conv2DBackpropInput',
          [
            typeAttribute('T', TF_FLOAT),
            { name: 'strides', type: TF_ATTR_INT, value: [1, stride, stride, 1] },
            { name: 'padding', type: TF_ATTR_STRING, value: name.toUpperCase() },
            { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
          ],
          [tf.tensor1d(savedInput.shape, 'int32'), savedKernel, dy],
        );
        const dKernel = backend.executeSingleOutput(
          'ContextureFilterGrad',
          [
            { name: 'size', type: TF_ATTR_INT, value: kernel.shape[0] },
            { name: 'stride', type: TF_ATTR_INT, value: stride },
            { name: 'padding', type: TF_ATTR_INT, value: padding },
          ],
          [savedInput, dy],
        );
        return [dx, dKernel];
      },
    };
  });
  return operation(x, kernel) as tf.Tensor4D;
}
