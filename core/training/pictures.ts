/** The pictures of a data set as batches, for training and for evaluation. */
import type { Random } from '../base/random.ts';
import { applyJitter, drawJitter } from './color-jitter.ts';
import { cropInto, drawCrop, MIRRORED, padding, type AugmentConfig } from './preprocessing.ts';

/** Batches of pictures at network size. A batch is [n, size, size, 3] 8-bit RGB, in an array of its own. */
export interface Pictures {
  readonly count: number;
  /** Side in pixels. */
  readonly size: number;
  /** How many batches it pays to ask for ahead of time; 0 where a batch is made on the spot. */
  readonly ahead: number;
  /**
   * Pictures as training sees them. What is random is drawn before this returns; only then does the work begin.
   * @throws UserError naming the file when a picture is not what was imported
   */
  augmented(indices: Int32Array, random: Random): Promise<Uint8Array>;
  /**
   * Pictures as evaluation sees them.
   * @param mirrored 1 for each that is seen in a mirror; none unless given
   * @throws as `augmented`
   */
  plain(indices: Int32Array, mirrored?: Uint8Array): Promise<Uint8Array>;
}

/** Pictures of one size by index; `PackedImages` is one. */
export interface PictureSet {
  readonly count: number;
  /** Side in pixels. */
  readonly size: number;
  /** [size, size, 3] 8-bit RGB. */
  read(index: number): Uint8Array;
}

/** Pictures that lie decoded at network size: training pads, crops and flips them, and jitters their colours. */
export class PackedPictures implements Pictures {
  readonly count: number;
  readonly size: number;
  readonly ahead = 0;
  readonly #pictures: PictureSet;
  readonly #augment: AugmentConfig;

  constructor(pictures: PictureSet, augment: AugmentConfig) {
    this.count = pictures.count;
    this.size = pictures.size;
    this.#pictures = pictures;
    this.#augment = augment;
  }

  async augmented(indices: Int32Array, random: Random): Promise<Uint8Array> {
    const pad = padding(this.#augment, this.size);
    const { jitter } = this.#augment;
    return this.#batch(indices, (picture, target) => {
      cropInto(picture, target, this.size, 3, pad, drawCrop(random, this.#augment, this.size));
      if (jitter > 0) applyJitter(target, drawJitter(random, jitter));
    });
  }

  async plain(indices: Int32Array, mirrored?: Uint8Array): Promise<Uint8Array> {
    return this.#batch(indices, (picture, target, i) => {
      if (mirrored?.[i]) cropInto(picture, target, this.size, 3, 0, MIRRORED);
      else target.set(picture);
    });
  }

  #batch(indices: Int32Array, put: (picture: Uint8Array, target: Uint8Array, i: number) => void): Uint8Array {
    const length = this.size * this.size * 3;
    const pixels = new Uint8Array(indices.length * length);
    for (const [i, index] of indices.entries()) {
      put(this.#pictures.read(index), pixels.subarray(i * length, (i + 1) * length), i);
    }
    return pixels;
  }
}

/** Some of the pictures, as a set of their own. @param positions index in `pictures` of each */
export function selectPictures(pictures: Pictures, positions: ArrayLike<number>): Pictures {
  const { size, ahead } = pictures;
  const original = (indices: Int32Array): Int32Array => indices.map((index) => positions[index]);
  return {
    count: positions.length,
    size,
    ahead,
    augmented: (indices, random) => pictures.augmented(original(indices), random),
    plain: (indices, mirrored) => pictures.plain(original(indices), mirrored),
  };
}
