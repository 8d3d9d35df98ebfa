/** A function that is traced when a form of its arguments comes back. */
import * as tf from '@tensorflow/tfjs-core';
import { trace, TraceError, type Traced } from './trace.ts';
import { formOf, tensorsOf } from './tree.ts';

export class TracedFunction<A extends unknown[], R> {
  readonly #fn: (...args: A) => R;
  readonly #vary: (...args: A) => A;
  /** Forms that were met once. */
  readonly #met = new Set<string>();
  readonly #traced = new Map<string, Traced<A, R>>();
  /** Why it runs as it is, operation by operation; null while tracing works. */
  untraceable: string | null = null;

  /**
   * @param fn as `trace` wants it; arguments that are no tensors must stay the same
   * @param vary makes the second example out of the first: whatever changes from call to call gets another value
   */
  constructor(fn: (...args: A) => R, vary: (...args: A) => A = (...args) => args) {
    this.#fn = fn;
    this.#vary = vary;
  }

  /** Same results as the function's own, whether it could be traced or not. */
  call(...args: A): R {
    if (this.untraceable !== null) return this.#fn(...args);
    const form = formOf(args);
    let traced = this.#traced.get(form);
    if (!traced) {
      // A trace costs two runs: a form that comes once, such as an odd last batch, is not worth it.
      if (!this.#met.has(form)) {
        this.#met.add(form);
        return this.#fn(...args);
      }
      const example = this.#vary(...args);
      try {
        traced = trace(this.#fn, [args, example]);
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        this.untraceable = error.message;
        return this.#fn(...args);
      } finally {
        const given = tensorsOf(args).map(({ tensor }) => tensor);
        tf.dispose(tensorsOf(example).flatMap(({ tensor }) => (given.includes(tensor) ? [] : [tensor])));
      }
      this.#traced.set(form, traced);
    }
    return traced(...args);
  }

  dispose(): void {
    for (const traced of this.#traced.values()) traced.dispose();
    this.#traced.clear();
  }
}
