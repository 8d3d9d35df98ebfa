/**
 * Which of many descriptions are alike: all pairs, a block of rows against a block of rows by the engine's matrix product.
 * 100,000 pictures come to five thousand million pairs; what is in memory is two blocks, their products and the forest.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import type { ProgressMeter } from '../base/progress.ts';
import { tidyRead } from '../engine/tidy.ts';
import { DisjointSets, SpanningForest, type Link } from './forest.ts';

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
  return tidyRead(() => {
    const [x, y] = [a, b].map((values) => tf.tensor2d(values, [values.length / width, width]));
    if (even === width) return tf.matMul(x, y, false, true).dataSync<'float32'>();
    const product = (start: number, size: number): tf.Tensor2D =>
      tf.matMul(tf.slice(x, [0, start], [-1, size]), tf.slice(y, [0, start], [-1, size]), false, true);
    // A mirror image of y has the same even part and the odd one with the other sign.
    return tf.add(product(0, even), tf.abs(product(even, width - even))).dataSync<'float32'>();
  });
}

/** Cosines from the floor to 1 are told apart in so many levels while a block's links are chosen: by 0.0001. */
const LEVELS = 4096;

/** Where the rows and the columns of a block's products begin, and the least cosine. */
interface Place {
  first: number;
  second: number;
  floor: number;
}

/**
 * The links of a block that matter: those of a maximum spanning forest of its own. Where all pictures are alike there are as
 * many pairs as products; sorted by level, they cost three passes.
 * @returns how many pairs the block has, each counted once
 */
function offerPairs(forest: SpanningForest, values: Float32Array, place: Place, columns: number): number {
  const { first, second, floor } = place;
  const rows = values.length / columns;
  const self = first === second;
  const levelOf = (cosine: number): number =>
    Math.min(LEVELS - 1, Math.max(0, Math.floor(((cosine - floor) / (1 - floor)) * LEVELS)));
  /** Number of pairs of each level and those above it; then the place of the next pair of the level. */
  const places = new Int32Array(LEVELS + 1);
  const eachPair = (work: (at: number, cosine: number) => void): void => {
    for (let i = 0; i < rows; i++) {
      for (let at = i * columns + (self ? i + 1 : 0); at < (i + 1) * columns; at++) {
        if (values[at] >= floor) work(at, values[at]);
      }
    }
  };
  eachPair((_, cosine) => places[levelOf(cosine)]++);
  for (let level = LEVELS - 1; level >= 0; level--) places[level] += places[level + 1];
  const sorted = new Int32Array(places[0]);
  eachPair((at, cosine) => (sorted[--places[levelOf(cosine)]] = at));
  const sets = new DisjointSets(self ? rows : rows + columns);
  for (const at of sorted) {
    const [i, j] = [Math.floor(at / columns), at % columns];
    if (!sets.join(i, self ? j : rows + j)) continue;
    // Rounding may carry the cosine of equal rows over 1.
    forest.offer({ a: first + i, b: second + j, cosine: Math.min(1, values[at]) });
  }
  return self ? (rows * (rows - 1)) / 2 : rows * columns;
}
