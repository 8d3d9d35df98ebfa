/** How the process meets the world: signals that end it, pipes that close. */
import { EXIT_CODES, systemCode } from '../base/errors.ts';

/** A request to stop. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Ask the work to stop for another reason than a signal. */
  abort(): void;
}

/**
 * Listen for Ctrl-C, hang-up and termination: the first asks the work to stop, the second ends the process.
 * @param onFirst told at the first, to say what happens now
 */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let asked = false;
  const handle = (): void => {
    // A job that is still at work sees its stdin close and keeps what it has.
    if (asked) process.exit(EXIT_CODES.cancelled);
    asked = true;
    onFirst();
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, handle);
  return { signal: controller.signal, abort: () => controller.abort() };
}

/**
 * Let a closed pipe (`contexture runs | head`) end the command quietly.
 * @param onStdoutClosed told once, so that work whose result nobody reads can stop
 */
export function guardStreams(onStdoutClosed: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error;
      if (stream === process.stdout) onStdoutClosed();
    });
  }
}
