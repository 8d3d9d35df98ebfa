/**
 * The service beside the shell: started under a plain Node, watched, started again when it dies. It ends when its stdin
 * closes, so it never outlives the shell, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ServiceAddress } from './forward.ts';

export interface ServiceOptions {
  /** Program of Node. */
  readonly node: string;
  /** The service's entry and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment; see `environment.ts`. */
  readonly env: Readonly<Record<string, string>>;
  /** Told each line that it writes, and what happens to it. */
  readonly log: (line: string) => void;
  /** Told when it is not started again: one sentence why. `retry` is the way back. */
  readonly onGivenUp: (sentence: string) => void;
  /** How long it may take to be ready, milliseconds. */
  readonly deadlineMs?: number;
  /** How long it may take to end when asked to, milliseconds: a step of training and a checkpoint. */
  readonly graceMs?: number;
}

/** So many starts after a crash within so many milliseconds; after that a person is asked. */
const RESTARTS = 3;
const RESTARTS_WITHIN_MS = 5 * 60_000;

/** The service cannot be had just now. `message` is one sentence. */
export class ServiceGone extends Error {
  override readonly name = 'ServiceGone';
}

/** The one line that a service writes first. */
type FirstLine = { type: 'ready'; socket: string; token: string } | { type: 'failed'; message: string };

export class Service {
  readonly #options: ServiceOptions;
  #address = gone('The service has not been started.');
  #child: ChildProcess | undefined;
  #restarts: number[] = [];
  #stopped = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Process id while it lives. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Where it listens; waits while it is being started. @throws ServiceGone when it is not started again */
  address(): Promise<ServiceAddress> {
    return this.#address;
  }

  start(): void {
    const { log, onGivenUp, deadlineMs = 60_000 } = this.#options;
    this.#address = new Promise((resolve) => {
      const child = this.#spawn();
      this.#child = child;
      /** Why it is not to be started again; a crash has no such reason. */
      let told: string | undefined;
      const deadline = setTimeout(() => {
        log(`not ready after ${deadlineMs / 1000} s`);
        child.kill('SIGKILL');
      }, deadlineMs);
      const onFirstLine = (line: string): void => {
        const first = parseFirstLine(line);
        if (first === undefined) return log(line);
        clearTimeout(deadline);
        if (first.type === 'failed') {
          told = first.message;
          log(first.message);
        } else {
          log(`ready, process ${child.pid}`);
          resolve({ socket: first.socket, token: first.token });
        }
      };
      if (child.stdout) createInterface(child.stdout).on('line', onFirstLine);
      if (child.stderr) createInterface(child.stderr).on('line', log);
      // Writing to one that died; its exit says more.
      child.stdin?.on('error', () => {});
      child.on('error', (error) => {
        told ??= `The service could not be started (${error.message}): install Contexture again.`;
      });
      child.on('close', (code, signal) => {
        clearTimeout(deadline);
        this.#child = undefined;
        log(`ended, ${signal ?? `code ${code}`}`);
        const refusal = this.#stopped ? 'The service has been stopped.' : (told ?? this.#refuseRestart());
        if (refusal === undefined) this.start();
        else this.#address = gone(refusal);
        // Who waited for the one that ended waits for the next, or is told.
        resolve(this.#address);
        if (refusal !== undefined && !this.#stopped) onGivenUp(refusal);
      });
    });
    this.#address.catch(() => {});
  }

  /** Start it again after it was given up. */
  retry(): void {
    this.#restarts = [];
    if (this.#child === undefined && !this.#stopped) this.start();
  }

  /** Let it end: what runs is paused and keeps what it has done. Killed when it takes longer than the grace period. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => {
      child.on('close', () => resolve());
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.graceMs ?? 30_000);
    child.stdin?.end();
    await ended;
    clearTimeout(timer);
  }

  #spawn(): ChildProcess {
    const { node, command, cwd, env } = this.#options;
    return spawn(node, command, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  }

  /** Why it is not started again after a crash, or undefined: it is, and that counts. */
  #refuseRestart(): string | undefined {
    const now = Date.now();
    this.#restarts = this.#restarts.filter((time) => now - time < RESTARTS_WITHIN_MS);
    if (this.#restarts.length >= RESTARTS) return `The service stopped ${RESTARTS + 1} times within five minutes.`;
    this.#restarts.push(now);
    return undefined;
  }
}

/** An address that nobody gets; who asks is told why. */
function gone(sentence: string): Promise<ServiceAddress> {
  const address = Promise.reject<ServiceAddress>(new ServiceGone(sentence));
  address.catch(() => {});
  return address;
}

/** A line of the handshake, or undefined when it is something else that got onto stdout. */
function parseFirstLine(line: string): FirstLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isFirstLine(value) ? value : undefined;
}

function isFirstLine(value: unknown): value is FirstLine {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'failed') return 'message' in value && typeof value.message === 'string';
  const named = value.type === 'ready' && 'socket' in value && 'token' in value;
  return named && typeof value.socket === 'string' && typeof value.token === 'string';
}
