/**
 * The one source of randomness: every shuffle, crop, lambda, weight and generated picture is drawn from it, so that the
 * same seed on the same machine gives the same digits and a checkpoint can carry the generator's state.
 *
 * The generator is xoshiro128** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021), seeded
 * through splitmix32. 128 bits of state, 32 bits a draw.
 */

/** Four unsigned 32-bit words, not all zero. Plain data: JSON keeps it exactly. */
export type RandomState = readonly [number, number, number, number];

/** FNV-1a over UTF-16 code units: turns a stream's name into 32 bits. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The finaliser of MurmurHash3: a one-to-one map of 32 bits that leaves no pattern; 0 stays 0. */
function mix(z: number): number {
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** A seeded generator. Independent streams come from `Random.stream(seed, name)`. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(state: RandomState) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /**
   * The generator for one purpose.
   * @param seed any safe integer; its low 32 and next 21 bits are used
   * @param name what the stream is for; streams of different names are independent for all practical purposes
   */
  static stream(seed: number, name: string): Random {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be a whole number, got ${seed}`);
    let x = ((seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32)) ^ hashName(name)) >>> 0;
    const next = (): number => {
      // splitmix32
      x = (x + 0x9e3779b9) >>> 0;
      return mix(x);
    };
    const random = new Random([next(), next(), next(), next() | 1]);
    for (let i = 0; i < 8; i++) random.uint32();
    return random;
  }

  /** Go on from a saved state. */
  static fromState(state: RandomState): Random {
    return new Random(state);
  }

  /** The state to save; `Random.fromState` goes on from here. */
  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** A whole number, uniform in [0, 2^32). */
  uint32(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A real number, uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** A whole number, uniform in [0, n), 1 <= n <= 2^32, without bias (rejection). */
  below(n: number): number {
    if (!(n >= 1 && n <= 2 ** 32)) throw new RangeError(`below(n) needs 1 <= n <= 2^32, got ${n}`);
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const draw = this.uint32();
      if (draw < limit) return draw % n;
    }
  }

  /** A standard normal number (Box and Muller 1958, cosine branch; the other value is not kept, so state is all). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffle in place (Fisher and Yates) and return the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /** A random order of 0 … n-1. */
  permutation(n: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}
