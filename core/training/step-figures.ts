/**
 * What steps have come to, left on the device and read a few steps at a time: each reading waits until the device has done
 * all it was asked, and on a GPU the next steps could have been prepared meanwhile.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { StepResult } from './step.ts';

/** Steps after which everything is read: few enough that training that has diverged is noticed soon. */
const READ_EVERY = 8;

/** Losses of one step. */
export interface StepLosses {
  uniform: number;
  /** Null where the step did not train the balanced branch. */
  balanced: number | null;
}

/** A step, as it is read. */
export interface ReadStep extends StepLosses {
  /** Training images of the uniform branch, in the order of its samples. */
  indices: ArrayLike<number>;
  /** Loss of each of them before the step. */
  sampleLosses: Float32Array;
  /** Whether contexts were laid on. */
  mixed: boolean;
}

type Waiting = Omit<StepResult, 'state'> & Pick<ReadStep, 'indices' | 'mixed'>;

export class StepFigures {
  readonly #each: (step: ReadStep) => void;
  #waiting: Waiting[] = [];

  /** @param each told of each step, in order, once */
  constructor(each: (step: ReadStep) => void) {
    this.#each = each;
  }

  /** Take the figures of a step, whose tensors are this one's from now on. */
  add(step: Waiting): void {
    this.#waiting.push(step);
    if (this.#waiting.length >= READ_EVERY) this.read();
  }

  /** Read what waits. */
  read(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { uniformLoss, balancedLoss, sampleLosses, indices, mixed } of waiting) {
      this.#each({
        uniform: uniformLoss.dataSync()[0],
        balanced: balancedLoss?.dataSync()[0] ?? null,
        sampleLosses: sampleLosses.dataSync<'float32'>(),
        indices,
        mixed,
      });
    }
    waiting.forEach(release);
  }

  /** Forget what waits. */
  dispose(): void {
    this.#waiting.forEach(release);
    this.#waiting = [];
  }
}

function release({ uniformLoss, balancedLoss, sampleLosses }: Waiting): void {
  tf.dispose([uniformLoss, sampleLosses]);
  balancedLoss?.dispose();
}
