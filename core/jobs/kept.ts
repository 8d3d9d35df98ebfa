/**
 * Jobs that are short and asked for again and again, such as looking at a picture with a model: their process is kept for a
 * while, so that the engine and the model are loaded once. Orders are done one after the other; they have no events. An
 * order that its caller no longer waits for is done nevertheless: it takes less than the model takes to load.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { deathError, jobError } from './failure.ts';
import { LineSplitter } from './lines.ts';
import type { FinalLine, JobEvent, JobKind, RunJob, RunJobOptions } from './protocol.ts';

/** A line of stdin. */
export interface KeptOrder {
  kind: string;
  spec: Json;
}

export interface KeptOptions {
  /** The script that obeys. */
  entry?: string;
  /** A process that nobody has used for so long is ended, milliseconds. */
  idleMs?: number;
}

/** How much of a process's stderr is kept, characters. */
const OUTPUT_KEPT = 65_536;

/** Runs the jobs of these kinds in a kept process, all others by `runJob`. */
export function withKept(runJob: RunJob, kinds: readonly JobKind[], options: KeptOptions = {}): RunJob {
  const processes = new Map(kinds.map((kind) => [kind, new KeptProcess(kind, options)]));
  const run = (kind: JobKind, spec: unknown, jobOptions: RunJobOptions<JobEvent> = {}): Promise<unknown> =>
    processes.get(kind)?.run(spec, jobOptions) ?? runJob(kind, spec, jobOptions);
  // As `createJobRunner` has it: both sides agree on the types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return run as RunJob;
}

/** One process for one kind of job. */
class KeptProcess {
  readonly #kind: string;
  readonly #entry: string;
  readonly #idleMs: number;
  #child: ChildProcess | undefined;
  /** Environment that it was started with. */
  #env = '';
  /** Resolves when the order before is done. */
  #before: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(kind: string, { entry, idleMs = 120_000 }: KeptOptions) {
    this.#kind = kind;
    this.#entry = entry ?? fileURLToPath(new URL('kept-entry.ts', import.meta.url));
    this.#idleMs = idleMs;
  }

  /** As a `RunJob` does. */
  run(spec: unknown, { signal, env = {} }: Pick<RunJobOptions<JobEvent>, 'signal' | 'env'>): Promise<Json> {
    const cancelled = (): UserError => new UserError('cancelled', `The ${this.#kind} job was cancelled.`);
    const done = this.#before.then(() => {
      if (signal?.aborted) throw cancelled();
      return this.#order(spec, env);
    });
    // Whether it fails is its caller's.
    this.#before = done.catch(() => {});
    if (!signal) return done;
    return new Promise((resolve, reject) => {
      const leave = (): void => reject(cancelled());
      signal.addEventListener('abort', leave, { once: true });
      void done.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
      if (signal.aborted) leave();
    });
  }

  #order(spec: unknown, env: Record<string, string>): Promise<Json> {
    clearTimeout(this.#idle);
    const child = this.#started(env);
    hold(child, true);
    return new Promise<Json>((resolve, reject) => {
      let output = '';
      const lines = new LineSplitter((text) => {
        const line: FinalLine = JSON.parse(text);
        if (line.type === 'result') resolve(line.value);
        else reject(jobError(this.#kind, line.error));
        settle();
      });
      const take = (chunk: Buffer): void => lines.push(chunk);
      const print = (text: string): void => {
        output = (output + text).slice(-OUTPUT_KEPT);
        if (process.env.CONTEXTURE_DEBUG) process.stderr.write(text);
      };
      const died = (code: number | null, signal: NodeJS.Signals | null): void => {
        reject(deathError(this.#kind, { code, signal, output }));
        settle();
      };
      const failed = (error: Error): void => {
        reject(error);
        settle();
      };
      const settle = (): void => {
        child.stdout?.off('data', take);
        child.stderr?.off('data', print);
        child.off('close', died);
        child.off('error', failed);
        hold(child, false);
        this.#idle = setTimeout(() => this.#end(), this.#idleMs).unref();
      };
      child.stdout?.on('data', take);
      child.stderr?.on('data', print);
      child.on('close', died);
      child.on('error', failed);
      child.stdin?.write(`${JSON.stringify({ kind: this.#kind, spec })}\n`);
    });
  }

  /** The process, started unless there is one with this environment. */
  #started(env: Record<string, string>): ChildProcess {
    const wanted = JSON.stringify(env);
    if (this.#child && this.#env === wanted) return this.#child;
    this.#end();
    const child = spawn(process.execPath, [this.#entry], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      windowsHide: true,
    });
    child.stderr.setEncoding('utf8');
    // A process that died no longer reads; its exit says more than the broken pipe does.
    child.stdin.on('error', () => {});
    child.on('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
    this.#env = wanted;
    return child;
  }

  #end(): void {
    this.#child?.stdin?.end();
    this.#child = undefined;
  }
}

/** Whether this process waits for that one to end before it ends itself. */
function hold(child: ChildProcess, held: boolean): void {
  for (const part of [child, child.stdin, child.stdout, child.stderr]) {
    if (!(part === child || part instanceof Socket)) continue;
    if (held) part.ref();
    else part.unref();
  }
}
