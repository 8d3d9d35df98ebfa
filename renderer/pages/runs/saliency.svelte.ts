/** Saliency of a run's pictures: asked for in groups, made by a task where it is not known yet. */
import type { Head } from '../../../core/api/figures.ts';
import type { SaliencyMap } from '../../../core/api/runs.ts';
import type { Task } from '../../../core/api/tasks.ts';
import { call, isAbort } from '../../lib/api.ts';
import { endOf, tasks } from '../../lib/tasks.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';

/** A picture and the label it is asked about. */
export interface Wish {
  image: number;
  label: number;
}

/** Most pictures a request. */
const PACK = 200;
/** Wishes of a scroll are gathered for so long, milliseconds. */
const PAUSE_MS = 250;

const keyOf = ({ image, label }: Wish): string => `${image}/${label}`;

export class SaliencyStore {
  /** A task is finding maps. */
  task: Task | undefined = $state.raw();
  readonly #project: string;
  readonly #run: number;
  readonly #head: Head;
  readonly #maps = new Map<string, SaliencyMap>();
  /** Asked for before, with or without success: not asked for again. */
  readonly #asked = new Set<string>();
  #wanted: readonly Wish[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  /** Counts arrivals: whoever reads a map depends on it. */
  #arrivals = $state(0);
  readonly #abort = new AbortController();

  /** Call it while the component is being made: it stops with it. */
  constructor(project: string, run: number, head: Head) {
    this.#project = project;
    this.#run = run;
    this.#head = head;
    $effect(() => () => {
      clearTimeout(this.#timer);
      this.#abort.abort();
    });
  }

  /** Undefined until it is known. */
  get(wish: Wish): SaliencyMap | undefined {
    void this.#arrivals;
    return this.#maps.get(keyOf(wish));
  }

  /** These are in view: find what is missing of them. */
  want(wishes: readonly Wish[]): void {
    this.#wanted = wishes;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#pump(), PAUSE_MS);
  }

  async #pump(): Promise<void> {
    if (this.#busy || this.#abort.signal.aborted) return;
    const pictures = this.#wanted.filter((wish) => !this.#asked.has(keyOf(wish))).slice(0, PACK);
    if (pictures.length === 0) return;
    this.#busy = true;
    for (const wish of pictures) this.#asked.add(keyOf(wish));
    try {
      const task = await this.#ask(pictures);
      if (task !== null) await this.#wait(task, pictures);
    } catch (error) {
      if (!isAbort(error)) toasts.error(error);
    } finally {
      this.#busy = false;
    }
    void this.#pump();
  }

  async #ask(pictures: Wish[]): Promise<Task | null> {
    const { maps, task } = await call('POST /api/projects/{project}/runs/{run}/saliency', {
      params: { project: this.#project, run: this.#run },
      body: { head: this.#head, pictures },
      signal: this.#abort.signal,
    });
    for (const { image, map } of maps) this.#maps.set(keyOf({ image, label: map.label }), map);
    this.#arrivals++;
    return task;
  }

  async #wait(task: Task, pictures: Wish[]): Promise<void> {
    this.task = task;
    const ended = await endOf(task);
    this.task = undefined;
    if (ended.state === 'failed') throw new Error(ended.error?.message ?? 'The saliency could not be found.');
    await tasks.dismiss(ended);
    if (ended.state === 'done') await this.#ask(pictures.filter((wish) => !this.#maps.has(keyOf(wish))));
  }
}
