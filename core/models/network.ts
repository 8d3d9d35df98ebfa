/**
 * A backbone with two linear heads on the same pooled feature: `uniform` sees the images as they come, `balanced` the
 * class-balanced stream (method.md 1.1). There is one shared trunk; nothing is duplicated.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig, Precision, TrainConfig, Tuning } from '../training/config.ts';
import type { Random } from '../base/random.ts';
import { globalAveragePool } from '../engine/operations/pooling.ts';
import { toPrecision } from '../engine/operations/precision.ts';
import { backboneOf, type Backbone, type Stage } from './backbones.ts';
import { LayerPlan, type Layers } from './layer-plan.ts';
import { InferenceRun, TrainingRun, type RunOptions } from './layers.ts';
import { Layout, type NamedTensors, type ParameterSpec } from './parameters.ts';

/** First stages of a backbone that training leaves as they are. */
export interface FrozenState {
  readonly trunk: tf.Tensor1D;
  /** Running mean and variance of each of their batch norms. */
  readonly statistics: tf.Tensor1D;
}

/** A network in training. Flat vectors; see `Network` for what lies where. Pure data: steps make new ones. */
export interface NetworkState {
  /** Null where every stage is trained. */
  readonly frozen: FrozenState | null;
  /** Trained stages and uniform head. */
  readonly trunk: tf.Tensor1D;
  readonly trunkMomentum: tf.Tensor1D;
  /** Balanced head; apart, because a step without the balanced branch must leave it alone, weight decay included. */
  readonly balanced: tf.Tensor1D;
  readonly balancedMomentum: tf.Tensor1D;
  /** Running mean and variance of each batch norm of the trained stages. */
  readonly statistics: tf.Tensor1D;
}

/** What evaluation mode needs of it; without frozen stages, of a whole network. */
export type InferenceState = Pick<NetworkState, 'trunk' | 'balanced' | 'statistics'> &
  Partial<Pick<NetworkState, 'frozen'>>;

export const STATE_NAMES = ['trunk', 'trunkMomentum', 'balanced', 'balancedMomentum', 'statistics'] as const;

/** A state on the host. Frozen stages are part of `trunk` and `statistics`; momentum is of what is trained. */
export type StateVectors = Record<(typeof STATE_NAMES)[number], Float32Array>;

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

/** Where what is frozen, or trained, of a network lies. */
interface Part {
  readonly stages: readonly Stage[];
  readonly trunk: Layout;
  readonly statistics: Layout;
}

/** A copy of a part of a vector, on the device. */
function upload(vector: Float32Array, from = 0, to = vector.length): tf.Tensor1D {
  return tf.tensor1d(vector.slice(from, to));
}

function values(tensor: tf.Tensor1D): Float32Array {
  return tensor.dataSync<'float32'>();
}

/** A number for channels, a tensor for maps. */
function runStages<T>(stages: readonly Stage[], layers: Layers<T>, x: T): T {
  return stages.reduce((map, stage) => stage.run(layers, map), x);
}

/** The network that a run trains. */
export function networkOf({ model, precision, tune }: TrainConfig, classes: number): Network {
  return new Network(model, classes, precision, tune);
}

export class Network {
  readonly config: ModelConfig;
  readonly classes: number;
  /** Of the maps between layers in a step, its looking for contexts included; evaluation is always in float32. */
  readonly precision: Precision;
  readonly backbone: Backbone;
  readonly features: number;
  /** Of the whole network: backbone and uniform head, balanced head, running statistics. */
  readonly trunk: Layout;
  readonly balanced: Layout;
  readonly statistics: Layout;
  /** The same cut in two: the first stages, which training leaves as they are, and the others with the uniform head. */
  readonly frozen: Part;
  readonly tuned: Part;
  readonly #batchNorm: Tuning['batchNorm'];

