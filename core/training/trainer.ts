/**
 * A run in the middle of its work: network state, streams, bank, sums of the epoch. It makes one step at a time and can
 * be saved and restored between any two of them, so that a resumed run goes on digit for digit.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Random, type RandomState } from '../base/random.ts';
import { TracedFunction } from '../engine/traced-function.ts';
import { STATE_NAMES, type Network, type NetworkState, type StateVectors } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import { ContextSupply, type MixBatch, type SupplyState } from './context-supply.ts';
import type { BankState } from './context-bank.ts';
import type { CuratedBank } from './curated-bank.ts';
import { scaleOf, type FeatureScale } from './feature-scale.ts';
import type { FrozenFeatures } from './features.ts';
import { featureViews } from './frozen-views.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import type { Method, StepTools } from './methods/method.ts';
import type { Pictures } from './pictures.ts';
import type { ShownBatch } from './preview.ts';
import { ImageTensors } from './image-tensors.ts';
import { normalisationOf } from './preprocessing.ts';
import { ClassAwareSampler, UniformSampler, type SamplerState } from './samplers.ts';
import { learningRate, stepsPerEpoch } from './schedule.ts';
import {
  disposeState,
  extract,
  extractKept,
  update,
  type Batch,
  type FeatureBatch,
  type MapBatch,
  type Mix,
  type Optimiser,
  type StepResult,
} from './step.ts';
import { StepFigures, type ReadStep, type StepLosses } from './step-figures.ts';
import { Stream, type StreamBatch } from './stream.ts';

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
  network: StateVectors;
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
  /** What it begins with, to be the trainer's own; all at random unless given. */
  state?: NetworkState;
  /** The training images. */
  pictures: Pictures;
  /** Their features, for a network whose backbone is frozen. */
  features?: FrozenFeatures | null;
  /** Class of each training image. */
  labels: Int32Array;
  /** For each class: may its samples enter the bank? */
  admitted: readonly boolean[];
  curated: CuratedBank | null;
}

type StepArguments = Parameters<typeof update>;

