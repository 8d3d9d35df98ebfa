/** What the app remembers beside projects: which ones it knows, which were open, and its settings. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppSettings } from '../api/app.ts';
import { writeDurably } from '../base/durable-file.ts';
import { fileError, systemCode } from '../base/errors.ts';

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

/** Every change is written at once. @throws UserError 'no-space', 'no-permission', 'exists' where that cannot be done */
export class Library {
  readonly #file: string;
  readonly #log: (line: string) => void;
  #content: Content;

  /**
   * @param folder `stateFolder()`
   * @param log told when what was kept could not be read; the app then starts with nothing known
   */
  constructor(folder: string, log: (line: string) => void) {
    this.#file = join(folder, 'library.json');
    this.#log = log;
    this.#content = read(this.#file, log);
  }

  /** Newest first. */
  get projects(): readonly KnownProject[] {
    return this.#content.projects;
  }

  get settings(): AppSettings {
    return this.#content.settings;
  }

  async changeSettings(change: Partial<AppSettings>): Promise<void> {
    await this.#change((content) => ({ ...content, settings: { ...content.settings, ...change } }));
  }

  /** Remember a project as opened now, in front of all others. */
  async opened(project: Omit<KnownProject, 'open' | 'openedAt'>): Promise<void> {
    const entry = { ...project, open: true, openedAt: new Date().toISOString() };
    await this.#changeProjects((known) => [entry, ...known.filter(({ file }) => file !== project.file)]);
  }

  async closed(file: string): Promise<void> {
    await this.#changeProjects((known) => known.map((one) => (one.file === file ? { ...one, open: false } : one)));
  }

  async forget(file: string): Promise<void> {
    await this.#changeProjects((known) => known.filter((one) => one.file !== file));
  }

  async #changeProjects(change: (projects: KnownProject[]) => KnownProject[]): Promise<void> {
    await this.#change((content) => ({ ...content, projects: change(content.projects) }));
  }

  async #change(change: (content: Content) => Content): Promise<void> {
    const folder = dirname(this.#file);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw fileError(error, 'make the folder of settings', folder);
    }
    // Another service, as under the window and for a browser, may have written since.
    this.#content = change(read(this.#file, this.#log));
    writeDurably(this.#file, [Buffer.from(`${JSON.stringify(this.#content, null, 2)}\n`)]);
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
