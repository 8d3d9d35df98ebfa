/** Data of the service that a component shows: fetched when it appears, again when what it depends on changes. */
import type { Topic } from '../../core/api/events.ts';
import { ApiError, errorText, isAbort } from './api.ts';
import { events, type EventBatch } from './events.svelte.ts';

/** Between two answers where changes come without end, milliseconds. */
const PAUSE_MS = 200;

export interface ResourceOptions {
  /** Fetch again when these topics of `project` change. */
  topics?: readonly Topic[];
  /** Id of the project; read anew at each event. */
  project?: () => string | null;
  /** Fetch again when this says so. */
  when?: (batch: EventBatch) => boolean;
}

export class Resource<T> {
  /** What came last; stays while it is fetched again, also after a failure. */
  data: T | undefined = $state.raw();
  /** Why the last try failed. */
  error: ApiError | undefined = $state.raw();
  /** A request is on its way. */
  loading = $state(true);
  /** Counts wishes to fetch again; the effect depends on it. */
  #wish = $state(0);
  /** It changed while it was being fetched. */
  #stale = false;

  /** Fetch again; what is shown stays meanwhile. */
  reload(): void {
    this.#wish++;
  }

  /**
   * Fetch again because the service says that it has changed. What is on its way comes first, then a pause: a stream of
   * changes must neither keep it from ever coming nor ask without end.
   */
  changed(): void {
    if (this.loading) this.#stale = true;
    else this.reload();
  }

  /** Show a value before the service has confirmed it, such as after a change made here. */
  set(data: T): void {
    this.data = data;
  }

  /** @internal see `resource` */
  run(load: (signal: AbortSignal) => Promise<T> | null): () => void {
    void this.#wish;
    const abort = new AbortController();
    const promise = load(abort.signal);
    if (promise === null) this.#settle(undefined, undefined);
    else {
      this.loading = true;
      promise.then(
        (data) => {
          if (!abort.signal.aborted) this.#settle(data, undefined);
        },
        (error: unknown) => {
          if (abort.signal.aborted || isAbort(error)) return;
          const known = error instanceof ApiError ? error : new ApiError('defect', 0, errorText(error));
          this.#settle(this.data, known);
        },
      );
    }
    return () => abort.abort();
  }

  #settle(data: T | undefined, error: ApiError | undefined): void {
    this.data = data;
    this.error = error;
    this.loading = false;
    if (!this.#stale) return;
    this.#stale = false;
    setTimeout(() => this.reload(), PAUSE_MS);
  }
}

/**
 * Fetch and keep fetching while the component is shown. Call it while the component is being made.
 * @param load reads state before its first `await`: when that state changes, it runs again. Returns null for "nothing"
 */
export function resource<T>(
  load: (signal: AbortSignal) => Promise<T> | null,
  { topics = [], project, when }: ResourceOptions = {},
): Resource<T> {
  const result = new Resource<T>();
  $effect(() => result.run(load));
  $effect(() =>
    events.listen((batch) => {
      const id = project?.();
      const changed = id === undefined || id === null ? undefined : batch.data.get(id);
      const named = changed !== undefined && topics.some((topic) => changed.has(topic));
      if (batch.reset || named || when?.(batch) === true) result.changed();
    }),
  );
  return result;
}
