/** A model file at work: pixels in, probabilities out. The engine of the process has to be started. */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { toGrey } from '../contexts/saliency-look.ts';
import type { GreyImage } from '../data/decode.ts';
import { tidyRead } from '../engine/tidy.ts';
import type { ModelCard, ModelFile, SelfTest } from '../models/model-file.ts';
import type { Head } from '../evaluation/figures.ts';
import { meanLogits, predict } from '../evaluation/predictions.ts';
import { Network, type InferenceState } from '../models/network.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';
import { saliencyMap } from '../training/saliency.ts';
import { answeringHead, headsOfModel, probabilitiesOf } from './answers.ts';
import { differenceText, relativeDifference, TOLERANCE } from './difference.ts';

/** Logits of some pictures, [n, classes] of each head. */
type HeadLogits = Pick<SelfTest, 'uniform' | 'balanced'>;

/** What a model says of some pictures, and what in them speaks for one class of each. */
export interface Explained {
  /** [n, classes] of each head, each row sums to 1; null for heads that do not answer. */
  probabilities: Record<Head, Float32Array | null>;
  /** The classes that the maps are of. */
  labels: Int32Array;
  /** Evidence on the feature grid; 255 is the strongest. */
  maps: GreyImage[];
}

export class Classifier {
  readonly card: ModelCard;
  /** The head that answers. */
  readonly head: Head;
  readonly #evaluator: Evaluator;
  readonly #tensors: ImageTensors;
  readonly #state: InferenceState;

  /**
   * @param head null for the one that the model answers by
   * @throws UserError 'usage' for a head that it does not answer by
   */
  constructor({ card, weights }: ModelFile, head: Head | null) {
    this.card = card;
    this.head = answeringHead(card, head);
    this.#evaluator = new Evaluator(new Network(card.model, card.classes.length));
    this.#tensors = new ImageTensors(card.preprocessing);
    this.#state = {
      trunk: tf.tensor1d(weights.trunk),
      balanced: tf.tensor1d(weights.balanced),
      statistics: tf.tensor1d(weights.statistics),
    };
  }

  /**
   * Compute the self-test of the model file and compare.
   * @param name the file's name for an error
   * @returns the largest difference between logits, relative to the largest logit
   * @throws UserError 'damaged' when they differ by more than rounding
   */
  selfTest({ pixels, uniform, balanced }: SelfTest, name: string): number {
    const count = uniform.length / this.card.classes.length;
    if (count === 0) throw new UserError('damaged', `${name} has no self-test. Take a good copy of it.`);
    const logits = this.#logits(pixels, count);
    const difference = Math.max(
      relativeDifference(logits.uniform, uniform),
      relativeDifference(logits.balanced, balanced),
    );
    if (difference <= TOLERANCE) return difference;
    throw new UserError(
      'damaged',
      `${name} fails its self-test: its answers are ${differenceText(difference)}. Take a good copy of it, and run \`npm run contexture -- doctor\`.`,
    );
  }

  /**
   * Probabilities of every class.
   * @param pixels [n, S, S, 3] 8-bit RGB, S the model's input size
   * @returns [n, classes], each row sums to 1
   */
  probabilities(pixels: Uint8Array, count: number): Float32Array {
    const logits = this.#logits(pixels, count);
    const chosen = this.head === 'mean' ? meanLogits(logits.uniform, logits.balanced) : logits[this.head];
    return this.#probabilities(this.head, chosen);
  }

  /**
   * The same by every head; null for heads that do not answer.
   * @param pixels [n, S, S, 3] 8-bit RGB, S the model's input size
   */
  answers(pixels: Uint8Array, count: number): Record<Head, Float32Array | null> {
    return this.#ofEachHead(this.#logits(pixels, count));
  }

  /**
   * Answers of all heads, and the evidence that `head` finds for a class (method.md 2.1). Not traced: it is for a few
   * pictures, each form of batch once.
   * @param pixels [n, S, S, 3] 8-bit RGB, S the model's input size
   * @param asked class of each picture whose evidence is wanted; null for the one that `head` answers
   */
  explain(pixels: Uint8Array, asked: readonly (number | null)[]): Explained {
    const { inputSize: size } = this.card.preprocessing;
    return tidyRead(() => {
      const inference = this.#evaluator.network.inference(this.#state);
      const features = inference.features(this.#tensors.of(pixels, size, size));
      const logits = inference.logits(features);
      const uniform = Float32Array.from(logits.uniform.dataSync<'float32'>());
      const balanced = Float32Array.from(logits.balanced.dataSync<'float32'>());
      const byHead = { uniform, balanced, mean: meanLogits(uniform, balanced) };
      const answers = predict(byHead[this.head], this.card.classes.length);
      const labels = Int32Array.from(asked, (label, i) => label ?? answers[i]);
      const weights = {
        uniform: inference.trunk.get<tf.Tensor2D>('uniform.weight'),
        balanced: inference.balanced.get<tf.Tensor2D>('balanced.weight'),
      };
      // A map does not change with the scale of its weights, so their sum serves for the mean.
      const weight = this.head === 'mean' ? tf.add<tf.Tensor2D>(weights.uniform, weights.balanced) : weights[this.head];
      const saliency = saliencyMap(features, weight, tf.tensor1d(labels, 'int32'));
      const [, height, width] = saliency.shape;
      const values = saliency.dataSync<'float32'>();
      return {
        probabilities: this.#ofEachHead({ uniform, balanced }),
        labels,
        maps: asked.map((_, i) =>
          toGrey({ width, height, data: values.subarray(i * height * width, (i + 1) * height * width) }),
        ),
      };
    });
  }

  dispose(): void {
    tf.dispose([this.#state.trunk, this.#state.balanced, this.#state.statistics]);
    this.#evaluator[Symbol.dispose]();
  }

  #ofEachHead({ uniform, balanced }: HeadLogits): Record<Head, Float32Array | null> {
    const heads = headsOfModel(this.card);
    const of = (head: Head, logits: Float32Array): Float32Array | null =>
      heads.includes(head) ? this.#probabilities(head, logits) : null;
    return {
      uniform: of('uniform', uniform),
      balanced: of('balanced', balanced),
      mean: of('mean', meanLogits(uniform, balanced)),
    };
  }

  #probabilities(head: Head, logits: Float32Array): Float32Array {
    const { variant, classes } = this.card;
    return probabilitiesOf(logits, classes.length, variant?.head === head ? variant.temperatures : null);
  }

  #logits(pixels: Uint8Array, count: number): HeadLogits {
    const { inputSize: size } = this.card.preprocessing;
    const uniform = new Float32Array(count * this.card.classes.length);
    const balanced = new Float32Array(uniform.length);
    tf.tidy(() => {
      const logits = this.#evaluator.classify(this.#state, this.#tensors.of(pixels, size, size));
      uniform.set(logits.uniform.dataSync<'float32'>());
      balanced.set(logits.balanced.dataSync<'float32'>());
    });
    return { uniform, balanced };
  }
}
