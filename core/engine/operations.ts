/**
 * Differentiable operations that TensorFlow or we have as one kernel and TensorFlow.js composes from many: batch
 * normalisation (six kernels and a gradient of some twenty), softmax cross entropy, global average pooling. With these a
 * training step makes about a quarter of the calls and moves a fraction of the memory.
 *
 * All tensors are NHWC float32 unless said otherwise. A function that has more results than its differentiable one
 * returns them beside it; those are kept alive past the gradient tape (`tf.keep`) and the caller disposes them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation, Padding } from '../models/layer-plan.ts';
import type { Precision } from '../training/config.ts';
import { engine, type OpAttribute } from './backend.ts';

const typeAttribute = (name: string, type: number): OpAttribute => ({
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

function precisionOf(x: tf.Tensor): Precision {
  return isBfloat16(x) ? 'bfloat16' : 'float32';
}

function isBfloat16(x: tf.Tensor): boolean {
  const { backend } = engine();
  return backend.tensorMap.get(x.dataId).dtype === backend.binding.TF_BFLOAT16;
}

/** Batch statistics as the running averages take them. */
export interface BatchStatistics {
  /** [C] */
  mean: tf.Tensor1D;
  /** [C], unbiased (divided by n - 1), as PyTorch keeps it. */
  variance: tf.Tensor1D;
}

/** What is done to normalised values in the same pass. */
export interface AfterNorm {
  /** Added, like x. */
  residual?: tf.Tensor4D;
  /** At the end. */
  activation: Activation;
}

/**
 * Batch normalisation by the batch's own statistics, an addition and an activation.
 * @param x [N, H, W, C]
 * @param gamma scale [C]
 * @param beta offset [C]
 * @returns y like x, differentiable in x, gamma, beta and the residual, and the statistics (kept: the caller disposes
 *   them)
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  after: AfterNorm,
): { y: tf.Tensor4D; statistics: BatchStatistics } {
  return engine().device === 'cpu'
    ? onePassBatchNorm(x, gamma, beta, epsilon, after)
    : composedBatchNorm(x, gamma, beta, epsilon, after);
}

/** By our own kernels, native/batch_norm.cc: what is added and cut off costs no pass over memory of its own. */
function onePassBatchNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  after: AfterNorm,
): { y: tf.Tensor4D; statistics: BatchStatistics } {
  let statistics: BatchStatistics | undefined;
  const y = onePass(x, gamma, beta, epsilon, after, null, (mean, variance) => {
    statistics = { mean: tf.keep(mean), variance: tf.keep(variance) };
  });
  return { y, statistics: statistics! };
}

/**
 * @param given statistics to normalise by; null: the batch's own
 * @param seen is told the statistics that were used
 */
function onePass(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  { residual, activation }: AfterNorm,
  given: BatchStatistics | null,
  seen: (mean: tf.Tensor1D, variance: tf.Tensor1D) => void = () => {},
): tf.Tensor4D {
  const { backend } = engine();
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_INT, TF_FLOAT } = backend.binding;
  const attributes = [
    typeAttribute('T', TF_FLOAT),
    { name: 'training', type: TF_ATTR_BOOL, value: given === null },
    { name: 'activation', type: TF_ATTR_INT, value: ACTIVATIONS.indexOf(activation) },
  ];
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const save = inputs.pop() as tf.GradSaveFunc;
    const [input, scale, offset, added] = inputs as tf.Tensor[];
    const noMap = noMapLike(input);
    const [y, mean, variance, inverse] = backend.executeMultipleOutputs(
      'ContextureBatchNorm',
      [...attributes, { name: 'epsilon', type: TF_ATTR_FLOAT, value: epsilon }],
      [input, scale, offset, given?.mean ?? tf.zeros([0]), given?.variance ?? tf.zeros([0]), added ?? noMap],
      4,
    );
    seen(mean as tf.Tensor1D, variance as tf.Tensor1D);
    // Where nothing was cut off, the gradient does not ask for y.
    save([input, scale, mean, inverse, activation === 'none' ? noMap : y]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, [savedInput, savedScale, savedMean, savedInverse, savedY]: tf.Tensor[]) => {
        const [dx, dScale, dOffset, dResidual] = backend.executeMultipleOutputs(
          'ContextureBatchNormGrad',
          [...attributes, { name: 'residual', type: TF_ATTR_BOOL, value: added !== undefined }],
          [dy, savedInput, savedY, savedScale, savedMean, savedInverse],
          4,
        );
        if (added !== undefined) return [dx, dScale, dOffset, dResidual];
        dResidual.dispose();
        return [dx, dScale, dOffset];
      },
    };
  });
  return operation(...(residual ? [x, gamma, beta, residual] : [x, gamma, beta])) as tf.Tensor4D;
}

