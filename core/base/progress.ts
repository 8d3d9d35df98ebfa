/** How far a long piece of work is. Every job emits these; the command line and the page show them alike. */
export interface Progress {
  type: 'progress';
  /** What is being done, as in "Reading pictures". */
  stage: string;
  /** Units finished and in all; `total` is null while it is not known yet. */
  done: number;
  total: number | null;
  /** What a unit is: "images", "steps". */
  unit: string;
  /** Units a second over the last few seconds; null before there is something to measure. */
  rate: number | null;
  /** Seconds left at that rate; null when it cannot be told. */
  secondsLeft: number | null;
  /** A short remark such as "loss 1.23". */
  note?: string;
}

/** Counts units and emits a `Progress` a few times a second, never more often. */
export class ProgressMeter {
  readonly #emit: (event: Progress) => void;
  readonly #stage: string;
  readonly #unit: string;
  readonly #intervalMs: number;
  #total: number | null;
  #done = 0;
  #lastEmit = -Infinity;
  /** Samples (time in ms, units done) of the last seconds, for a rate that follows the present speed. */
  #samples: [number, number][] = [];

  /**
   * @param options.total units in all, null when unknown
   * @param options.done units that an earlier, interrupted attempt has already finished; they do not count as speed
   */
  constructor(
    emit: (event: Progress) => void,
    options: { stage: string; unit: string; total: number | null; done?: number; intervalMs?: number },
  ) {
    this.#emit = emit;
    this.#stage = options.stage;
    this.#unit = options.unit;
    this.#total = options.total;
    this.#done = options.done ?? 0;
    this.#intervalMs = options.intervalMs ?? 200;
    this.#samples.push([performance.now(), this.#done]);
  }

  get done(): number {
    return this.#done;
  }

  set total(total: number | null) {
    this.#total = total;
  }

  /**
   * Count `units` more and emit if it is time.
   * @param note a function where the remark costs something: it is made when it is shown
   */
  add(units = 1, note?: string | (() => string)): void {
    this.#done += units;
    const now = performance.now();
    if (now - this.#lastEmit < this.#intervalMs) return;
    this.#report(now, typeof note === 'function' ? note() : note);
  }

  /** Emit the final count. */
  finish(note?: string): void {
    this.#report(performance.now(), note);
  }

  #report(now: number, note: string | undefined): void {
    this.#lastEmit = now;
    this.#samples.push([now, this.#done]);
    // Ten seconds of history, but always the first sample of a short job.
    while (this.#samples.length > 2 && now - this.#samples[1][0] > 10_000) this.#samples.shift();
    const [since, before] = this.#samples[0];
    const rate = now > since && this.#done > before ? ((this.#done - before) * 1000) / (now - since) : null;
    const left = rate !== null && this.#total !== null ? Math.max(0, this.#total - this.#done) / rate : null;
    this.#emit({
      type: 'progress',
      stage: this.#stage,
      done: this.#done,
      total: this.#total,
      unit: this.#unit,
      rate,
      secondsLeft: left,
      ...(note === undefined ? {} : { note }),
    });
  }
}
