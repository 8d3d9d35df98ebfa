/** What the import page shows: what waits to be imported, what is being imported, and what came of it. */
import type { LayoutChoice, RemovedSource, SourceContent, SourceEntry, SourceLook } from '../../../core/api/sources.ts';
import type { Tail } from '../../../core/api/stats.ts';
import type { Task } from '../../../core/api/tasks.ts';
import { Edits } from '../../dataset/edits.svelte.ts';
import { call, errorText, isAbort } from '../../lib/api.ts';
import { plural, shortPath } from '../../lib/format.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';

/** A folder, zip or list that was dropped or chosen, before it is imported. */
export class Candidate {
  readonly path: string;
  readonly #project: string;
  layout: LayoutChoice = $state('auto');
  /** How it would be read; undefined while it is looked at. */
  look: SourceLook | undefined = $state.raw();
  error: string | undefined = $state();
  #abort: AbortController | undefined;

  constructor(project: string, path: string) {
    this.#project = project;
    this.path = path;
    void this.read('auto');
  }

  /** Look at it, read in one way or another. */
  async read(layout: LayoutChoice): Promise<void> {
    this.layout = layout;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      this.look = await call('POST /api/projects/{project}/sources/look', {
        params: { project: this.#project },
        body: { path: this.path, layout },
        signal: abort.signal,
      });
      this.error = undefined;
    } catch (error) {
      if (!isAbort(error)) this.error = errorText(error);
    }
  }

  close(): void {
    this.#abort?.abort();
  }
}

export class ImportState {
  readonly project: string;
  readonly edits: Edits;
  readonly sources: Resource<SourceEntry[]>;
  /** Sources that were taken out of the project. */
  readonly removed: Resource<RemovedSource[]>;
  readonly tail: Resource<Tail>;
  /** In the order in which they came. */
  candidates: readonly Candidate[] = $state.raw([]);
  /** Imports and relinks that are shown: at work, waiting, or not looked away yet; newest first. */
  readonly work: readonly Task[] = $derived.by(() =>
    [...tasks.of(this.project, 'import'), ...tasks.of(this.project, 'relink')].sort((a, b) =>
      a.createdAt < b.createdAt ? 1 : -1,
    ),
  );

  /** Call it while the page is being made. */
  constructor(project: string) {
    this.project = project;
    this.edits = new Edits(project);
    const params = { project };
    this.sources = resource((signal) => call('GET /api/projects/{project}/sources', { params, signal }), {
      project: () => project,
      topics: ['sources', 'images', 'problems'],
    });
    this.removed = resource((signal) => call('GET /api/projects/{project}/sources/removed', { params, signal }), {
      project: () => project,
      topics: ['sources'],
    });
    this.tail = resource((signal) => call('GET /api/projects/{project}/tail', { params, signal }), {
      project: () => project,
      topics: ['images', 'classes'],
    });
  }

  /** Look at what was dropped or chosen. */
  add(paths: readonly string[]): void {
    const waiting = this.candidates.map(({ path }) => path);
    const fresh = [...new Set(paths)].filter((path) => !waiting.includes(path));
    this.candidates = [...this.candidates, ...fresh.map((path) => new Candidate(this.project, path))];
  }

  remove(candidate: Candidate): void {
    candidate.close();
    this.candidates = this.candidates.filter((other) => other !== candidate);
  }

  async start(candidate: Candidate): Promise<void> {
    try {
      const task = await call('POST /api/projects/{project}/imports', {
        params: { project: this.project },
        body: { path: candidate.path, layout: candidate.layout },
      });
      tasks.add(task);
      this.remove(candidate);
    } catch (error) {
      candidate.error = errorText(error);
    }
  }

  async startAll(): Promise<void> {
    for (const candidate of this.candidates) if (candidate.error === undefined) await this.start(candidate);
  }

  async rescan(source: SourceEntry, layout: LayoutChoice = 'auto'): Promise<void> {
    const params = { project: this.project, source: source.id };
    try {
      tasks.add(await call('POST /api/projects/{project}/sources/{source}/rescan', { params, body: { layout } }));
    } catch (error) {
      toasts.error(error);
    }
  }

  async relink(source: SourceEntry, path: string): Promise<void> {
    const params = { project: this.project, source: source.id };
    try {
      tasks.add(await call('POST /api/projects/{project}/sources/{source}/relink', { params, body: { path } }));
    } catch (error) {
      toasts.error(error);
    }
  }

  /** What would go out of use with a source; undefined where that cannot be told, which is said. */
  async contentOf({ id }: SourceEntry): Promise<SourceContent | undefined> {
    try {
      const params = { project: this.project, source: id };
      return await call('GET /api/projects/{project}/sources/{source}/content', { params });
    } catch (error) {
      toasts.error(error);
      return undefined;
    }
  }

  /** Take a source out of the project; a toast offers to take that back. @throws ApiError */
  async takeOut({ id, path }: SourceEntry): Promise<void> {
    const params = { project: this.project, source: id };
    const content = await call('POST /api/projects/{project}/sources/{source}/remove', { params });
    const undo = { label: 'Undo', run: () => void this.bringBack({ id, path }) };
    toasts.ok(`${shortPath(path, 40)} is removed: ${contentText(content)} out of use.`, undo);
  }

  /** Bring a removed source back; where its files have changed since, it is scanned again. */
  async bringBack({ id, path }: Pick<RemovedSource, 'id' | 'path'>): Promise<void> {
    const params = { project: this.project, source: id };
    try {
      const { scan, ...content } = await call('POST /api/projects/{project}/sources/{source}/restore', { params });
      const back = `${shortPath(path, 40)} is back: ${contentText(content)} in use again.`;
      if (scan === null) return toasts.ok(back);
      tasks.add(scan);
      toasts.info(`${back} Its files have changed since, so it is scanned again.`);
    } catch (error) {
      toasts.error(error);
    }
  }

  close(): void {
    for (const candidate of this.candidates) candidate.close();
  }
}

/** What goes out of use with a source, or comes back with it. */
export function contentText({ images, contexts, bank }: SourceContent): string {
  const ofBank = contexts === 0 ? '' : ` (${bank === 0 ? 'none' : bank} in the bank)`;
  return `${plural(images, 'image')} and ${plural(contexts, 'context')}${ofBank}`;
}
