/** Which of many things are chosen, by id. Made for a hundred thousand: one count of changes instead of one signal an id. */
export class Selection {
  readonly #ids = new Set<number>();
  #changes = $state(0);

  get size(): number {
    void this.#changes;
    return this.#ids.size;
  }

  has(id: number): boolean {
    void this.#changes;
    return this.#ids.has(id);
  }

  /** In the order in which they were chosen. */
  get ids(): number[] {
    void this.#changes;
    return [...this.#ids];
  }

  /** Choose these and nothing else. */
  set(ids: Iterable<number>): void {
    this.#ids.clear();
    this.add(ids);
  }

  add(ids: Iterable<number>): void {
    for (const id of ids) this.#ids.add(id);
    this.#changes++;
  }

  toggle(id: number): void {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#changes++;
  }

  clear(): void {
    if (this.#ids.size === 0) return;
    this.#ids.clear();
    this.#changes++;
  }

  /** Give up what is not there any more. */
  keepOnly(ids: ReadonlySet<number>): void {
    for (const id of this.#ids) if (!ids.has(id)) this.#ids.delete(id);
    this.#changes++;
  }
}