  /** @param tune what is trained; everything unless given */
  constructor(
    config: ModelConfig,
    classes: number,
    precision: Precision = 'float32',
    { stages: count, batchNorm }: Pick<Tuning, 'stages' | 'batchNorm'> = { stages: 'all', batchNorm: 'batch' },
  ) {
    this.config = config;
    this.classes = classes;
    this.precision = precision;
    this.backbone = backboneOf(config);
    this.#batchNorm = batchNorm;
    const { stages } = this.backbone;
    const first = count === 'all' ? 0 : Math.max(0, stages.length - count);
    const [kept, trained] = [stages.slice(0, first), stages.slice(first)];
    const plan = new LayerPlan();
    const channels = runStages(kept, plan, 3);
    const [weights, statistics] = [plan.weights.length, plan.statistics.length];
    this.features = runStages(trained, plan, channels);
    const trunk = [...plan.weights, ...head('uniform', this.features, classes)];
    this.frozen = {
      stages: kept,
      trunk: new Layout(trunk.slice(0, weights)),
      statistics: new Layout(plan.statistics.slice(0, statistics)),
    };
    this.tuned = {
      stages: trained,
      trunk: new Layout(trunk.slice(weights)),
      statistics: new Layout(plan.statistics.slice(statistics)),
    };
    this.trunk = new Layout(trunk);
    this.balanced = new Layout(head('balanced', this.features, classes));
    this.statistics = new Layout(plan.statistics);
  }

  /** Trainable numbers. */
  get parameterCount(): number {
    return this.trunk.size + this.balanced.size;
  }

  /** Trained numbers of the backbone: the first of the trained trunk. */
  get tunedBackboneSize(): number {
    return this.tuned.trunk.size - this.balanced.size;
  }

  /**
   * A state before the first step. The caller disposes it.
   * @param weights tensors by name that take the place of random ones
   */
  initialize(random: Random, weights?: ReadonlyMap<string, Float32Array> | null): NetworkState {
    const [trunk, balanced, statistics] = [this.trunk, this.balanced, this.statistics].map((layout) => {
      const vector = layout.initialize(random);
      for (const { name, values: own } of layout.views(vector)) own.set(weights?.get(name) ?? own);
      return vector;
    });
    return this.stateOf({
      trunk,
      trunkMomentum: new Float32Array(this.tuned.trunk.size),
      balanced,
      balancedMomentum: new Float32Array(balanced.length),
      statistics,
    });
  }

  /** A state from the host. The caller disposes it. */
  stateOf({ trunk, trunkMomentum, balanced, balancedMomentum, statistics }: StateVectors): NetworkState {
    const [weights, moments] = [this.frozen.trunk.size, this.frozen.statistics.size];
    return {
      frozen: weights === 0 ? null : { trunk: upload(trunk, 0, weights), statistics: upload(statistics, 0, moments) },
      trunk: upload(trunk, weights),
      trunkMomentum: upload(trunkMomentum),
      balanced: upload(balanced),
      balancedMomentum: upload(balancedMomentum),
      statistics: upload(statistics, moments),
    };
  }

  /** A state on the host. */
  vectorsOf(state: NetworkState): StateVectors {
    const whole = (name: 'trunk' | 'statistics'): Float32Array => {
      const tuned = values(state[name]);
      if (state.frozen === null) return tuned;
      const frozen = values(state.frozen[name]);
      const vector = new Float32Array(frozen.length + tuned.length);
      vector.set(frozen);
      vector.set(tuned, frozen.length);
      return vector;
    };
    return {
      trunk: whole('trunk'),
      trunkMomentum: values(state.trunkMomentum),
      balanced: values(state.balanced),
      balancedMomentum: values(state.balancedMomentum),
      statistics: whole('statistics'),
    };
  }

  /** Evaluation mode, ready for several calls. Use inside `tf.tidy`. */
  inference(state: InferenceState, precision: Precision = 'float32'): Inference {
    const { frozen = null } = state;
    const [trunk, statistics] = (['trunk', 'statistics'] as const).map((name) => {
      const tuned = this.tuned[name].split(state[name]);
      return frozen === null ? tuned : this.frozen[name].split(frozen[name]).and(tuned);
    });
    return new Inference(this.backbone, trunk, this.balanced.split(state.balanced), statistics, precision);
  }

