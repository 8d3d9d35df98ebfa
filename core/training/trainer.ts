/**
 * A run in the middle of its work: network state, streams, bank, sums of the epoch. It makes one step at a time and can
 * be saved and restored between any two of them, so that a resumed run goes on digit for digit.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Random, type RandomState } from '../base/random.ts';
import { tidy } from '../engine/tidy.ts';
import { STATE_NAMES, type Network, type NetworkState } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import { ContextSupply, type MixBatch, type SupplyState } from './context-supply.ts';
import type { BankState } from './context-bank.ts';
import type { CuratedBank } from './curated-bank.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import type { Method, StepTools, StreamBatch } from './methods/method.ts';
import { cropInto, drawCrop, normalisationFor, Normaliser, padding, type Crop } from './preprocessing.ts';
import { ClassAwareSampler, UniformSampler, type Sampler, type SamplerState } from './samplers.ts';
import { learningRate, stepsPerEpoch } from './schedule.ts';
import { disposeState, extract, mixContexts, update, type Batch, type Optimiser } from './step.ts';

/** Pictures of one size by index; `PackedImages` is one. */
export interface PictureSet {
  readonly count: number;
  /** Side in pixels. */
  readonly size: number;
  /** [size, size, 3] 8-bit RGB. */
  read(index: number): Uint8Array;
}

/** Sums over the steps of the epoch in progress. */
export interface EpochSums {
  steps: number;
  mixedSteps: number;
  /** Steps that trained the balanced branch. */
  balancedSteps: number;
  uniformLoss: number;
  balancedLoss: number;
  confident: number;
}

/** A trainer as data: big arrays beside what fits JSON. */
export interface TrainerState {
  /** `NetworkState` by name, flat. */
  network: Record<(typeof STATE_NAMES)[number], Float32Array>;
  bank: BankState;
  /** Sum of p(true class) in training and number of times seen, for each training image. */
  seenProbability: Float64Array;
  seenTimes: Int32Array;
  progress: TrainerProgress;
}

/** The part of a trainer's state that fits JSON. */
export interface TrainerProgress {
  epoch: number;
  /** Steps done in that epoch. */
  step: number;
  sums: EpochSums;
  samplers: { uniform: SamplerState; balanced: SamplerState };
  augment: { uniform: RandomState; balanced: RandomState };
  supply: SupplyState;
}

export interface TrainerOptions {
  config: TrainConfig;
  network: Network;
  pictures: PictureSet;
  /** Class of each training image. */
  labels: Int32Array;
  /** For each class: may its samples enter the bank? */
  admitted: readonly boolean[];
  curated: CuratedBank | null;
}

const NO_SUMS: EpochSums = {
  steps: 0,
  mixedSteps: 0,
  balancedSteps: 0,
  uniformLoss: 0,
  balancedLoss: 0,
  confident: 0,
};

/** A stream of augmented batches. */
class Stream {
  readonly sampler: Sampler;
  random: Random;

  constructor(sampler: Sampler, random: Random) {
    this.sampler = sampler;
    this.random = random;
  }
}

export class Trainer {
  readonly config: TrainConfig;
  readonly network: Network;
  readonly method: Method;
  readonly contexts: ContextSupply;
  readonly stepsPerEpoch: number;
  /** 0-based epoch in progress; `config.epochs` when all are done. */
  epoch = 0;
  /** Steps done in this epoch. */
  step = 0;
  sums: EpochSums = { ...NO_SUMS };
  /** Network at this moment; replaced by each step. */
  state: NetworkState;
  /** Sum of p(true class), as seen in training just before each update, and how often: its mean says how well an image
   * was known while it was being learned (Swayamdipta et al. 2020, arXiv 2009.10795, "confidence"). */
  readonly #seenProbability: Float64Array;
  readonly #seenTimes: Int32Array;
  readonly #pictures: PictureSet;
  readonly #labels: Int32Array;
  readonly #normaliser: Normaliser;
  readonly #uniform: Stream;
  readonly #balanced: Stream;

