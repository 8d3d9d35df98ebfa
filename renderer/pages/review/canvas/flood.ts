/**
 * Flood fill by colour with a tolerance that may change afterwards: each pixel is given the smallest tolerance with which
 * it is reached from the seed, so that a drag only compares. Spreads no further than was asked for. Pure.
 */
import type { Bitmap, Point, Rect } from './bitmap.ts';

/** Colours of a picture, red, green, blue and opacity by turns, as ImageData has them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

const UNREACHED = 255;
/** Largest tolerance. */
export const MOST_TOLERANCE = 254;

export class Flood {
  /** The smallest tolerance that reaches a pixel; 255 where none of those asked for does. */
  readonly #cost: Uint8Array;
  /** Pixels that wait at each tolerance. */
  readonly #waiting: number[][] = Array.from({ length: MOST_TOLERANCE + 1 }, () => []);
  readonly #pixels: Pixels;
  readonly #seed: number;
  /** Everything that this tolerance reaches is known. */
  #known = -1;
  #left: number;
  #top: number;
  #right: number;
  #bottom: number;

  /** @param seed inside the picture */
  constructor(pixels: Pixels, seed: Point) {
    const [x, y] = [Math.floor(seed.x), Math.floor(seed.y)];
    this.#pixels = pixels;
    this.#cost = new Uint8Array(pixels.width * pixels.height).fill(UNREACHED);
    this.#seed = y * pixels.width + x;
    this.#left = this.#right = x;
    this.#top = this.#bottom = y;
    this.#waiting[0].push(this.#seed);
    this.#cost[this.#seed] = 0;
  }

  /**
   * Fill what is reached.
   * @param tolerance largest difference to the seed in red, green or blue along the way, 0 to 254
   * @returns the rectangle that may have changed
   */
  fill(mask: Bitmap, tolerance: number, value: 0 | 255): Rect {
    this.#spread(tolerance);
    const { width } = this.#pixels;
    for (let y = this.#top; y <= this.#bottom; y++) {
      for (let i = y * width + this.#left; i <= y * width + this.#right; i++) {
        if (this.#cost[i] <= tolerance) mask.data[i] = value;
      }
    }
    return {
      x: this.#left,
      y: this.#top,
      width: this.#right - this.#left + 1,
      height: this.#bottom - this.#top + 1,
    };
  }

  /** Go on level by level: the path whose largest difference is smallest comes first. */
  #spread(tolerance: number): void {
    const { width, height } = this.#pixels;
    for (let level = this.#known + 1; level <= tolerance; level++) {
      const waiting = this.#waiting[level];
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const x = next % width;
        const y = (next - x) / width;
        this.#left = Math.min(this.#left, x);
        this.#right = Math.max(this.#right, x);
        this.#top = Math.min(this.#top, y);
        this.#bottom = Math.max(this.#bottom, y);
        if (x > 0) this.#reach(next - 1, level);
        if (x < width - 1) this.#reach(next + 1, level);
        if (y > 0) this.#reach(next - width, level);
        if (y < height - 1) this.#reach(next + width, level);
      }
      this.#known = level;
    }
  }

  #reach(pixel: number, level: number): void {
    // Levels come in order, so the first way to a pixel is the cheapest.
    if (this.#cost[pixel] !== UNREACHED) return;
    const { data } = this.#pixels;
    const [at, seed] = [4 * pixel, 4 * this.#seed];
    const difference = Math.max(
      Math.abs(data[at] - data[seed]),
      Math.abs(data[at + 1] - data[seed + 1]),
      Math.abs(data[at + 2] - data[seed + 2]),
    );
    const cost = Math.max(level, difference);
    if (cost > MOST_TOLERANCE) return;
    this.#cost[pixel] = cost;
    this.#waiting[cost].push(pixel);
  }
}
