/** The recipe that is being made, and what it would give. Drafts outlive the page, until the window is closed. */
import type { ExportDefaults, ExportPreview, Recipe, RecipeAmount } from '../../../core/api/exports.ts';
import type { Task } from '../../../core/api/tasks.ts';
import { call, errorText } from '../../lib/api.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';
import { tasks } from '../../lib/tasks.svelte.ts';

interface Draft {
  recipe: Recipe;
  /** Null: the one that is suggested, another after each export. */
  folder: string | null;
}

/** While somebody types, the preview follows after a breath, milliseconds. */
const PAUSE_MS = 350;
const SAMPLES = 8;
const drafts = new Map<string, Draft>();

export class ExportState {
  readonly project: string;
  readonly defaults: Resource<ExportDefaults>;
  readonly preview: Resource<ExportPreview>;
  /** Undefined until the defaults are there. */
  #draft: Draft | undefined = $state.raw();
  /** What the preview is of: follows the draft after a pause. */
  #settled: Draft | undefined = $state.raw();
  /** Picks the sample pictures. */
  seed = $state(0);
  starting = $state(false);
  error: string | undefined = $state();

  /** Call it while the page is being made. */
  constructor(project: string) {
    this.project = project;
    this.#draft = drafts.get(project);
    this.#settled = this.#draft;
    const params = { project };
    this.defaults = resource((signal) => call('GET /api/projects/{project}/exports/defaults', { params, signal }), {
      project: () => project,
      topics: ['images', 'classes', 'contexts', 'exports'],
    });
    $effect(() => {
      const { data } = this.defaults;
      if (data !== undefined && this.#draft === undefined) {
        this.#draft = { recipe: data.recipe, folder: null };
        this.#settled = this.#draft;
      }
    });
    $effect(() => {
      const draft = this.#draft;
      if (draft === undefined || draft === this.#settled) return;
      const timer = setTimeout(() => (this.#settled = draft), PAUSE_MS);
      return () => clearTimeout(timer);
    });
    this.preview = resource(
      (signal) => {
        const draft = this.#settled;
        const { seed } = this;
        if (draft === undefined || (this.defaults.data?.classes.length ?? 0) === 0) return null;
        const folder = (draft.folder ?? this.defaults.data?.folder) || null;
        const body = { recipe: draft.recipe, folder, samples: SAMPLES, seed };
        return call('POST /api/projects/{project}/exports/preview', { params, body, signal });
      },
      { project: () => project, topics: ['images', 'classes', 'contexts', 'exports'] },
    );
  }

  get recipe(): Recipe | undefined {
    return this.#draft?.recipe;
  }

  get folder(): string {
    return this.#draft?.folder ?? this.defaults.data?.folder ?? '';
  }

  /** The preview is of another recipe than the one that is shown. */
  get stale(): boolean {
    return this.preview.loading || this.#draft !== this.#settled;
  }

  change(fields: Partial<Recipe>): void {
    if (this.#draft !== undefined) this.#take({ ...this.#draft, recipe: { ...this.#draft.recipe, ...fields } });
  }

  setFolder(folder: string): void {
    if (this.#draft !== undefined) this.#take({ ...this.#draft, folder });
  }

  /** Start from another recipe, such as that of an earlier export. */
  use(recipe: Recipe, folder?: string): void {
    this.#take({ recipe, folder: folder ?? null });
  }

  /** An amount of a class's own; null for the one of all. */
  setAmount(name: string, amount: RecipeAmount | null): void {
    if (this.#draft === undefined) return;
    const { perClass = [], ...recipe } = this.#draft.recipe;
    const others = perClass.filter((row) => row.class !== name);
    const rows = amount === null ? others : [...others, { class: name, amount }];
    this.#take({ ...this.#draft, recipe: rows.length > 0 ? { ...recipe, perClass: rows } : recipe });
  }

  async start(dryRun: boolean): Promise<Task | undefined> {
    const draft = this.#draft;
    if (draft === undefined) return undefined;
    this.starting = true;
    this.error = undefined;
    try {
      const task = await call('POST /api/projects/{project}/exports', {
        params: { project: this.project },
        body: { folder: this.folder, recipe: draft.recipe, dryRun },
      });
      tasks.add(task);
      return task;
    } catch (error) {
      this.error = errorText(error);
      return undefined;
    } finally {
      this.starting = false;
    }
  }

  #take(draft: Draft): void {
    this.#draft = draft;
    drafts.set(this.project, draft);
    this.error = undefined;
  }
}
