/** What the app remembers beside projects: which ones it knows, which were open, and its settings. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppSettings } from '../api/app.ts';
import { writeDurably } from '../base/durable-file.ts';
import { systemCode } from '../base/errors.ts';

const KnownProject = z.object({
  id: z.string(),
  name: z.string(),
  /** Absolute. */
  file: z.string(),
  open: z.boolean(),
  openedAt: z.string(),
});
export type KnownProject = z.infer<typeof KnownProject>;

const Content = z.object({
  projects: z.array(KnownProject).default([]),
  settings: AppSettings.default(AppSettings.parse({})),
});
type Content = z.infer<typeof Content>;

export class Library {
  readonly #file: string;
  #content: Content;

  /**
   * @param folder `stateFolder()`
   * @param log told when what was kept could not be read; the app then starts with nothing known
   */
  constructor(folder: string, log: (line: string) => void) {
    this.#file = join(folder, 'library.json');
    this.#content = read(this.#file, log);
  }

  /** Newest first. */
  get projects(): readonly KnownProject[] {
    return this.#content.projects;
  }

  get settings(): AppSettings {
    return this.#content.settings;
  }

  async setSettings(settings: AppSettings): Promise<void> {
    await this.#keep({ ...this.#content, settings });
  }

  /** Remember a project as opened now, in front of all others. */
  async opened(project: Omit<KnownProject, 'open' | 'openedAt'>): Promise<void> {
    const others = this.projects.filter(({ file }) => file !== project.file);
    await this.#keepProjects([{ ...project, open: true, openedAt: new Date().toISOString() }, ...others]);
  }

  async closed(file: string): Promise<void> {
    await this.#keepProjects(this.projects.map((known) => (known.file === file ? { ...known, open: false } : known)));
  }

  async forget(file: string): Promise<void> {
    await this.#keepProjects(this.projects.filter((known) => known.file !== file));
  }

  async #keepProjects(projects: KnownProject[]): Promise<void> {
    await this.#keep({ ...this.#content, projects });
  }

  async #keep(content: Content): Promise<void> {
    this.#content = content;
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeDurably(this.#file, [Buffer.from(`${JSON.stringify(content, null, 2)}\n`)]);
  }
}

function read(file: string, log: (line: string) => void): Content {
  if (!existsSync(file)) return Content.parse({});
  try {
    return Content.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    log(`${file} cannot be read (${systemCode(error) ?? 'not what was written'}): starting with an empty library.`);
    return Content.parse({});
  }
}
