/**
 * The stream of events of the service. Events are gathered and handed out once a frame, of each task only the last, so
 * that a thousand a second cost a page no more than sixty.
 */
import type { ServiceEvent, Topic } from '../../core/api/events.ts';
import type { Task } from '../../core/api/tasks.ts';
import { connection } from './connection.svelte.ts';

type OfType<Type extends ServiceEvent['type']> = Extract<ServiceEvent, { type: Type }>;

/** What came in since the last frame. */
export interface EventBatch {
  /** Everything shown may be old: the stream was cut. */
  readonly reset: boolean;
  /** By id; null for a task that is gone from the list. In order of their last event. */
  readonly tasks: ReadonlyMap<string, Task | null>;
  /** Topics by project id. */
  readonly data: ReadonlyMap<string, ReadonlySet<Topic>>;
  readonly projects: boolean;
  readonly settings: boolean;
  readonly steps: readonly OfType<'run-step'>[];
  readonly epochs: readonly OfType<'run-epoch'>[];
  readonly previews: readonly OfType<'run-preview'>[];
  readonly drafts: readonly OfType<'draft'>[];
  /** Contexts decided on one by one; their topic is in `data`, too. */
  readonly decisions: readonly OfType<'decided'>[];
  /** Projects whose contexts have changed by more than `decisions`. */
  readonly contextsChanged: ReadonlySet<string>;
}

class Batch implements EventBatch {
  reset = false;
  projects = false;
  settings = false;
  readonly tasks = new Map<string, Task | null>();
  readonly data = new Map<string, Set<Topic>>();
  readonly steps: OfType<'run-step'>[] = [];
  readonly epochs: OfType<'run-epoch'>[] = [];
  readonly previews: OfType<'run-preview'>[] = [];
  readonly drafts: OfType<'draft'>[] = [];
  readonly decisions: OfType<'decided'>[] = [];
  readonly contextsChanged = new Set<string>();

  add(event: ServiceEvent): void {
    switch (event.type) {
      case 'task':
        this.tasks.set(event.task.id, event.task);
        break;
      case 'task-gone':
        this.tasks.set(event.id, null);
        break;
      case 'data':
        this.#change(event.project, event.topics);
        if (event.topics.includes('contexts')) this.contextsChanged.add(event.project);
        break;
      case 'decided':
        this.#change(event.project, ['contexts']);
        this.decisions.push(event);
        break;
      case 'projects':
      case 'settings':
      case 'reset':
        this[event.type] = true;
        break;
      case 'run-step':
        this.steps.push(event);
        break;
      case 'run-epoch':
        this.epochs.push(event);
        break;
      case 'run-preview':
        this.previews.push(event);
        break;
      case 'draft':
        this.drafts.push(event);
        break;
    }
  }

  #change(project: string, changed: readonly Topic[]): void {
    const topics = this.data.get(project) ?? new Set();
    for (const topic of changed) topics.add(topic);
    this.data.set(project, topics);
  }
}

/** A hidden page gets no frames; its batch is handed out this often, milliseconds. */
const HIDDEN_MS = 1000;

/** How long the page waits for its first stream, milliseconds. */
const PATIENCE_MS = 500;

class EventStream {
  readonly #listeners = new Set<(batch: EventBatch) => void>();
  #source: EventSource | undefined;
  #batch: Batch | undefined;

  /** Be told once a frame of what came in. @returns stops it */
  listen(listener: (batch: EventBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Open the stream for the first time. Wait for it before anything is fetched: what changes between the two would never
   * be heard of. A stream that takes long is not waited for; all is fetched again when it is there.
   */
  start(): Promise<void> {
    return new Promise((resolve) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve();
      }, PATIENCE_MS);
      this.#open(() => {
        clearTimeout(timer);
        if (late) this.#add({ type: 'reset' });
        resolve();
      });
    });
  }

  /** Open it again after it was cut; then all that is shown is fetched again. */
  reopen(): void {
    this.#open(() => this.#add({ type: 'reset' }));
  }

  #open(onOpen: () => void): void {
    this.#source?.close();
    const source = new EventSource('/api/events');
    this.#source = source;
    // Not when the browser comes back by itself: it names the last event it saw, and gets those after it.
    source.addEventListener('open', onOpen, { once: true });
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const event: ServiceEvent = JSON.parse(data);
      this.#add(event);
    });
    source.addEventListener('error', () => {
      // The browser comes back by itself unless the answer was an error.
      if (source.readyState === EventSource.CLOSED) connection.lost();
      else void this.#probe();
    });
  }

  async #probe(): Promise<void> {
    try {
      await fetch('/api/about', { cache: 'no-store' });
    } catch {
      connection.lost();
    }
  }

  #add(event: ServiceEvent): void {
    if (this.#batch === undefined) {
      this.#batch = new Batch();
      if (document.hidden) setTimeout(this.#flush, HIDDEN_MS);
      else requestAnimationFrame(this.#flush);
    }
    this.#batch.add(event);
  }

  readonly #flush = (): void => {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch !== undefined) for (const listener of this.#listeners) listener(batch);
  };
}

export const events = new EventStream();

connection.onBack(() => events.reopen());