/** As native/batch_norm.cc numbers them. */
const ACTIVATIONS: readonly Activation[] = ['none', 'relu', 'relu6'];

/** Stands for a map that there is none of, in the type that it would have. */
function noMapLike(x: tf.Tensor): tf.Tensor {
  return toPrecision(tf.zeros([0]), precisionOf(x));
}

/** By TensorFlow's kernels one after the other, on any device. */
export function composedBatchNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  after: AfterNorm,
): { y: tf.Tensor4D; statistics: BatchStatistics } {
  const { y, statistics } = fusedBatchNorm(x, gamma, beta, epsilon);
  return { y: addAndCut(y, after), statistics };
}

function addAndCut(normalised: tf.Tensor4D, { residual, activation }: AfterNorm): tf.Tensor4D {
  const added = residual ? tf.add(normalised, residual) : normalised;
  return (activation === 'none' ? added : cutOff(added, activation)) as tf.Tensor4D;
}

/** ReLU or ReLU6 whose gradient is one operation. */
function cutOff(x: tf.Tensor, activation: 'relu' | 'relu6'): tf.Tensor {
  const operation = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    const y = (activation === 'relu' ? tf.relu : tf.relu6)(input as tf.Tensor);
    (save as tf.GradSaveFunc)([y]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const { backend } = engine();
        return backend.executeSingleOutput(
          activation === 'relu' ? 'ReluGrad' : 'Relu6Grad',
          [typeAttribute('T', backend.binding.TF_FLOAT)],
          [dy, saved[0]],
        );
      },
    };
  });
  return operation(x);
}

function fusedAttributes(epsilon: number, training: boolean): OpAttribute[] {
  const { binding } = engine().backend;
  return [
    typeAttribute('T', binding.TF_FLOAT),
    typeAttribute('U', binding.TF_FLOAT),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: training },
  ];
}

/** FusedBatchNormV3, training form. */
function fusedBatchNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor4D; statistics: BatchStatistics } {
  const { backend } = engine();
  let statistics: BatchStatistics | undefined;
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, scale, offset] = inputs as tf.Tensor[];
    const save = inputs[3] as tf.GradSaveFunc;
    const none = tf.zeros([0]);
    const [y, mean, variance, ...reserve] = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...fusedAttributes(epsilon, true),
        { name: 'exponential_avg_factor', type: backend.binding.TF_ATTR_FLOAT, value: 1 },
      ],
      [input, scale, offset, none, none],
      6,
    );
    save([input, scale, ...reserve]);
    statistics = { mean: tf.keep(mean) as tf.Tensor1D, variance: tf.keep(variance) as tf.Tensor1D };
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedScale, ...savedReserve] = saved;
        const [dx, dScale, dOffset, ...unused] = backend.executeMultipleOutputs(
          'FusedBatchNormGradV3',
          fusedAttributes(epsilon, true),
          [dy, savedInput, savedScale, ...savedReserve],
          5,
        );
        tf.dispose(unused);
        return [dx, dScale, dOffset];
      },
    };
  });
  const y = operation(x, gamma, beta) as tf.Tensor4D;
  return { y, statistics: statistics! };
}

/**
 * Batch normalisation by given statistics, which stay as they are, an addition and an activation. All of `gamma`, `beta`,
 * `mean`, `variance` are [C].
 * @returns y like x, differentiable in x, gamma, beta and the residual
 */
export function batchNormInference(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  epsilon: number,
  after: AfterNorm,
): tf.Tensor4D {
  return engine().device === 'cpu'
    ? onePass(x, gamma, beta, epsilon, after, { mean, variance })
    : composedInference(x, gamma, beta, mean, variance, epsilon, after);
}

/** By TensorFlow's kernels, on any device. */
export function composedInference(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  epsilon: number,
  after: AfterNorm,
): tf.Tensor4D {
  const { backend } = engine();
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, scale, offset] = inputs as tf.Tensor[];
    const [y] = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      fusedAttributes(epsilon, false),
      [input, scale, offset, mean, variance],
      6,
    );
    (inputs[3] as tf.GradSaveFunc)([input, scale, mean, variance]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [dx, dScale, dOffset, ...unused] = backend.executeMultipleOutputs(
          'FusedBatchNormGradV3',
          fusedAttributes(epsilon, false),
          // The third of what is reserved is not read where the statistics are given.
          [dy, ...saved, tf.zeros([0])],
          5,
        );
        tf.dispose(unused);
        return [dx, dScale, dOffset];
      },
    };
  });
  return addAndCut(operation(x, gamma, beta) as tf.Tensor4D, after);
}

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

/** Every `stride`-th pixel of every `stride`-th row. A 1x1 pool does it and, unlike a strided slice, has a gradient in tfjs. */
export function subsample(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  return stride === 1 ? x : tf.avgPool(x, 1, stride, 'valid');
}

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
