import type * as tf from '@tensorflow/tfjs-core';
import { uploadFloats } from '../engine/upload.ts';
import { Normaliser, type Normalisation } from './preprocessing.ts';

/** Batches of pictures as a network takes them. Their values go through one array, batch after batch. */
export class ImageTensors {
  readonly #normaliser: Normaliser;
  #values = new Float32Array(0);

  constructor(normalisation: Normalisation) {
    this.#normaliser = new Normaliser(normalisation);
  }

  /**
   * @param pixels [N, height, width, 3] 8-bit RGB
   * @returns [N, height, width, 3] float32, normalised; the caller disposes it
   */
  of(pixels: Uint8Array, height: number, width: number): tf.Tensor4D {
    if (this.#values.length < pixels.length) this.#values = new Float32Array(pixels.length);
    const values = this.#normaliser.apply(pixels, this.#values.subarray(0, pixels.length));
    return uploadFloats(values, [pixels.length / (height * width * 3), height, width, 3]) as tf.Tensor4D;
  }
}
