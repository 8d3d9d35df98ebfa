/** Whether the service answers. Whoever sees a request fail says so here; the rest is one quiet loop of tries. */

/** Waits between tries, milliseconds; the last one repeats. */
const WAITS = [300, 700, 1500, 3000, 5000];

class Connection {
  /** The service does not answer; a bar says so. */
  gone = $state(false);
  /** The service answers, but not this page: it was started anew, and the page was opened by an older address. */
  refused = $state(false);
  /** A try is on its way. */
  trying = $state(false);

  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  /** A request found nobody at home. */
  lost(): void {
    if (this.gone) return;
    this.gone = true;
    this.#tries = 0;
    this.#plan();
  }

  /** Try at once instead of after the wait. */
  async retry(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.gone || this.trying) return;
    this.trying = true;
    try {
      const { ok, status } = await fetch('/api/about', { cache: 'no-store' });
      this.refused = status === 403;
      if (ok) this.#found();
    } catch {
      // Still away; the next try is planned below.
    } finally {
      this.trying = false;
    }
    if (this.gone) this.#plan();
  }

  /** Be told when the service is back: what is shown may be old. @returns stops it */
  onBack(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #plan(): void {
    const wait = WAITS[Math.min(this.#tries++, WAITS.length - 1)];
    this.#timer = setTimeout(() => void this.retry(), wait);
  }

  #found(): void {
    this.gone = false;
    for (const listener of this.#listeners) listener();
  }
}

export const connection = new Connection();
