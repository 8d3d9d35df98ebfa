/** Lines that are kept for the settings page. */
const KEPT = 500;
/** Longer lines are cut, characters: a stack is some thousands. */
const LONGEST = 8000;

/** The last lines of the log. */
export class RecentLog {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(`${new Date().toISOString()} ${line.slice(0, LONGEST)}`);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}
