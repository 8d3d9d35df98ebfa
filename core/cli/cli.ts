/** Runs one command from start to exit code: session, result, refusals and defects. */
import type { Command } from '@commander-js/extra-typings';
import { errorToData, EXIT_CODES, UserError } from '../base/errors.ts';
import { writeDefectLog } from './defect-log.ts';
import { oneLine } from './format.ts';
import { guardStreams, listenForInterrupt, type Interrupt } from './process.ts';
import { Session, type CommonOptions, type Wiring } from './session.ts';

/** What a command found or did. */
export interface Outcome {
  /** Fields of the last line of JSON, beside `ok` and `command`. */
  data: object;
  /** The same for people. */
  text: string;
  /**
   * Why it is not all that was asked for although there is something to show: work that was stopped and kept ('cancelled';
   * the sentence says how to go on), a check that found problems ('verify').
   */
  error?: UserError | undefined;
}

export type Work = (session: Session) => Promise<Outcome> | Outcome;

/** Adds a command to the program, or to a group of commands. */
export type AddCommand = (parent: Pick<Command, 'command'>, cli: Cli) => void;

export class Cli {
  readonly #wiring: Wiring;
  readonly #options: () => CommonOptions;
  readonly #interrupt: Interrupt;
  #stdoutOpen = true;

  /** @param options the common options, once the command line is parsed */
  constructor(wiring: Wiring, options: () => CommonOptions) {
    this.#wiring = wiring;
    this.#options = options;
    this.#interrupt = listenForInterrupt(() => {
      if (!options().json) process.stderr.write('\nStopping. Press Ctrl-C once more to end at once.\n');
    });
    guardStreams(() => {
      this.#stdoutOpen = false;
      this.#interrupt.abort();
    });
    process.on('uncaughtException', (error) => {
      this.fail(error);
      process.exit();
    });
  }

  /**
   * Do a command's work, print what came of it and set the exit code.
   * @param command its name as typed: "train", "edit exclude"
   */
  async perform(command: string, work: Work): Promise<void> {
    const session = new Session(this.#options(), this.#wiring, `contexture ${command}`, {
      signal: this.#interrupt.signal,
      print: (text) => this.#print(text),
    });
    try {
      let outcome: Outcome;
      try {
        outcome = await work(session);
      } finally {
        session.close();
      }
      this.#finish(command, outcome);
    } catch (error) {
      this.fail(error);
    }
  }

  #finish(command: string, { data, text, error }: Outcome): void {
    if (error) process.exitCode = EXIT_CODES[error.code];
    if (this.#options().json) {
      const state = error ? { ok: false, code: error.code, message: error.message } : { ok: true };
      this.#printLine(JSON.stringify({ ...state, command, ...data }));
      return;
    }
    if (text) this.#printLine(text);
    if (error) process.stderr.write(`contexture: ${oneLine(error.message)}\n`);
  }

  /** Say why it failed, on stderr or as the last line of JSON, and set the exit code. */
  fail(error: unknown, json = this.#options().json ?? false): void {
    const { code, message, stack } = errorToData(error);
    const debug = Boolean(process.env.CONTEXTURE_DEBUG);
    if (error instanceof UserError) {
      process.exitCode = EXIT_CODES[error.code];
      if (json) this.#printLine(JSON.stringify({ ok: false, code, message }));
      else process.stderr.write(`contexture: ${oneLine(message)}\n`);
      if (debug && error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`);
      return;
    }
    process.exitCode = 1;
    const log = writeDefectLog(error);
    if (json) this.#printLine(JSON.stringify({ ok: false, code, message, log }));
    else process.stderr.write(`contexture: defect of Contexture: ${message}${log ? ` (details: ${log})` : ''}\n`);
    if (debug && stack) process.stderr.write(`${stack}\n`);
  }

  #printLine(text: string): void {
    this.#print(`${text}\n`);
  }

  #print(text: string): void {
    if (this.#stdoutOpen) process.stdout.write(text);
  }
}
