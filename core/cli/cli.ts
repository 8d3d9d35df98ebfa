/** Runs one command from start to exit code: session, result, refusals and defects. */
import type { Command } from '@commander-js/extra-typings';
import { errorToData, EXIT_CODES, UserError } from '../base/errors.ts';
import { writeDefectLog } from './defect-log.ts';
import { oneLine } from './format.ts';
import type { Host } from './host.ts';
import { HeldByService, sendCommand } from './service-client.ts';
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
  readonly #host: Host;

  /** @param options the common options, once the command line is parsed */
  constructor(wiring: Wiring, options: () => CommonOptions, host: Host) {
    this.#wiring = wiring;
    this.#options = options;
    this.#host = host;
    host.listen?.({
      interrupted: () => {
        if (!options().json) host.stderr.write('\nStopping. Press Ctrl-C once more to end at once.\n');
      },
      stray: (error) => this.fail(error),
    });
  }

  /**
   * Do a command's work, here or in the service that has its project open, print what came of it and set the exit code.
   * @param command its name as typed: "train", "edit exclude"
   */
  async perform(command: string, work: Work): Promise<void> {
    try {
      await this.#performHere(command, work);
    } catch (error) {
      if (error instanceof HeldByService) await this.#send(command, work, error);
      else this.fail(error);
    }
  }

  async #performHere(command: string, work: Work): Promise<void> {
    const session = new Session(this.#options(), this.#wiring, `contexture ${command}`, this.#host);
    let outcome: Outcome;
    try {
      outcome = await work(session);
    } finally {
      session.close();
    }
    this.#finish(command, outcome);
  }

  /** Let the service do it. */
  async #send(command: string, work: Work, held: HeldByService): Promise<void> {
    try {
      if (await sendCommand(held, this.#host)) return;
      // It has closed the project since.
      await this.#performHere(command, work);
    } catch (error) {
      this.fail(error instanceof HeldByService ? error.cause : error);
    }
  }

  #finish(command: string, { data, text, error }: Outcome): void {
    if (error) this.#host.exitCode = EXIT_CODES[error.code];
    if (this.#options().json) {
      const state = error ? { ok: false, code: error.code, message: error.message } : { ok: true };
      this.#printLine(JSON.stringify({ ...state, command, ...data }));
      return;
    }
    if (text) this.#printLine(text);
    if (error) this.#host.stderr.write(`contexture: ${oneLine(error.message)}\n`);
  }

  /** Say why it failed, on stderr or as the last line of JSON, and set the exit code. */
  fail(error: unknown, json = this.#options().json ?? false): void {
    const { code, message, stack } = errorToData(error);
    const { debug } = this.#host;
    if (error instanceof UserError) {
      this.#host.exitCode = EXIT_CODES[error.code];
      if (json) this.#printLine(JSON.stringify({ ok: false, code, message }));
      else this.#host.stderr.write(`contexture: ${oneLine(message)}\n`);
      if (debug && error.cause instanceof Error) this.#host.stderr.write(`${error.cause.stack}\n`);
      return;
    }
    this.#host.exitCode = 1;
    const log = writeDefectLog(error, this.#host.argv);
    if (json) this.#printLine(JSON.stringify({ ok: false, code, message, log }));
    else this.#host.stderr.write(`contexture: defect of Contexture: ${message}${log ? ` (details: ${log})` : ''}\n`);
    if (debug && stack) this.#host.stderr.write(`${stack}\n`);
  }

  #printLine(text: string): void {
    this.#host.stdout.write(`${text}\n`);
  }
}