  constructor({ config, network, pictures, labels, admitted, curated }: TrainerOptions) {
    this.config = config;
    this.network = network;
    this.method = METHODS_BY_NAME[config.method];
    this.contexts = new ContextSupply(config, admitted, curated);
    this.stepsPerEpoch = stepsPerEpoch(config, labels.length);
    this.state = network.initialize(Random.stream(config.seed, 'weights'));
    this.#pictures = pictures;
    this.#labels = labels;
    this.#seenProbability = new Float64Array(labels.length);
    this.#seenTimes = new Int32Array(labels.length);
    this.#normaliser = new Normaliser(normalisationFor(config.inputSize));
    this.#uniform = new Stream(
      new UniformSampler(Random.stream(config.seed, 'uniform order'), labels.length),
      Random.stream(config.seed, 'uniform augmentation'),
    );
    this.#balanced = new Stream(
      new ClassAwareSampler(Random.stream(config.seed, 'balanced order'), labels, network.classes),
      Random.stream(config.seed, 'balanced augmentation'),
    );
  }

  get finished(): boolean {
    return this.epoch >= this.config.epochs;
  }

  /** Begin an epoch: empty the bank where it is not kept. Call when `step` is 0. */
  beginEpoch(): void {
    this.sums = { ...NO_SUMS };
    this.contexts.beginEpoch();
  }

  /** Go on to the next epoch after the last step of this one. */
  endEpoch(): void {
    this.epoch++;
    this.step = 0;
  }

  /** Learning rate of the epoch in progress. */
  get rate(): number {
    return learningRate(this.config, this.epoch);
  }

  /**
   * Make one step.
   * @returns the uniform branch's loss; not a number when training has diverged, and then the state is spoilt
   */
  runStep(): number {
    const before = this.sums.uniformLoss;
    const tensors = new Map<StreamBatch, Batch>();
    const device = (batch: StreamBatch): Batch => {
      const known = tensors.get(batch) ?? this.#upload(batch);
      tensors.set(batch, known);
      return known;
    };
    const tools: StepTools = {
      balancedStarted: this.epoch >= this.config.startBalanced,
      contexts: this.contexts,
      uniform: () => this.#next(this.#uniform),
      balanced: () => this.#next(this.#balanced),
      extract: (batch) => {
        const { mask, probability } = extract(this.network, this.state, device(batch));
        const result = {
          masks: mask.dataSync<'float32'>(),
          probability: probability.dataSync<'float32'>(),
        };
        tf.dispose([mask, probability]);
        return result;
      },
      update: (main, second, mix) => this.#update(main, device(main), second ? device(second) : null, mix),
      countConfident: (samples) => {
        this.sums.confident += samples;
      },
    };
    this.method.step(tools);
    for (const { images, labels } of tensors.values()) tf.dispose([images, labels]);
    this.sums.steps++;
    this.step++;
    return this.sums.uniformLoss - before;
  }

  /** Whether every number of the network is finite: a ReLU can hide a NaN from the loss for some steps. */
  get sound(): boolean {
    return tf.tidy(() => STATE_NAMES.every((name) => tf.all(tf.isFinite(this.state[name])).dataSync()[0] === 1));
  }

  /** Mean p(true class) of each training image as seen in training; NaN for one that was never drawn. */
  get seenConfidence(): Float32Array {
    return Float32Array.from(this.#seenProbability, (sum, i) => sum / this.#seenTimes[i]);
  }

  /** Everything that the following steps depend on. */
  save(): TrainerState {
    const { supply, bank } = this.contexts.state;
    const network = Object.fromEntries(
      STATE_NAMES.map((name) => [name, this.state[name].dataSync<'float32'>()]),
    ) as TrainerState['network'];
    return {
      network,
      bank,
      seenProbability: this.#seenProbability.slice(),
      seenTimes: this.#seenTimes.slice(),
      progress: {
        epoch: this.epoch,
        step: this.step,
        sums: { ...this.sums },
        samplers: { uniform: this.#uniform.sampler.state, balanced: this.#balanced.sampler.state },
        augment: { uniform: this.#uniform.random.state, balanced: this.#balanced.random.state },
        supply,
      },
    };
  }

  /** Go on from a saved state; configuration and images must be those it was saved with. */
  restore({ network, bank, seenProbability, seenTimes, progress }: TrainerState): void {
    disposeState(this.state);
    this.state = Object.fromEntries(
      STATE_NAMES.map((name) => [name, tf.tensor1d(network[name].slice())]),
    ) as unknown as NetworkState;
    this.#seenProbability.set(seenProbability);
    this.#seenTimes.set(seenTimes);
    this.epoch = progress.epoch;
    this.step = progress.step;
    this.sums = { ...progress.sums };
    this.#uniform.sampler.restore(progress.samplers.uniform);
    this.#balanced.sampler.restore(progress.samplers.balanced);
    this.#uniform.random = Random.fromState(progress.augment.uniform);
    this.#balanced.random = Random.fromState(progress.augment.balanced);
    this.contexts.restore({ supply: progress.supply, bank });
  }

  dispose(): void {
    disposeState(this.state);
  }

  /** Draw the next batch of a stream and augment it. */
  #next({ sampler, random }: Stream): StreamBatch {
    const { batchSize, augment, inputSize: size } = this.config;
    const indices = sampler.take(batchSize);
    const pad = padding(augment, size);
    const pixels = new Uint8Array(batchSize * size * size * 3);
    for (const [i, index] of indices.entries()) {
      const crop: Crop = drawCrop(random, augment, size);
      const target = pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3);
      cropInto(this.#pictures.read(index), target, size, 3, pad, crop);
    }
    return { indices, labels: indices.map((index) => this.#labels[index]), pixels };
  }

  #upload({ labels, pixels }: StreamBatch): Batch {
    return { images: this.#images(pixels), labels: tf.tensor1d(labels, 'int32') };
  }

  #images(pixels: Uint8Array): tf.Tensor4D {
    const { inputSize: size } = this.config;
    return tf.tensor4d(this.#normaliser.apply(pixels), [pixels.length / (size * size * 3), size, size, 3]);
  }

  #update(main: StreamBatch, uniform: Batch, second: Batch | null, mix: MixBatch | undefined): void {
    const { momentum, weightDecay } = this.config;
    const rate = tf.scalar(this.rate);
    const optimiser: Optimiser = { rate, momentum, weightDecay };
    const result = tidy(() => {
      const balanced = second && mix ? { ...second, images: this.#mix(second.images, mix) } : second;
      return update(this.network, this.state, uniform, balanced, optimiser);
    });
    disposeState(this.state);
    this.state = result.state;
    const losses = result.sampleLosses.dataSync<'float32'>();
    for (const [i, index] of main.indices.entries()) {
      this.#seenProbability[index] += Math.exp(-losses[i]);
      this.#seenTimes[index]++;
    }
    this.sums.uniformLoss += result.uniformLoss.dataSync()[0];
    if (result.balancedLoss) {
      this.sums.balancedLoss += result.balancedLoss.dataSync()[0];
      this.sums.balancedSteps++;
      if (mix) this.sums.mixedSteps++;
      result.balancedLoss.dispose();
    }
    tf.dispose([result.uniformLoss, result.sampleLosses, rate]);
  }

  #mix(images: tf.Tensor4D, { pixels, masks, lambda }: MixBatch): tf.Tensor4D {
    const { inputSize: size } = this.config;
    return mixContexts(
      images,
      this.#images(pixels),
      tf.tensor4d(masks, [lambda.length, size, size, 1]),
      tf.tensor4d(lambda, [lambda.length, 1, 1, 1]),
    );
  }
}
