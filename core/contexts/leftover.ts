/**
 * Does a model still see the class of a picture in its context, the foreground painted over? If it does, parts of the
 * object are probably left in the context, and would be lent to pictures of other classes along with it.
 *
 * How sure the model is of the class proves little by itself: a model that leans to a class names it for anything. So it is
 * held against a *base rate*, the mean probability of the class by contexts of other classes, painted over alike.
 */

/** Least score of what is flagged: the class is then named with at least that much more than its base rate. */
export const LEFTOVER_FROM = 0.5;

/** What a model says of a context, the foreground painted over. */
export interface ContextAnswer {
  /** Probability of the context's own class, and its base rate. */
  probability: number;
  base: number;
  /** The own class is the most probable one. */
  named: boolean;
}

/** How much surer of the class the model is than it is by contexts of other classes: -1 to 1. */
export function leftoverScore({ probability, base }: Pick<ContextAnswer, 'probability' | 'base'>): number {
  return probability - base;
}

/**
 * The rule by which a context is flagged: the model still names its class, and by at least `LEFTOVER_FROM` more than the
 * base rate. By itself it does not tell what is left of an object from a background that the model has come to take for the
 * class, or from the shape of what is painted over: leftover-verdict.ts does, as far as the model can tell.
 */
export function isLeftover(answer: ContextAnswer): boolean {
  return answer.named && leftoverScore(answer) >= LEFTOVER_FROM;
}

/** Base rates of classes, from the answers to all contexts that were looked at. */
export class BaseRates {
  /** Sums of the probability of each class, over all contexts and over those of the class itself. */
  readonly #all: Float64Array;
  readonly #own: Float64Array;
  /** Contexts of each class, and in all. */
  readonly #contexts: Int32Array;
  #count = 0;

  constructor(classes: number) {
    this.#all = new Float64Array(classes);
    this.#own = new Float64Array(classes);
    this.#contexts = new Int32Array(classes);
  }

  /**
   * @param probabilities of each class, for a context with its foreground painted over
   * @param label class of the context
   */
  add(probabilities: Float32Array, label: number): void {
    for (const [other, value] of probabilities.entries()) this.#all[other] += value;
    this.#own[label] += probabilities[label];
    this.#contexts[label]++;
    this.#count++;
  }

  /** Mean probability of a class by contexts of other classes; chance, 1 / classes, where there are none. */
  of(label: number): number {
    const others = this.#count - this.#contexts[label];
    if (others === 0) return 1 / this.#all.length;
    // Rounding may carry a sum of near zeros below it.
    return Math.min(1, Math.max(0, (this.#all[label] - this.#own[label]) / others));
  }
}
