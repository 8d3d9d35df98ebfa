/** Pictures that are tried on a run's model, or on a variant of it. */
import type { PictureAnswer, PredictionResult, Trial, TriedPicture } from '../../../../core/api/predict.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call, errorText, url } from '../../../lib/api.ts';
import { endOf, tasks } from '../../../lib/tasks.svelte.ts';

/** One picture on the table. */
export interface Tried {
  id: number;
  name: string;
  /** For `src`. */
  address: string;
  /** Null until it has been sent. */
  picture: TriedPicture | null;
  /** By the model that is chosen; null until there is one. */
  answer: PictureAnswer | null;
  /** Why there is none. */
  problem: string | null;
}

/** Most pictures on the table. */
export const MOST_TRIED = 100;

export class TryState {
  readonly project: string;
  /** The newest first. */
  pictures: readonly Tried[] = $state.raw([]);
  task: Task | undefined = $state.raw();
  error: string | undefined = $state();
  #model: Omit<Trial, 'pictures'> | null = null;
  #next = 1;
  /** Counts changes of model: what an older one answers is not shown any more. */
  #generation = 0;

  /** Call it while the component is being made. */
  constructor(project: string) {
    this.project = project;
    $effect(() => () => {
      for (const { address } of this.pictures) if (address.startsWith('blob:')) URL.revokeObjectURL(address);
    });
  }

  /** Try the pictures on another model. */
  useModel(model: Omit<Trial, 'pictures'> | null): void {
    if (model?.run === this.#model?.run && model?.variant === this.#model?.variant) return;
    this.#model = model;
    this.#generation++;
    this.pictures = this.pictures.map((tried) => ({
      ...tried,
      answer: null,
      problem: tried.picture === null ? tried.problem : null,
    }));
    void this.#ask();
  }

  /** Put files on the table: dropped, pasted or chosen. */
  async addFiles(files: readonly File[]): Promise<void> {
    const room = MOST_TRIED - this.pictures.length;
    if (files.length > room)
      this.error = `${MOST_TRIED} pictures at most are tried at once; the first ${room} were taken.`;
    const fresh = files.slice(0, room).map((file) => this.#tried(file.name, URL.createObjectURL(file)));
    this.pictures = [...fresh, ...this.pictures];
    for (const [i, tried] of fresh.entries()) {
      try {
        const sent = await call('POST /api/projects/{project}/pictures', {
          params: { project: this.project },
          upload: files[i],
        });
        this.#change(tried.id, { picture: { hash: sent.hash } });
      } catch (error) {
        this.#change(tried.id, { problem: errorText(error) });
      }
    }
    await this.#ask();
  }

  /** Put images of the project on the table; what was there longest makes room for them. */
  async addImages(images: readonly number[]): Promise<void> {
    const fresh = images.map((image) => {
      const address = url(
        'GET /api/projects/{project}/images/{image}/picture',
        { project: this.project, image },
        { size: 512 },
      );
      return { ...this.#tried(`Image ${image}`, address), picture: { image } };
    });
    for (const { id } of this.pictures.slice(MOST_TRIED - fresh.length)) this.remove(id);
    this.pictures = [...fresh, ...this.pictures];
    await this.#ask();
  }

  remove(id: number): void {
    const gone = this.pictures.find((tried) => tried.id === id);
    if (gone?.address.startsWith('blob:') === true) URL.revokeObjectURL(gone.address);
    this.pictures = this.pictures.filter((tried) => tried.id !== id);
  }

  clear(): void {
    for (const { id } of this.pictures) this.remove(id);
  }

  /** Ask about everything that has no answer yet; what comes meanwhile is asked about after it. */
  async #ask(): Promise<void> {
    const model = this.#model;
    if (model === null || this.task !== undefined) return;
    const waiting = this.pictures.filter(({ picture, answer, problem }) => picture && !answer && problem === null);
    if (waiting.length === 0) return;
    const generation = this.#generation;
    try {
      this.error = undefined;
      this.task = await call('POST /api/projects/{project}/predictions', {
        params: { project: this.project },
        body: { ...model, pictures: waiting.flatMap(({ picture }) => picture ?? []) },
      });
      const ended = await endOf(this.task);
      if (generation === this.#generation) this.#take(ended, waiting);
      await tasks.dismiss(ended);
    } catch (error) {
      this.error = errorText(error);
      for (const { id } of waiting) this.#change(id, { problem: 'It was not tried.' });
    } finally {
      this.task = undefined;
    }
    await this.#ask();
  }

  #take(ended: Task, waiting: readonly Tried[]): void {
    if (ended.state !== 'done') {
      const why = ended.error?.message ?? 'Trying was stopped.';
      this.error = why;
      for (const { id } of waiting) this.#change(id, { problem: 'It was not tried.' });
      return;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract says what that kind of task results in
    const { answers } = ended.result as unknown as PredictionResult;
    for (const [i, answer] of answers.entries()) this.#change(waiting[i].id, { answer, problem: answer.problem });
  }

  #tried(name: string, address: string): Tried {
    return { id: this.#next++, name, address, picture: null, answer: null, problem: null };
  }

  #change(id: number, fields: Partial<Tried>): void {
    this.pictures = this.pictures.map((tried) => (tried.id === id ? { ...tried, ...fields } : tried));
  }
}