const NO_SUMS: EpochSums = {
  steps: 0,
  mixedSteps: 0,
  balancedSteps: 0,
  uniformLoss: 0,
  balancedLoss: 0,
  confident: 0,
};

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
  /** Seconds for which the steps of this epoch, since it was begun or resumed, waited for pictures. */
  inputSeconds = 0;
  /**
   * What the last step showed to the balanced branch (of re-sampling: to its only one); null where it showed nothing. Where
   * it showed features that were kept it has no pixels: see `picturesShown`.
   */
  shown: ShownBatch | null = null;
  /** Network at this moment; replaced by each step. */
  state: NetworkState;
  /** Sum of p(true class), as seen in training just before each update, and how often: its mean says how well an image
   * was known while it was being learned (Swayamdipta et al. 2020, arXiv 2009.10795, "confidence"). */
  readonly #seenProbability: Float64Array;
  readonly #seenTimes: Int32Array;
  readonly #tensors: ImageTensors;
  readonly #extract = new TracedFunction(extract);
  readonly #extractKept = new TracedFunction(extractKept);
  /** [h, w, C] of the maps that are kept, if any. */
  readonly #mapShape: readonly number[] | null;
  readonly #update = new TracedFunction<StepArguments, StepResult>(update, withAnotherRate);
  readonly #scale: FeatureScale | null;
  readonly #pictures: Pictures;
  readonly #uniform: Stream;
  readonly #balanced: Stream;
  readonly #figures = new StepFigures((step) => this.#count(step));
  #sums: EpochSums = { ...NO_SUMS };
  #losses: StepLosses = { uniform: NaN, balanced: null };
  #diverged = false;

  constructor({ config, network, state, pictures, features = null, labels, admitted, curated }: TrainerOptions) {
    this.config = config;
    this.network = network;
    this.method = METHODS_BY_NAME[config.method];
    this.contexts = new ContextSupply(config, admitted, curated);
    this.stepsPerEpoch = stepsPerEpoch(config, labels.length);
    this.state = state ?? network.initialize(Random.stream(config.seed, 'weights'));
    this.#seenProbability = new Float64Array(labels.length);
    this.#seenTimes = new Int32Array(labels.length);
    this.#tensors = new ImageTensors(normalisationOf(config));
    this.#pictures = pictures;
    this.#mapShape = features?.maps?.shape ?? null;
    this.#scale = features && scaleOf(features.pooled, featureViews(config, 'train'));
    const { looks } = this.method;
    const frozen = features && { features, flip: config.augment.flip, pixels: looks, maps: false };
    const common = { pictures, frozen, labels, batchSize: config.batchSize };
    this.#uniform = new Stream({
      ...common,
      // Contexts are looked for in this stream alone.
      frozen: frozen && { ...frozen, maps: looks },
      makeSampler: () => new UniformSampler(Random.stream(config.seed, 'uniform order'), labels.length),
      random: Random.stream(config.seed, 'uniform augmentation'),
    });
    this.#balanced = new Stream({
      ...common,
      makeSampler: () => new ClassAwareSampler(Random.stream(config.seed, 'balanced order'), labels, network.classes),
      random: Random.stream(config.seed, 'balanced augmentation'),
    });
  }

  get finished(): boolean {
    return this.epoch >= this.config.epochs;
  }

  /** Sums over the steps of the epoch in progress; asking for them waits for the device. */
  get sums(): Readonly<EpochSums> {
    this.#figures.read();
    return this.#sums;
  }

  /** Losses of the last step, not a number before the first; asking for them waits for the device. */
  get losses(): StepLosses {
    this.#figures.read();
    return this.#losses;
  }

  /** Whether a loss was seen that is no finite number, some steps after it was made at most; the state is spoilt then. */
  get diverged(): boolean {
    return this.#diverged;
  }

  /** Begin an epoch: empty the bank where it is not kept. Call when `step` is 0. */
  beginEpoch(): void {
    this.#figures.read();
    this.#sums = { ...NO_SUMS };
    this.inputSeconds = 0;
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
   * @throws UserError naming the file when a picture is not what was imported
   */
  async runStep(): Promise<void> {
    this.shown = null;
    let resampled: StreamBatch | undefined;
    const uploads = new Uploads((batch) => this.#images(batch.pixels));
    const tools: StepTools = {
      balancedStarted: this.epoch >= this.config.startBalanced,
      contexts: this.contexts,
      uniform: () => this.#next(this.#uniform),
      balanced: async () => (resampled = await this.#next(this.#balanced)),
      extract: (batch) => {
        const { network, state, config } = this;
        const { mask, probability } = batch.maps
          ? this.#extractKept.call(network, state, uploads.maps(batch, this.#mapShape!), config.inputSize)
          : this.#extract.call(network, state, uploads.images(batch));
        const result = {
          masks: mask.dataSync<'float32'>(),
          probability: probability.dataSync<'float32'>(),
        };
        tf.dispose([mask, probability]);
        return result;
      },
      update: (main, second, mix) => {
        // Contexts are laid over pictures.
        const balanced = second ? (mix ? uploads.images(second) : uploads.input(second)) : null;
        this.#step(main, uploads.input(main), balanced, mix);
        const batch = second ?? (main === resampled ? main : undefined);
        if (batch) this.shown = { batch, mix: mix ?? null };
      },
      countConfident: (samples) => {
        this.#sums.confident += samples;
      },
    };
    await this.method.step(tools);
    uploads.dispose();
    this.#sums.steps++;
    this.step++;
  }

  /**
   * Pictures that the last step showed, read again where it showed their features; null where it showed none.
   * @param most so many are enough
   * @throws UserError as `Pictures.plain`
   */
  async picturesShown(most: number): Promise<ShownBatch | null> {
    const { shown } = this;
    if (shown === null || shown.batch.pixels.length > 0) return shown;
    const { batch, mix } = shown;
    const [indices, labels] = [batch.indices.slice(0, most), batch.labels.slice(0, most)];
    const pixels = await this.#pictures.plain(indices, batch.mirrored?.slice(0, most));
    return { batch: { ...batch, indices, labels, pixels }, mix };
  }

  /** Whether all losses and every number of the network are finite: a ReLU can hide a NaN from the loss for some steps. */
  get sound(): boolean {
    this.#figures.read();
    if (this.#diverged) return false;
    return tf.tidy(() => STATE_NAMES.every((name) => tf.all(tf.isFinite(this.state[name])).dataSync()[0] === 1));
  }

  /** Mean p(true class) of each training image as seen in training; NaN for one that was never drawn. */
  get seenConfidence(): Float32Array {
    this.#figures.read();
    return Float32Array.from(this.#seenProbability, (sum, i) => sum / this.#seenTimes[i]);
  }

  /** Everything that the following steps depend on. */
  save(): TrainerState {
    this.#figures.read();
    const { supply, bank } = this.contexts.state;
    const [uniform, balanced] = [this.#uniform.state, this.#balanced.state];
    return {
      network: this.network.vectorsOf(this.state),
      bank,
      seenProbability: this.#seenProbability.slice(),
      seenTimes: this.#seenTimes.slice(),
      progress: {
        epoch: this.epoch,
        step: this.step,
        sums: { ...this.#sums },
        samplers: { uniform: uniform.sampler, balanced: balanced.sampler },
        augment: { uniform: uniform.augment, balanced: balanced.augment },
        supply,
      },
    };
  }

  /** Go on from a saved state; configuration and images must be those it was saved with. */
  restore({ network, bank, seenProbability, seenTimes, progress }: TrainerState): void {
    this.#figures.dispose();
    disposeState(this.state);
    this.state = this.network.stateOf(network);
    this.#seenProbability.set(seenProbability);
    this.#seenTimes.set(seenTimes);
    this.epoch = progress.epoch;
    this.step = progress.step;
    this.#sums = { ...progress.sums };
    this.inputSeconds = 0;
    const { samplers, augment } = progress;
    this.#uniform.restore({ sampler: samplers.uniform, augment: augment.uniform });
    this.#balanced.restore({ sampler: samplers.balanced, augment: augment.balanced });
    this.contexts.restore({ supply: progress.supply, bank });
  }

  /** Why a step runs operation by operation, slower than need be; null when it is traced. */
  get untraceable(): string | null {
    return this.#update.untraceable ?? this.#extract.untraceable ?? this.#extractKept.untraceable;
  }

  dispose(): void {
    this.#figures.dispose();
    disposeState(this.state);
    this.#extract.dispose();
    this.#extractKept.dispose();
    if (this.#scale) tf.dispose([this.#scale.mean, this.#scale.deviation]);
    this.#update.dispose();
  }

  /** The next batch of a stream, timed. */
  async #next(stream: Stream): Promise<StreamBatch> {
    const started = performance.now();
    const batch = await stream.next();
    this.inputSeconds += (performance.now() - started) / 1000;
    return batch;
  }

  #images(pixels: Uint8Array): tf.Tensor4D {
    return this.#tensors.of(pixels, this.config.inputSize, this.config.inputSize);
  }

  #step(
    main: StreamBatch,
    uniform: Batch | FeatureBatch,
    second: Batch | FeatureBatch | null,
    mixBatch: MixBatch | undefined,
  ): void {
    const { momentum, weightDecay, tune } = this.config;
    const optimiser: Optimiser = {
      rate: tf.scalar(this.rate),
      momentum,
      weightDecay,
      backboneRate: tune.rate,
      scale: this.#scale,
    };
    const mix = mixBatch ? this.#uploadMix(mixBatch) : null;
    const result = this.#update.call(this.network, this.state, uniform, second, mix, optimiser);
    disposeState(this.state);
    this.state = result.state;
    this.#figures.add({ ...result, indices: main.indices, mixed: mix !== null });
    optimiser.rate.dispose();
    if (mix) tf.dispose([mix.contexts, mix.masks, mix.lambda]);
  }

  #count({ uniform, balanced, sampleLosses, indices, mixed }: ReadStep): void {
    for (const [i, loss] of sampleLosses.entries()) {
      this.#seenProbability[indices[i]] += Math.exp(-loss);
      this.#seenTimes[indices[i]]++;
    }
    this.#sums.uniformLoss += uniform;
    if (balanced !== null) {
      this.#sums.balancedLoss += balanced;
      this.#sums.balancedSteps++;
      if (mixed) this.#sums.mixedSteps++;
    }
    this.#losses = { uniform, balanced };
    // Every step counts: a later one may be finite again over weights that are not.
    this.#diverged ||= !Number.isFinite(uniform);
  }

  #uploadMix({ pixels, masks, lambda }: MixBatch): Mix {
    const { inputSize: size } = this.config;
    return {
      contexts: this.#images(pixels),
      masks: tf.tensor4d(masks, [lambda.length, size, size, 1]),
      lambda: tf.tensor4d(lambda, [lambda.length, 1, 1, 1]),
    };
  }
}

/** The batches of one step as tensors; images are made once. */
class Uploads {
  readonly #toImages: (batch: StreamBatch) => tf.Tensor4D;
  readonly #images = new Map<StreamBatch, Batch>();
  /** What is not made of pixels. */
  readonly #kept: (FeatureBatch | MapBatch)[] = [];

  constructor(toImages: (batch: StreamBatch) => tf.Tensor4D) {
    this.#toImages = toImages;
  }

  images(batch: StreamBatch): Batch {
    const known = this.#images.get(batch);
    if (known) return known;
    const made = { images: this.#toImages(batch), labels: tf.tensor1d(batch.labels, 'int32') };
    this.#images.set(batch, made);
    return made;
  }

  /** What a batch is trained on: its features where they are known. */
  input(batch: StreamBatch): Batch | FeatureBatch {
    const { features, labels } = batch;
    if (features === null) return this.images(batch);
    const pooled = tf.tensor2d(features, [labels.length, features.length / labels.length]);
    const made = { pooled, labels: tf.tensor1d(labels, 'int32') };
    this.#kept.push(made);
    return made;
  }

  /** The maps of a batch that has them. @param shape [h, w, C] of each */
  maps({ maps, labels }: StreamBatch, shape: readonly number[]): MapBatch {
    const [height, width, channels] = shape;
    const map = tf.tensor4d(maps!, [labels.length, height, width, channels]);
    const made = { map, labels: tf.tensor1d(labels, 'int32') };
    this.#kept.push(made);
    return made;
  }

  dispose(): void {
    for (const { images, labels } of this.#images.values()) tf.dispose([images, labels]);
    for (const batch of this.#kept) tf.dispose(['pooled' in batch ? batch.pooled : batch.map, batch.labels]);
  }
}

/** A second example to trace a step by: the rate is the one number that changes from epoch to epoch. */
function withAnotherRate(...[network, state, uniform, balanced, mix, optimiser]: StepArguments): StepArguments {
  return [network, state, uniform, balanced, mix, { ...optimiser, rate: tf.add(optimiser.rate, 1) }];
}
