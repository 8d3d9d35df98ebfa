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
  /** The one that redo makes again. */
  readonly next: EditEntry | undefined = $derived.by(() => this.list.data?.filter(({ redoable }) => redoable).at(-1));
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
    return this.#inTurn(async () => {
      if (this.newest !== undefined) await this.undoOne(this.newest.id);
    });
  }

  /** Make the edit that was taken back last again. */
  redo(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.next !== undefined) await this.redoOne(this.next.id);
    });
  }

  /** Say what was done, with a way back. */
  made(edit: EditEntry): void {
    this.list.set([edit, ...(this.list.data ?? []).map((other) => ({ ...other, redoable: false }))]);
    toasts.ok(edit.text, { label: 'Undo', run: () => void this.undoOne(edit.id) });
  }

  async undoOne(id: number): Promise<void> {
    try {
      const undone = await call('POST /api/projects/{project}/edits/undo', {
        params: { project: this.#project },
        body: { edit: id },
      });
      this.#put(undone);
      toasts.ok(`Taken back: ${undone.text}`, { label: 'Redo', run: () => void this.redoOne(id) });
    } catch (error) {
      toasts.error(error);
      this.list.reload();
    }
  }

  async redoOne(id: number): Promise<void> {
    try {
      const redone = await call('POST /api/projects/{project}/edits/redo', {
        params: { project: this.#project },
        body: { edit: id },
      });
      this.#put(redone);
      toasts.ok(`Made again: ${redone.text}`, { label: 'Undo', run: () => void this.undoOne(id) });
    } catch (error) {
      toasts.error(error);
      this.list.reload();
    }
  }

  #put(changed: EditEntry): void {
    this.list.set((this.list.data ?? []).map((edit) => (edit.id === changed.id ? changed : edit)));
  }

  /** After what was asked for before. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      this.undoing = true;
      await work();
      this.undoing = false;
    });
    return this.#turn;
  }
}
