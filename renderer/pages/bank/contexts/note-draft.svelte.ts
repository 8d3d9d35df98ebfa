/** The note of one context while it is written: saved after a pause, when the field is left, and when it is gone. */
import { call, errorText } from '../../../lib/api.ts';
import { toasts } from '../../../lib/toasts.svelte.ts';

/** How long nobody has typed before it is saved, milliseconds. */
const PAUSE_MS = 700;

export class NoteDraft {
  readonly #project: string;
  readonly #context: number;
  /** What is known to be stored. */
  #stored: string = $state('');
  #text: string = $state('');
  #sending = $state(false);
  /** Why it is not stored. */
  error: string | undefined = $state();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(project: string, context: number, stored: string) {
    this.#project = project;
    this.#context = context;
    this.#stored = stored;
    this.#text = stored;
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), PAUSE_MS);
  }

  get state(): 'saved' | 'saving' | 'unsaved' {
    if (this.error !== undefined) return 'unsaved';
    return this.#sending || this.#text.trim() !== this.#stored ? 'saving' : 'saved';
  }

  /** The note that the service has: shown, unless something else is being written here. */
  receive(stored: string): void {
    if (this.state !== 'saved') return;
    this.#stored = stored;
    if (this.#text.trim() !== stored) this.#text = stored;
  }

  /** Save what was written. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    const note = this.#text.trim();
    if (this.#sending || (note === this.#stored && this.error === undefined)) return;
    this.#sending = true;
    this.error = undefined;
    try {
      const params = { project: this.#project, context: this.#context };
      const body = { note };
      await call('PUT /api/projects/{project}/contexts/{context}/note', { params, body });
      this.#stored = note;
    } catch (error) {
      this.error = errorText(error);
    } finally {
      this.#sending = false;
    }
    if (this.error === undefined && this.#text.trim() !== note) await this.save();
  }

  /** The field goes: what was written is saved, or it is said that it could not be. */
  async close(): Promise<void> {
    await this.save();
    if (this.error !== undefined) toasts.error(`The note of context ${this.#context} was not saved: ${this.error}`);
  }
}
