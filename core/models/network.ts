/**
 * A backbone with two linear heads on the same pooled feature: `uniform` sees the images as they come, `balanced` the
 * class-balanced stream (method.md 1.1). There is one shared trunk; nothing is duplicated.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig, Precision } from '../training/config.ts';
import type { Random } from '../base/random.ts';
import { globalAveragePool, toPrecision } from '../engine/operations.ts';
import { backboneOf, type Backbone } from './backbones.ts';
import { LayerPlan } from './layer-plan.ts';
import { InferenceRun, TrainingRun } from './layers.ts';
import { Layout, type NamedTensors, type ParameterSpec } from './parameters.ts';

/** Everything that training changes. Flat vectors; see `Network` for what lies where. Pure data: steps make new ones. */
export interface NetworkState {
  /** Backbone and uniform head. */
  readonly trunk: tf.Tensor1D;
  readonly trunkMomentum: tf.Tensor1D;
  /** Balanced head; apart, because a step without the balanced branch must leave it alone, weight decay included. */
  readonly balanced: tf.Tensor1D;
  readonly balancedMomentum: tf.Tensor1D;
  /** Running mean and variance of each batch norm. */
  readonly statistics: tf.Tensor1D;
}

/** What evaluation mode needs of it. */
export type InferenceState = Pick<NetworkState, 'trunk' | 'balanced' | 'statistics'>;

export const STATE_NAMES = ['trunk', 'trunkMomentum', 'balanced', 'balancedMomentum', 'statistics'] as const;

export interface Logits {
  /** [N, C] each. */
  uniform: tf.Tensor2D;
  balanced: tf.Tensor2D;
}

function head(name: string, features: number, classes: number): ParameterSpec[] {
  return [
    {
      name: `${name}.weight`,
      shape: [features, classes],
      initializer: { kind: 'kaiming-normal', fanIn: features },
    },
    { name: `${name}.bias`, shape: [classes], initializer: { kind: 'uniform-fan-in', fanIn: features } },
  ];
}

export class Network {
  readonly config: ModelConfig;
  readonly classes: number;
  /** Of the maps between layers while training; evaluation is always in float32. */
  readonly precision: Precision;
  readonly backbone: Backbone;
  readonly features: number;
  readonly trunk: Layout;
  readonly balanced: Layout;
  readonly statistics: Layout;

  constructor(config: ModelConfig, classes: number, precision: Precision = 'float32') {
    this.config = config;
    this.classes = classes;
    this.precision = precision;
    this.backbone = backboneOf(config);
    const plan = new LayerPlan();
    this.features = this.backbone.features(plan, 3);
    this.trunk = new Layout([...plan.weights, ...head('uniform', this.features, classes)]);
    this.balanced = new Layout(head('balanced', this.features, classes));
    this.statistics = new Layout(plan.statistics);
  }

  /** Trainable numbers. */
  get parameterCount(): number {
    return this.trunk.size + this.balanced.size;
  }

  /** A state before the first step. The caller disposes it. */
  initialize(random: Random): NetworkState {
    return {
      trunk: tf.tensor1d(this.trunk.initialize(random)),
      trunkMomentum: tf.zeros([this.trunk.size]),
      balanced: tf.tensor1d(this.balanced.initialize(random)),
      balancedMomentum: tf.zeros([this.balanced.size]),
      statistics: tf.tensor1d(this.statistics.initialize(random)),
    };
  }

  /** Evaluation mode, ready for several calls. Use inside `tf.tidy`. */
  inference(state: InferenceState, precision: Precision = 'float32'): Inference {
    return new Inference(
      this.backbone,
      this.trunk.split(state.trunk),
      this.balanced.split(state.balanced),
      this.statistics.split(state.statistics),
      precision,
    );
  }

  /**
   * Training-mode forward pass to the pooled feature. Differentiable in `trunk`.
   * @param trunk named tensors cut from the trunk vector
   * @param image [N, S, S, 3], normalised
   * @returns pooled feature [N, F] and the batch statistics as one flat vector in the order of `statistics` (kept: the
   *   caller disposes it)
   */
  pooledTraining(trunk: NamedTensors, image: tf.Tensor4D): { pooled: tf.Tensor2D; batchStatistics: tf.Tensor1D } {
    const run = new TrainingRun(trunk, { epsilon: this.backbone.batchNormEpsilon, precision: this.precision });
    const pooled = globalAveragePool(toPrecision(this.backbone.features(run, image), 'float32'));
    const parts = run.batchStatistics.flatMap(({ mean, variance }) => [mean, variance]);
    const batchStatistics = tf.keep(tf.concat1d(parts));
    tf.dispose(parts);
    return { pooled, batchStatistics };
  }
}

/** logits = pooled · weight + bias, weight [F, C]. */
export function linearHead(parameters: NamedTensors, name: string, pooled: tf.Tensor2D): tf.Tensor2D {
  return tf.add(
    tf.matMul(pooled, parameters.get<tf.Tensor2D>(`${name}.weight`)),
    parameters.get<tf.Tensor1D>(`${name}.bias`),
  );
}

/** A network in evaluation mode. */
export class Inference {
  readonly #backbone: Backbone;
  readonly #run: InferenceRun;
  readonly trunk: NamedTensors;
  readonly balanced: NamedTensors;

  constructor(
    backbone: Backbone,
    trunk: NamedTensors,
    balanced: NamedTensors,
    statistics: NamedTensors,
    precision: Precision,
  ) {
    this.#backbone = backbone;
    this.#run = new InferenceRun(trunk, statistics, { epsilon: backbone.batchNormEpsilon, precision });
    this.trunk = trunk;
    this.balanced = balanced;
  }

  /** image [N, H, W, 3], normalised -> last feature map [N, h, w, C]. */
  features(image: tf.Tensor4D): tf.Tensor4D {
    return toPrecision(this.#backbone.features(this.#run, image), 'float32');
  }

  /** Logits of both heads from a feature map. */
  logits(features: tf.Tensor4D): Logits {
    const pooled = globalAveragePool(features);
    return {
      uniform: linearHead(this.trunk, 'uniform', pooled),
      balanced: linearHead(this.balanced, 'balanced', pooled),
    };
  }
}
