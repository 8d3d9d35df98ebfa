/** A model file at work: pixels in, probabilities out. The engine of the process has to be started. */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import type { ModelCard, ModelFile, SelfTest } from '../models/model-file.ts';
import type { Head } from '../evaluation/figures.ts';
import { meanLogits } from '../evaluation/predictions.ts';
import { Network, type InferenceState } from '../models/network.ts';
import { Evaluator } from '../training/evaluator.ts';
import { ImageTensors } from '../training/image-tensors.ts';

/** Logits of some pictures, [n, classes] of each head. */
type HeadLogits = Pick<SelfTest, 'uniform' | 'balanced'>;

/**
 * How far logits may lie from the stored ones, relative to the largest of them: rounding on another processor or number
 * of threads, and a graphics card's shorter products.
 */
const TOLERANCE = { cpu: 1e-4, gpu: 1e-2 } as const;

export class Classifier {
  readonly card: ModelCard;
  /** The head that answers. */
  readonly head: Head;
  readonly #evaluator: Evaluator;
  readonly #tensors: ImageTensors;
  readonly #state: InferenceState;

  /**
   * @param head null for the one that the model's method is judged by
   * @throws UserError 'usage' for a head that was not trained
   */
  constructor({ card, weights }: ModelFile, head: Head | null) {
    this.card = card;
    this.head = head ?? card.head;
    if (card.head === 'uniform' && this.head !== 'uniform') {
      throw new UserError(
        'usage',
        `The method "${card.method}" trains one head: "${this.head}" gives no answer. Leave the setting away.`,
      );
    }
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
  selfTest({ pixels, uniform, balanced }: SelfTest, device: 'cpu' | 'gpu', name: string): number {
    const count = uniform.length / this.card.classes.length;
    if (count === 0) throw new UserError('damaged', `${name} has no self-test. Take a good copy of it.`);
    const logits = this.#logits(pixels, count);
    const difference = Math.max(
      relativeDifference(logits.uniform, uniform),
      relativeDifference(logits.balanced, balanced),
    );
    if (difference <= TOLERANCE[device]) return difference;
    const off = Number.isFinite(difference) ? `${(100 * difference).toPrecision(2)} % off` : 'no numbers';
    throw new UserError(
      'damaged',
      `${name} fails its self-test: its answers are ${off}. Take a good copy of it, and run \`npm run contexture -- doctor\`.`,
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
    return softmaxRows(chosen, this.card.classes.length);
  }

  dispose(): void {
    tf.dispose([this.#state.trunk, this.#state.balanced, this.#state.statistics]);
    this.#evaluator[Symbol.dispose]();
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

/** Largest difference relative to the largest stored value; NaN or infinite where either is not a number. */
function relativeDifference(found: Float32Array, stored: Float32Array): number {
  let difference = 0;
  let largest = 0;
  for (const [i, value] of stored.entries()) {
    difference = Math.max(difference, Math.abs(found[i] - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference === 0 ? 0 : difference / largest;
}

/** Softmax of each row, computed so that it cannot overflow. */
function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float64Array.from(row, (value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    probabilities.set(
      Float32Array.from(powers, (power) => power / sum),
      start,
    );
  }
  return probabilities;
}
