/** One command at work: where its progress goes, what cancels it, and the project it is about. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileError, UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { JobEvent, RunJob, WorkPort } from '../jobs/protocol.ts';
import { openProject, type Project } from '../storage/project.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import { findProject, projectsIn } from './find-project.ts';
import { oneLine } from './format.ts';
import type { Host } from './host.ts';
import { ProgressView } from './progress-view.ts';
import { HeldByService, serviceHolding } from './service-client.ts';

/** What every command understands. */
export interface CommonOptions {
  project?: string | undefined;
  json?: boolean | undefined;
  quiet?: boolean | undefined;
}

/** What the entry hands to the command line. */
export interface Wiring {
  /** Loaded on first use: help needs no database. */
  loadStorage: () => Promise<ProjectStorage>;
  runJob: RunJob;
  /** Inside the service: a project that is open there, and stays open when the command ends. */
  lendProject?: (file: string) => Project;
}

export class Session implements WorkPort<JobEvent> {
  /** Aborted when the user asks the command to stop. */
  readonly signal: AbortSignal;
  readonly runJob: RunJob;
  /** Where the command was given; absolute. */
  readonly cwd: string;
  readonly #options: CommonOptions;
  readonly #wiring: Wiring;
  readonly #program: string;
  readonly #host: Host;
  readonly #view: ProgressView | undefined;
  #project: Project | undefined;

  /** @param program what holds the project's lock, such as "contexture train" */
  constructor(options: CommonOptions, wiring: Wiring, program: string, host: Host) {
    this.signal = host.signal;
    this.runJob = wiring.runJob;
    this.cwd = host.cwd;
    this.#options = options;
    this.#wiring = wiring;
    this.#program = program;
    this.#host = host;
    if (!options.json && !options.quiet) this.#view = new ProgressView(host.stderr, host.colour);
  }

  /**
   * The project of this command, opened at the first call and closed when the command ends.
   * @param create make it where the file does not exist
   * @throws HeldByService when a service of this user has it open, which then does the whole command
   */
  async project({ create = false } = {}): Promise<Project> {
    return (this.#project ??= await this.#open(findProject(this.#options.project, this.cwd), create));
  }

  /** The project, or null where none is named and the folder has not exactly one. */
  async projectIfAny(): Promise<Project | null> {
    const named = this.#options.project !== undefined || projectsIn(this.cwd).length === 1;
    return named ? this.project() : null;
  }

  async #open(file: string, create: boolean): Promise<Project> {
    const project = this.#wiring.lendProject?.(file) ?? (await this.#openHere(file, create));
    const { locateSources } = await import('../services/sources.ts');
    for (const { id, path } of locateSources(project)) {
      this.note(`Source ${id} is not at ${path}. If it has moved: contexture source relink ${id} NEW-PATH`);
    }
    return project;
  }

  async #openHere(file: string, create: boolean): Promise<Project> {
    if (create) makeFolder(dirname(file));
    try {
      return openProject(await this.#wiring.loadStorage(), file, { create, program: this.#program });
    } catch (error) {
      const isLocked = error instanceof UserError && error.code === 'locked';
      const service = isLocked ? serviceHolding(file) : undefined;
      throw service ? new HeldByService(file, service, error) : error;
    }
  }

  /** Where a path of the command line lies. */
  path(text: string): string {
    return resolve(this.cwd, text);
  }

  /** Characters that fit on a line of stdout. */
  get columns(): number {
    return this.#host.stdout.columns || 80;
  }

  /** Show what a job tells: progress as a bar or lines; with `--json` every event as a line of JSON on stdout. */
  readonly emit = (event: JobEvent): void => {
    if (this.#options.json) {
      if (!this.#options.quiet) this.#host.stdout.write(`${JSON.stringify(event)}\n`);
    } else if (isProgress(event)) {
      this.#view?.update(event);
    }
  };

  /**
   * All that stands on stdin. Ask before the project is opened: it goes along where a service does the command.
   */
  stdin(): Promise<string> {
    return this.#host.stdin.read();
  }

  /** Whether the result is for a program. */
  get json(): boolean {
    return this.#options.json ?? false;
  }

  /** Write a part of a long result to stdout as it comes; nothing with `--json`, where stdout holds JSON lines only. */
  write(text: string): void {
    if (!this.json) this.#host.stdout.write(text);
  }

  /** Say what the caller has to know while the command goes on, on stdout, with `--quiet` too. */
  announce(event: JobEvent & Record<string, unknown>, text: string): void {
    this.#host.stdout.write(`${this.json ? JSON.stringify(event) : text}\n`);
  }

  /** A line for whoever looks for what went wrong, on stderr. */
  log(line: string): void {
    this.#host.stderr.write(`${new Date().toISOString()} ${line}\n`);
  }

  /** How project files are opened here. */
  storage(): Promise<ProjectStorage> {
    return this.#wiring.loadStorage();
  }

  /** Tell a person something in passing, on stderr; nothing with `--json` or `--quiet`. */
  note(text: string): void {
    this.#view?.note(oneLine(text));
  }

  /** Who decides and when, for histories: the project's setting "author", else the user's name on this machine. */
  async by(): Promise<{ author: string; at: string }> {
    const setting = (await this.project()).store.settings.get('author');
    const author = typeof setting === 'string' && setting !== '' ? setting : userInfo().username;
    return { author, at: new Date().toISOString() };
  }

  /** Give everything back. */
  close(): void {
    this.#view?.settle();
    if (!this.#wiring.lendProject) this.#project?.close();
    this.#project = undefined;
  }
}

const isProgress = (event: JobEvent): event is Progress => event.type === 'progress';

/** @throws UserError 'no-permission', 'no-space', 'usage' */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(error, 'make the folder of the project', path);
  }
}
