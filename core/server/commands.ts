/**
 * Command lines that are done here because their project is open here: the very code of the command line, with the caller
 * as its host.
 */
import { TOPICS } from '../api/events.ts';
import type { CommandLine, CommandRequest } from '../api/command.ts';
import { commandLine } from '../base/command-line.ts';
import { errorToData, UserError } from '../base/errors.ts';
import type { Host } from '../cli/host.ts';
import type { Wiring } from '../cli/session.ts';
import { CommandTurns } from './command-turns.ts';
import type { ServedProject } from './open-projects.ts';
import { OutputQueue } from './output-queue.ts';
import type { Service } from './service.ts';

/** A command line at work. */
interface RunningCommand {
  project: ServedProject;
  stop: AbortController;
  ended: Promise<void>;
}

/** Longest title of a command in the list of tasks, characters. */
const TITLE_LENGTH = 80;

export class Commands {
  readonly #service: Service;
  readonly #running = new Map<number, RunningCommand>();
  #count = 0;

  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * Begin a command line.
   * @param caller aborted when the caller has gone, which stops the command
   * @returns its output, as `CommandLine`s, which ends when the command does
   * @throws UserError 'not-found' when the project is not open
   */
  run(request: CommandRequest, caller: AbortSignal): Response {
    const project = this.#service.projects.byFile(request.project);
    if (!project) throw new UserError('not-found', `${request.project} is not open here.`);
    const id = ++this.#count;
    const stop = new AbortController();
    const output = new OutputQueue();
    const encoder = new TextEncoder();
    const send = (line: CommandLine): void => {
      try {
        output.push(encoder.encode(`${JSON.stringify(line)}\n`));
      } catch (error) {
        // The caller sees an answer without its end.
        this.#service.log(`command ${id} was stopped: ${errorToData(error).message}`);
        output.discard();
        stop.abort();
      }
    };
    send({ type: 'command', id });
    const ended = this.#perform(request, project, stop.signal, send).finally(() => {
      this.#running.delete(id);
      output.end();
    });
    this.#running.set(id, { project, stop, ended });
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const bytes = await output.take();
          if (bytes) controller.enqueue(bytes);
          else controller.close();
        },
        cancel: () => {
          output.discard();
          stop.abort();
        },
      },
      // What the reader does not ask for stays in the queue.
      { highWaterMark: 0 },
    );
    caller.addEventListener('abort', () => stop.abort(), { once: true });
    if (caller.aborted) stop.abort();
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' } });
  }

  /** Ask a command to stop. @throws UserError 'not-found' when it has ended */
  cancel(id: number): void {
    const command = this.#running.get(id);
    if (!command) throw new UserError('not-found', 'This command has ended.');
    command.stop.abort();
  }

  /** Stop the commands of a project, or all; returns when they have ended. */
  async stopAll(projectId?: string): Promise<void> {
    const commands = [...this.#running.values()].filter(
      ({ project }) => projectId === undefined || project.id === projectId,
    );
    for (const { stop } of commands) stop.abort();
    await Promise.all(commands.map(({ ended }) => ended));
  }

  async #perform(
    request: CommandRequest,
    project: ServedProject,
    signal: AbortSignal,
    send: (line: CommandLine) => void,
  ): Promise<void> {
    const { argv, cwd, stdin = '', stdout, stderr, debug } = request;
    const host: Host = {
      argv,
      cwd,
      stdin: { read: async () => stdin, text: stdin },
      stdout: { columns: stdout.columns ?? undefined, write: (text) => send({ type: 'stdout', text }) },
      stderr: {
        columns: stderr.columns ?? undefined,
        isTTY: stderr.isTTY,
        write: (text) => send({ type: 'stderr', text }),
      },
      colour: stderr.colour,
      debug,
      signal,
      exitCode: 0,
    };
    // Whoever reads it has the project open.
    const at = argv.indexOf('--project');
    const title = (at < 0 ? argv : argv.toSpliced(at, 2)).join(' ');
    const shown = {
      title: title.length > TITLE_LENGTH ? `${title.slice(0, TITLE_LENGTH - 1)}…` : title,
      command: commandLine(['contexture', ...argv]),
    };
    const wiring: Wiring = {
      loadStorage: () => Promise.reject(new Error('the service opens its projects itself')),
      runJob: new CommandTurns(this.#service, project, shown, signal).runJob,
      lendProject: (file) => {
        if (this.#service.projects.byFile(file) === project) return project.project;
        throw new UserError('usage', `${file} is not the project that this command is about.`);
      },
    };
    // Loaded with the first command: most services never see one.
    const { runCommandLine } = await import('../cli/program.ts');
    await runCommandLine(wiring, host);
    // Most commands change something, and what a page shows is fetched again in no time.
    this.#service.hub.publish({ type: 'data', project: project.id, topics: [...TOPICS] });
    send({ type: 'exit', code: host.exitCode });
  }
}
