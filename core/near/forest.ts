/**
 * Which pictures belong together, at any threshold. Pictures are joined where a chain of links leads from one to the other,
 * each of at least the threshold (single linkage). For that the links of a maximum spanning forest say as much as all links
 * do: fewer than there are pictures, however many are alike in pairs. A thousand frames of one still scene have half a
 * million pairs and 999 links.
 */

/** Two pictures by number, from 0, and the cosine of their descriptions. */
export interface Link {
  a: number;
  b: number;
  cosine: number;
}

/** Sets that only grow together (union-find, with paths halved and the smaller number as root). */
export class DisjointSets {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
  }

  /** The set's smallest member. */
  rootOf(member: number): number {
    const parent = this.#parent;
    let at = member;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  }

  /** @returns whether they were apart */
  join(a: number, b: number): boolean {
    const [first, second] = [this.rootOf(a), this.rootOf(b)];
    if (first === second) return false;
    this.#parent[Math.max(first, second)] = Math.min(first, second);
    return true;
  }
}

/** Links that wait to be weighed against one another: some 100 MB. */
const MOST_WAITING = 2_000_000;

/** Links of a maximum spanning forest, of as many links as are offered, in bounded memory. */
export class SpanningForest {
  readonly #count: number;
  readonly #mostWaiting: number;
  #links: Link[] = [];

  /** @param count pictures */
  constructor(count: number, mostWaiting: number = MOST_WAITING) {
    this.#count = count;
    this.#mostWaiting = mostWaiting + count;
  }

  offer(link: Link): void {
    this.#links.push(link);
    if (this.#links.length >= this.#mostWaiting) this.#links = this.links();
  }

  /** The forest of what was offered: highest cosine first, then by number. */
  links(): Link[] {
    const sets = new DisjointSets(this.#count);
    // Kruskal's: a link that closes a circle is the weakest in it. What was dropped before stays the weakest in its circle.
    return this.#links
      .toSorted((x, y) => y.cosine - x.cosine || x.a - y.a || x.b - y.b)
      .filter(({ a, b }) => sets.join(a, b));
  }
}
