/** Short messages in a corner. What a person must act on stays until it is closed. */
import { errorText, isAbort } from './api.ts';

export interface Toast {
  id: number;
  tone: 'ok' | 'info' | 'error';
  text: string;
  action?: { label: string; run: () => void };
}

/** How long a message that asks for nothing is shown, milliseconds. */
const SHOWN_MS = 6000;
/** More at once hide what is below. */
const MOST = 4;

class Toasts {
  list: readonly Toast[] = $state.raw([]);
  #next = 1;

  ok(text: string, action?: Toast['action']): void {
    this.#add({ tone: 'ok', text, action });
  }

  info(text: string, action?: Toast['action']): void {
    this.#add({ tone: 'info', text, action });
  }

  /** Show what went wrong; an abort is no news. Stays until it is closed. */
  error(error: unknown, action?: Toast['action']): void {
    if (!isAbort(error)) this.#add({ tone: 'error', text: errorText(error), action });
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    // The same sentence again is the same message.
    const others = this.list.filter(({ text }) => text !== toast.text);
    this.list = [...others, { ...toast, id }].slice(-MOST);
    if (toast.tone !== 'error') setTimeout(() => this.close(id), SHOWN_MS);
  }
}

export const toasts = new Toasts();
