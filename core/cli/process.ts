/** The process as the host of a command line: its streams, the signals that end it, pipes that close. */
import { addAbortSignal } from 'node:stream';
import { EXIT_CODES, systemCode, UserError } from '../base/errors.ts';
import type { Host, Input, Output, ProcessListener, ProgressOutput } from './host.ts';

/**
 * This process as the host. Ctrl-C, hang-up and termination ask the work to stop the first time and end the process the
 * second time. A closed pipe (`contexture runs | head`) asks the work to stop, too, and ends the command quietly.
 * @param argv the arguments after the program's name
 */
export function processHost(argv: readonly string[]): Host {
  const stop = new AbortController();
  const listeners: ProcessListener[] = [];
  let asked = false;
  const interrupt = (): void => {
    // A job that is still at work sees its stdin close and keeps what it has.
    if (asked) process.exit(EXIT_CODES.cancelled);
    asked = true;
    for (const { interrupted } of listeners) interrupted();
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  process.on('uncaughtException', (error) => {
    for (const { stray } of listeners) stray(error);
    process.exit();
  });
  // Nobody reads the result any more.
  const stdout = guarded(process.stdout, () => stop.abort());
  const stderr = guarded(process.stderr, () => {});
  const dumb = process.env.TERM === 'dumb';
  return {
    argv,
    cwd: process.cwd(),
    stdin: input(stop.signal),
    stdout,
    stderr: dumb ? { write: (text) => stderr.write(text) } : stderr,
    colour: !dumb && isTerminal(process.stderr) && process.stderr.hasColors(),
    debug: Boolean(process.env.CONTEXTURE_DEBUG),
    signal: stop.signal,
    get exitCode() {
      return Number(process.exitCode ?? 0);
    },
    set exitCode(code) {
      process.exitCode = code;
    },
    listen: (listener) => listeners.push(listener),
  };
}

/** The process's stdin. Somebody who asks to stop meanwhile waits for no end of it. */
function input(signal: AbortSignal): Input {
  let read: Promise<string> | undefined;
  let text: string | null = null;
  const toEnd = async (): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  };
  return {
    read: async () => {
      try {
        return (text = await (read ??= toEnd()));
      } catch (error) {
        if (!signal.aborted) throw error;
        throw new UserError('cancelled', 'Reading stdin was cancelled.', { cause: error });
      }
    },
    get text() {
      return text;
    },
  };
}

/** A stream that is none has no `isTTY` at all, whatever its type says. */
const isTerminal = ({ isTTY }: { isTTY?: boolean }): boolean => isTTY ?? false;

/** The stream until its reader has gone. @param onClosed told once */
function guarded(stream: NodeJS.WriteStream, onClosed: () => void): Output & ProgressOutput {
  let open = true;
  stream.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
    if (!open) return;
    open = false;
    onClosed();
  });
  return {
    write: (text) => open && stream.write(text),
    // Terminals change their size.
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    get isTTY() {
      return isTerminal(stream);
    },
  };
}
