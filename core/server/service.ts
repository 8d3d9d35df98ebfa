/** The service: everything that its routes and tasks work with. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ProjectEntry } from '../api/projects.ts';
import type { TaskKind } from '../api/tasks.ts';
import { existsSync } from 'node:fs';
import type { RunJob } from '../jobs/protocol.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import type { Access } from './access.ts';
import { EventHub } from './event-hub.ts';
import { Library } from './library.ts';
import { OpenProjects, type ServedProject } from './open-projects.ts';
import type { AnyTaskKind } from './task-kind.ts';
import { TaskQueue } from './task-queue.ts';

export interface ServiceOptions {
  storage: ProjectStorage;
  runJob: RunJob;
  kinds: Readonly<Record<TaskKind, AnyTaskKind>>;
  access: Access;
  /** Where the library lies; see `stateFolder`. */
  stateFolder: string;
  /** The private socket, named in the locks of open projects. */
  socket?: string;
  /** A line for the log. */
  log: (line: string) => void;
}

export class Service {
  readonly hub = new EventHub();
  readonly access: Access;
  readonly library: Library;
  readonly projects: OpenProjects;
  readonly tasks: TaskQueue;
  readonly runJob: RunJob;
  readonly log: (line: string) => void;

  constructor(options: ServiceOptions) {
    this.access = options.access;
    this.log = options.log;
    this.runJob = options.runJob;
    this.library = new Library(options.stateFolder, options.log);
    this.projects = new OpenProjects(options.storage, options.socket);
    this.tasks = new TaskQueue(this, options.kinds, options.runJob);
  }

  /** Where new projects go unless another place is chosen. */
  get projectFolder(): string {
    return this.access.roots[0] ?? join(homedir(), 'Contexture');
  }

  /** Open again what was open when the service ended; what cannot be opened is logged and marked as closed. */
  async reopen(): Promise<void> {
    for (const { file, open } of this.library.projects.toReversed()) {
      if (!open) continue;
      try {
        await this.openProject(this.access.check(file), { create: false });
      } catch (error) {
        this.log(`${file} was not opened again: ${error instanceof Error ? error.message : String(error)}`);
        await this.library.closed(file);
      }
    }
  }

  /** Open a project and take up its tasks. @throws UserError see `OpenProjects.open` */
  async openProject(file: string, options: { create: boolean; name?: string }): Promise<ServedProject> {
    const already = this.projects.byFile(file);
    if (already) return already;
    const served = this.projects.open(file, options);
    await this.library.opened({ id: served.id, name: served.name, file: served.file });
    this.tasks.adopt(served);
    this.hub.publish({ type: 'projects' });
    return served;
  }

  /** Pause what is at work in a project and close it. @throws UserError 'not-found' */
  async closeProject(id: string): Promise<void> {
    const { file } = this.projects.get(id);
    await this.tasks.release(id);
    this.projects.close(id);
    await this.library.closed(file);
    this.hub.publish({ type: 'projects' });
  }

  /** Known projects, newest first. */
  listProjects(): ProjectEntry[] {
    return this.library.projects.map(({ id, name, file, openedAt }) => ({
      id,
      name,
      file,
      openedAt,
      open: this.projects.byFile(file) !== undefined,
      missing: !existsSync(file),
    }));
  }

  /** Pause everything and close all projects; they are opened again at the next start. */
  async close(): Promise<void> {
    await this.tasks.close();
    for (const { id } of this.projects.list()) this.projects.close(id);
  }
}
