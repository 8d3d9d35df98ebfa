/** The projects that this service has open, and so is the only writer of. */
import { existsSync, realpathSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { Thumbnails } from '../data/thumbnails.ts';
import { PictureFiles } from '../services/picture-files.ts';
import { locateSources } from '../services/sources.ts';
import { openProject, type Project } from '../storage/project.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import type { Source } from '../storage/records.ts';

export interface ServedProject {
  /** Id given at its creation. */
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly createdAt: string;
  readonly project: Project;
  readonly thumbnails: Thumbnails;
  /** Reads the files of its images. */
  readonly files: PictureFiles;
  /** Sources that were not where they should be when it was opened. */
  readonly lostSources: readonly Source[];
}

export class OpenProjects {
  readonly #storage: ProjectStorage;
  readonly #socket: string | undefined;
  readonly #open = new Map<string, ServedProject>();

  /** @param socket where a second program that wants one of these projects can ask for it */
  constructor(storage: ProjectStorage, socket?: string) {
    this.#storage = storage;
    this.#socket = socket;
  }

  /**
   * Open a project file; one that is open already is given again.
   * @throws UserError see `ProjectStorage.open`; 'exists' for a copy of an open project, which has the same id
   */
  open(file: string, options: { create: boolean; name?: string }): ServedProject {
    const known = this.byFile(file);
    if (known) return known;
    const project = openProject(this.#storage, file, {
      ...options,
      program: 'Contexture',
      ...(this.#socket === undefined ? {} : { socket: this.#socket }),
    });
    const { id, name, createdAt } = project.store.info;
    const twin = this.#open.get(id);
    if (twin) {
      project.close();
      throw new UserError('exists', `${file} is a copy of ${twin.file}, which is open: close that one first.`);
    }
    const served: ServedProject = {
      id,
      name,
      file: project.file,
      createdAt,
      project,
      thumbnails: new Thumbnails(project.cacheFolder),
      files: new PictureFiles(project.store),
      lostSources: locateSources(project),
    };
    this.#open.set(id, served);
    return served;
  }

  list(): ServedProject[] {
    return [...this.#open.values()];
  }

  /** @throws UserError 'not-found' */
  get(id: string): ServedProject {
    const found = this.#open.get(id);
    if (!found) throw new UserError('not-found', 'This project is not open. Open it from the library.');
    return found;
  }

  byFile(file: string): ServedProject | undefined {
    if (!existsSync(file)) return undefined;
    const real = realpathSync(file);
    return this.list().find((served) => served.file === real);
  }

  /** @throws UserError 'not-found' */
  close(id: string): void {
    const { files, project } = this.get(id);
    files.close();
    project.close();
    this.#open.delete(id);
  }
}
