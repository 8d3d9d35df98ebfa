/** The edits of the view: made, listed, taken back. */
import type { EditEntry } from '../../core/api/edits.ts';
import { call } from '../lib/api.ts';
import { resource, type Resource } from '../lib/resource.svelte.ts';
import { toasts } from '../lib/toasts.svelte.ts';

export class Edits {
  readonly #project: string;
  /** Newest first. */
  readonly list: Resource<EditEntry[]>;
  /** The one that undo takes back. */
  readonly newest: EditEntry | undefined = $derived.by(() => this.list.data?.find(({ undoneAt }) => undoneAt === null));
  undoing = $state(false);
  #turn: Promise<void> = Promise.resolve();

  /** Call it while a component is being made. @param project its id */
  constructor(project: string) {
    this.#project = project;
    this.list = resource((signal) => call('GET /api/projects/{project}/edits', { params: { project }, signal }), {
      project: () => project,
      topics: ['edits'],
    });
  }

  /** Take the newest edit back, if it still is the one that is shown. Asked again meanwhile, the one before comes next. */
  undo(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const edit = this.newest;
      if (edit === undefined) return;
      this.undoing = true;
      await this.undoOne(edit.id);
      this.undoing = false;
    });
    return this.#turn;
  }

  /** Say what was done, with a way back. */
  made(edit: EditEntry): void {
    this.list.set([edit, ...(this.list.data ?? [])]);
    toasts.ok(edit.text, { label: 'Undo', run: () => void this.undoOne(edit.id) });
  }

  async undoOne(id: number): Promise<void> {
    try {
      const undone = await call('POST /api/projects/{project}/edits/undo', {
        params: { project: this.#project },
        body: { edit: id },
      });
      this.list.set((this.list.data ?? []).map((edit) => (edit.id === id ? undone : edit)));
      toasts.ok(`Taken back: ${undone.text}`);
    } catch (error) {
      toasts.error(error);
      this.list.reload();
    }
  }
}
