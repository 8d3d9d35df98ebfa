/**
 * Which of many descriptions are alike: all pairs, a block of rows against a block of rows by the engine's matrix product.
 * 100,000 pictures come to five thousand million pairs; what is in memory is two blocks, their products and the forest.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import type { ProgressMeter } from '../base/progress.ts';
import { SpanningForest, type Link } from './forest.ts';

/** Descriptions by number, each of length 1 or, of what is like nothing, 0. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  /**
   * How many numbers, the first ones, a mirror leaves as they are; it changes the sign of the others. The cosine is then
   * the better of both: that of the picture and that of its mirror image. `width`: mirrors are not looked at.
   */
  readonly even: number;
  /** @returns [end - start, width] */
  read(start: number, end: number): Float32Array;
}

/** Rows of a block: their products with those of another one take 16 MB. */
const BLOCK = 2048;

/**
 * Links of at least a cosine, as far as groups need them (`SpanningForest`).
 * @param meter counts pairs
 * @throws UserError 'cancelled'; whatever `rows.read` throws
 */
export async function nearLinks(
  rows: Rows,
  floor: number,
  meter: ProgressMeter,
  signal: AbortSignal,
  block: number = BLOCK,
): Promise<Link[]> {
  const { count } = rows;
  const forest = new SpanningForest(count);
  for (let first = 0; first < count; first += block) {
    const own = rows.read(first, Math.min(first + block, count));
    for (let second = first; second < count; second += block) {
      if (signal.aborted) throw new UserError('cancelled', 'Looking for near-duplicates was cancelled.');
      const others = second === first ? own : rows.read(second, Math.min(second + block, count));
      const pairs = offerPairs(
        forest,
        cosines(rows, own, others),
        { first, second, floor },
        others.length / rows.width,
      );
      meter.add(pairs);
      // A cancel is heard between blocks.
      await nextTurn();
    }
  }
  return forest.links();
}

/** [n, m] row by row. @param a [n, width] @param b [m, width] */
function cosines({ width, even }: Rows, a: Float32Array, b: Float32Array): Float32Array {
  return tf.tidy(() => {
    const [x, y] = [a, b].map((values) => tf.tensor2d(values, [values.length / width, width]));
    if (even === width) return tf.matMul(x, y, false, true).dataSync<'float32'>();
    const product = (start: number, size: number): tf.Tensor2D =>
      tf.matMul(tf.slice(x, [0, start], [-1, size]), tf.slice(y, [0, start], [-1, size]), false, true);
    // A mirror image of y has the same even part and the odd one with the other sign.
    return tf.add(product(0, even), tf.abs(product(even, width - even))).dataSync<'float32'>();
  });
}

/** @returns how many pairs those are, each counted once */
function offerPairs(
  forest: SpanningForest,
  values: Float32Array,
  { first, second, floor }: { first: number; second: number; floor: number },
  columns: number,
): number {
  let pairs = 0;
  for (let i = 0; i < values.length / columns; i++) {
    const from = first === second ? i + 1 : 0;
    for (let j = from; j < columns; j++) {
      const cosine = values[i * columns + j];
      // Rounding may carry the cosine of equal rows over 1.
      if (cosine >= floor) forest.offer({ a: first + i, b: second + j, cosine: Math.min(1, cosine) });
    }
    pairs += columns - from;
  }
  return pairs;
}