  /**
   * The frozen stages, ready for several calls: image [N, S, S, 3], normalised -> the map that trained stages begin with;
   * the image itself where none is frozen. In evaluation mode, not differentiable. Use inside `tf.tidy`.
   */
  frozenStages(state: FrozenState | null): (image: tf.Tensor4D) => tf.Tensor4D {
    if (state === null) return (image) => image;
    const { stages, trunk, statistics } = this.frozen;
    const run = new InferenceRun(trunk.split(state.trunk), statistics.split(state.statistics), this.#runOptions);
    return (image) => runStages(stages, run, image);
  }

  /**
   * Trained stages in training mode, to the pooled feature. Differentiable in `trunk`.
   * @param trunk named tensors cut from the vector of the trained trunk
   * @param statistics running statistics of the trained stages
   * @param map what `frozenStages` gives
   * @returns pooled feature [N, F], and the batch statistics as one flat vector in the order of `statistics` (kept: the
   *   caller disposes it); null where the running ones are used and stay
   */
  pooledTraining(
    trunk: NamedTensors,
    statistics: tf.Tensor1D,
    map: tf.Tensor4D,
  ): { pooled: tf.Tensor2D; batchStatistics: tf.Tensor1D | null } {
    const pool = (layers: Layers<tf.Tensor4D>): tf.Tensor2D =>
      globalAveragePool(toPrecision(runStages(this.tuned.stages, layers, map), 'float32'));
    if (this.#batchNorm === 'frozen' || this.tuned.statistics.size === 0) {
      const named = this.tuned.statistics.split(statistics);
      return { pooled: pool(new InferenceRun(trunk, named, this.#runOptions)), batchStatistics: null };
    }
    const run = new TrainingRun(trunk, this.#runOptions);
    const pooled = pool(run);
    const parts = run.batchStatistics.flatMap(({ mean, variance }) => [mean, variance]);
    const batchStatistics = tf.keep(tf.concat1d(parts));
    tf.dispose(parts);
    return { pooled, batchStatistics };
  }

  get #runOptions(): RunOptions {
    return { epsilon: this.backbone.batchNormEpsilon, precision: this.precision };
  }
}

/** logits = pooled · weight + bias, weight [F, C]. */
export function linearHead(parameters: NamedTensors, name: string, pooled: tf.Tensor2D): tf.Tensor2D {
  return tf.add(
    tf.matMul(pooled, parameters.get<tf.Tensor2D>(`${name}.weight`)),
    parameters.get<tf.Tensor1D>(`${name}.bias`),
  );
}

/** Logits of both heads. @param pooled [N, F] */
export function headLogits(trunk: NamedTensors, balanced: NamedTensors, pooled: tf.Tensor2D): Logits {
  return { uniform: linearHead(trunk, 'uniform', pooled), balanced: linearHead(balanced, 'balanced', pooled) };
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
    return this.lastStage(this.beforeLast(image));
  }

  /** image [N, H, W, 3], normalised -> the map that the last stage begins with. */
  beforeLast(image: tf.Tensor4D): tf.Tensor4D {
    return runStages(this.#backbone.stages.slice(0, -1), this.#run, image);
  }

  /** What `beforeLast` gives -> last feature map [N, h, w, C]. */
  lastStage(map: tf.Tensor4D): tf.Tensor4D {
    return toPrecision(runStages(this.#backbone.stages.slice(-1), this.#run, map), 'float32');
  }

  /** image [N, H, W, 3], normalised -> pooled feature [N, F]. */
  pooled(image: tf.Tensor4D): tf.Tensor2D {
    return globalAveragePool(this.features(image));
  }

  /** Logits of both heads from a feature map. */
  logits(features: tf.Tensor4D): Logits {
    return headLogits(this.trunk, this.balanced, globalAveragePool(features));
  }
}
