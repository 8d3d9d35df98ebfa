/** The service: everything that its routes and tasks work with. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ProjectEntry } from '../api/projects.ts';
import { errorToData, UserError } from '../base/errors.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import type { Access } from './access.ts';
import { Commands } from './commands.ts';
import { EventHub } from './event-hub.ts';
import { HEARTBEAT } from './event-stream.ts';
import { Library, type KnownProject } from './library.ts';
import { RecentLog } from './recent-log.ts';
import { OpenProjects, type ServedProject } from './open-projects.ts';
import type { AnyTaskKind, QueuedKind } from './task-kind.ts';
import { TaskQueue } from './task-queue.ts';

export interface ServiceOptions {
  storage: ProjectStorage;
  runJob: RunJob;
  kinds: Readonly<Record<QueuedKind, AnyTaskKind>>;
  access: Access;
  /** Where the library lies; see `stateFolder`. */
  stateFolder: string;
  /** The private socket, named in the locks of open projects. */
  socket?: string;
  /** A line for the log. */
  log: (line: string) => void;
  /** Milliseconds between signs of life in an event stream; 15 s when absent. */
  heartbeat?: number;
}

export class Service {
  readonly hub = new EventHub();
  readonly access: Access;
  readonly library: Library;
  readonly projects: OpenProjects;
  readonly tasks: TaskQueue;
  readonly commands: Commands;
  readonly runJob: RunJob;
  readonly log: (line: string) => void;
  readonly recentLog = new RecentLog();
  readonly heartbeat: number;
  readonly #closing = new Map<string, Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: ServiceOptions) {
    this.access = options.access;
    this.log = (line) => {
      this.recentLog.add(line);
      options.log(line);
    };
    this.heartbeat = options.heartbeat ?? HEARTBEAT;
    this.runJob = options.runJob;
    this.library = new Library(options.stateFolder, this.log);
    this.projects = new OpenProjects(options.storage, options.socket);
    this.tasks = new TaskQueue(this, options.kinds, options.runJob);
    this.commands = new Commands(this);
  }

  /** Where new projects go unless another place is chosen. */
  get projectFolder(): string {
    return this.access.roots[0] ?? join(homedir(), 'Contexture');
  }

  /** Open again what was open when the service ended; what cannot be opened is logged and marked as closed. */
  async reopen(): Promise<void> {
    const wanted = this.#allowed().filter(({ open }) => open);
    for (const { file } of wanted.toReversed()) {
      try {
        await this.openProject(this.access.check(file), { create: false });
      } catch (error) {
        const { code, message } = errorToData(error);
        this.log(`${file} was not opened again: ${message}`);
        // Another service has it open, perhaps.
        if (code !== 'locked') await this.#remember(file, this.library.closed(file));
      }
    }
  }

  /** Open a project and take up its tasks. @throws UserError see `OpenProjects.open` */
  async openProject(file: string, options: { create: boolean; name?: string }): Promise<ServedProject> {
    if (this.#closed) throw new UserError('cancelled', 'Contexture is closing: start it again.');
    const already = this.projects.byFile(file);
    await (already && this.#closing.get(already.id));
    if (already && this.projects.byFile(file) === already) return already;
    const served = this.projects.open(file, options);
    // Before anything is waited for: it can be found from now on.
    this.tasks.adopt(served);
    await this.#remember(served.file, this.library.opened({ id: served.id, name: served.name, file: served.file }));
    // A page that asks for the list now finds it there.
    this.hub.publish({ type: 'projects' });
    return served;
  }

  /** Pause what is at work in a project and close it. @throws UserError 'not-found' */
  async closeProject(id: string): Promise<void> {
    const served = this.projects.get(id);
    const closing = this.#closing.get(id) ?? this.#close(served).finally(() => this.#closing.delete(id));
    this.#closing.set(id, closing);
    await closing;
  }

  async #close({ id, file }: ServedProject): Promise<void> {
    await this.commands.stopAll(id);
    await this.tasks.release(id);
    this.projects.close(id);
    await this.#remember(file, this.library.closed(file));
    this.hub.publish({ type: 'projects' });
  }

  /** A project is open or closed whether that can be written down or not. */
  async #remember(file: string, kept: Promise<void>): Promise<void> {
    try {
      await kept;
    } catch (error) {
      this.log(`${file} will not be remembered as it is: ${errorToData(error).message}`);
    }
  }

  /** Projects of the library that this service may open. */
  #allowed(): KnownProject[] {
    return this.library.projects.filter(({ file }) => this.access.allows(file));
  }

  /** Known projects, newest first; of a loopback service those below its roots. */
  listProjects(): ProjectEntry[] {
    return this.#allowed().map(({ id, name, file, openedAt }) => ({
      id,
      name,
      file,
      openedAt,
      open: this.projects.byFile(file) !== undefined,
      missing: !existsSync(file),
    }));
  }

  /** Pause everything and close all projects; they are opened again at the next start. May be called twice. */
  close(): Promise<void> {
    return (this.#closed ??= this.#end());
  }

  async #end(): Promise<void> {
    await this.commands.stopAll();
    await this.tasks.close();
    for (const { id } of this.projects.list()) this.projects.close(id);
  }
}
