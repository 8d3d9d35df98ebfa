/** One command at work: where its progress goes, what cancels it, and the project it is about. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { fileError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { JobEvent, JobPort, RunJob } from '../jobs/protocol.ts';
import { openProject, type Project } from '../storage/project.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import { findProject, projectsIn } from './find-project.ts';
import { oneLine } from './format.ts';
import { ProgressView, type ProgressStream } from './progress-view.ts';

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
}

export class Session implements JobPort<JobEvent> {
  /** Aborted when the user asks the command to stop. */
  readonly signal: AbortSignal;
  readonly runJob: RunJob;
  readonly #options: CommonOptions;
  readonly #wiring: Wiring;
  readonly #program: string;
  readonly #print: (text: string) => void;
  readonly #view: ProgressView | undefined;
  #project: Project | undefined;

  /**
   * @param program what holds the project's lock, such as "contexture train"
   * @param print writes to stdout as long as somebody reads it
   */
  constructor(
    options: CommonOptions,
    wiring: Wiring,
    program: string,
    { signal, print }: { signal: AbortSignal; print: (text: string) => void },
  ) {
    this.signal = signal;
    this.runJob = wiring.runJob;
    this.#options = options;
    this.#wiring = wiring;
    this.#program = program;
    this.#print = print;
    if (!options.json && !options.quiet) this.#view = new ProgressView(...stderrStream());
  }

  /**
   * The project of this command, opened at the first call and closed when the command ends.
   * @param create make it where the file does not exist
   */
  async project({ create = false } = {}): Promise<Project> {
    return (this.#project ??= await this.#open(findProject(this.#options.project), create));
  }

  /** The project, or null where none is named and the folder has not exactly one. */
  async projectIfAny(): Promise<Project | null> {
    const named = this.#options.project !== undefined || projectsIn(process.cwd()).length === 1;
    return named ? this.project() : null;
  }

  async #open(file: string, create: boolean): Promise<Project> {
    if (create) makeFolder(dirname(file));
    const project = openProject(await this.#wiring.loadStorage(), file, { create, program: this.#program });
    const { locateSources } = await import('../services/sources.ts');
    for (const { id, path } of locateSources(project)) {
      this.note(`Source ${id} is not at ${path}. If it has moved: contexture source relink ${id} NEW-PATH`);
    }
    return project;
  }

  /** Show what a job tells: progress as a bar or lines; with `--json` every event as a line of JSON on stdout. */
  readonly emit = (event: JobEvent): void => {
    if (this.#options.json) {
      if (!this.#options.quiet) this.#print(`${JSON.stringify(event)}\n`);
    } else if (isProgress(event)) {
      this.#view?.update(event);
    }
  };

  /** Whether the result is for a program. */
  get json(): boolean {
    return this.#options.json ?? false;
  }

  /** Write a part of a long result to stdout as it comes; nothing with `--json`, where stdout holds JSON lines only. */
  write(text: string): void {
    if (!this.json) this.#print(text);
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
    this.#project?.close();
    this.#project = undefined;
  }
}

const isProgress = (event: JobEvent): event is Progress => event.type === 'progress';

/** stderr as the progress view wants it, and whether to paint. */
function stderrStream(): [ProgressStream, boolean] {
  const { stderr } = process;
  if (process.env.TERM === 'dumb') return [{ write: (text) => stderr.write(text) }, false];
  return [stderr, stderr.isTTY && stderr.hasColors()];
}

/** @throws UserError 'no-permission', 'no-space', 'usage' */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(error, 'make the folder of the project', path);
  }
}
