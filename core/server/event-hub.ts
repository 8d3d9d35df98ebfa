/** What happens, told to every page that listens; the recent past is kept for those that come back. */
import { randomUUID } from 'node:crypto';
import type { ServiceEvent } from '../api/events.ts';

export interface NumberedEvent {
  /** Names this start of the service and a number, as in "9f3c-17". */
  id: string;
  event: ServiceEvent;
  /** As a server-sent event; made once for all pages. */
  text: string;
}

/** Events, and characters of them, that are kept for pages whose connection broke. */
const KEPT = 4096;
const KEPT_TEXT = 2 ** 20;

export class EventHub {
  readonly #boot = randomUUID().slice(0, 8);
  readonly #kept: NumberedEvent[] = [];
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #keptText = 0;
  #count = 0;

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: ServiceEvent): void {
    this.#count++;
    const numbered = this.#numbered(event);
    this.#kept.push(numbered);
    this.#keptText += numbered.text.length;
    while (this.#kept.length > KEPT || this.#keptText > KEPT_TEXT) this.#keptText -= this.#kept.shift()!.text.length;
    for (const listener of this.#listeners) listener(numbered);
  }

  /**
   * Listen from now on; what came after `lastId` is told at once, or `reset` where that is not known any more.
   * @param lastId the last event that the listener has seen; undefined for a new one, which knows nothing yet
   * @returns stops listening
   */
  listen(lastId: string | undefined, listener: (event: NumberedEvent) => void): () => void {
    for (const event of this.#since(lastId)) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #since(lastId: string | undefined): NumberedEvent[] {
    if (lastId === undefined) return [];
    const [boot, number] = lastId.split('-');
    const missed = this.#count - Number(number);
    if (boot === this.#boot && missed >= 0 && missed <= this.#kept.length) {
      return missed === 0 ? [] : this.#kept.slice(-missed);
    }
    return [this.#numbered({ type: 'reset' })];
  }

  #numbered(event: ServiceEvent): NumberedEvent {
    const id = `${this.#boot}-${this.#count}`;
    return { id, event, text: `id: ${id}\ndata: ${JSON.stringify(event)}\n\n` };
  }
}
