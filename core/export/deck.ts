import type { Random } from '../base/random.ts';

/**
 * Draws from a set as from a shuffled pack of cards that is made again when it is used up: everything comes about
 * equally often, and nothing more often than the limit.
 */
export class Deck<T> {
  readonly #items: readonly T[];
  readonly #random: Random;
  readonly #limit: number;
  /** How often each item was drawn. */
  readonly #drawn: number[];
  /** Indices of items that are still to be drawn in this round; the last one is on top. */
  #cards: number[] = [];

  /** @param limit how often an item may be drawn; null for no limit */
  constructor(items: readonly T[], random: Random, limit: number | null = null) {
    this.#items = items;
    this.#random = random;
    this.#limit = limit ?? Infinity;
    this.#drawn = items.map(() => 0);
  }

  /**
   * The topmost card that may be used; those passed over stay for a later draw.
   * @returns undefined when there is none within the limit
   */
  draw(usable: (item: T) => boolean = () => true): T | undefined {
    const topmost = (): number => this.#cards.findLastIndex((index) => usable(this.#items[index]));
    let at = topmost();
    if (at < 0) {
      this.#deal();
      at = topmost();
    }
    if (at < 0) return undefined;
    const [index] = this.#cards.splice(at, 1);
    this.#drawn[index]++;
    return this.#items[index];
  }

  /** A new round of all that may still be drawn, on top of the cards left; no item is in the pack twice. */
  #deal(): void {
    const held = new Set(this.#cards);
    const round = [...this.#items.keys()].filter((index) => !held.has(index) && this.#drawn[index] < this.#limit);
    this.#cards.push(...this.#random.shuffle(round));
  }
}
