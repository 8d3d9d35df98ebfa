/**
 * Batch normalisation as one kernel where TensorFlow.js composes six, and a gradient of some twenty.
 *
 * All maps are NHWC. What a function returns beside its differentiable result is kept alive past the gradient tape
 * (`tf.keep`), and the caller disposes it.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../../models/layer-plan.ts';
import { engine, type OpAttribute } from '../backend.ts';
import { precisionOf, toPrecision, typeAttribute } from './precision.ts';

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
