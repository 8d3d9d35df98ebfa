/** The model of a run as files: the choice, what there is by it, making the ONNX file, saving. */
import type { ModelChoice, RunModel } from '../../../../core/api/models.ts';
import type { Head } from '../../../../core/api/figures.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { call, errorText } from '../../../lib/api.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { endOf, tasks } from '../../../lib/tasks.svelte.ts';
import { toasts } from '../../../lib/toasts.svelte.ts';
import { saveFile } from '../files.ts';

/** Files that a model is saved as; named as the model card calls them. */
export const FILES = { onnx: 'model.onnx', safetensors: 'model.safetensors', card: 'README.md' } as const;
export type FileKind = keyof typeof FILES;

export class ModelState {
  /** Name of a variant; empty for the model as it was trained. */
  variant = $state('');
  /** The head that is asked for; null for the one that the model answers by. */
  head: Head | null = $state(null);
  bothHeads = $state(false);
  fold = $state(false);
  /** Pictures at a time; null for any number. */
  batch: number | null = $state(null);

  readonly model: Resource<RunModel>;
  task: Task | undefined = $state.raw();
  error: string | undefined = $state();
  /** The file that is being fetched. */
  saving: FileKind | undefined = $state();
  readonly #params: { project: string; run: number };

  readonly choice: ModelChoice = $derived.by(() => ({
    ...(this.variant === '' ? {} : { variant: this.variant }),
    ...(this.head === null ? {} : { head: this.head }),
    bothHeads: this.bothHeads,
    fold: this.fold,
    ...(this.batch === null ? {} : { batch: this.batch }),
  }));

  /** Call it while the component is being made. */
  constructor(project: string, run: number) {
    const params = (this.#params = { project, run });
    this.model = resource(
      (signal) => call('GET /api/projects/{project}/runs/{run}/model', { params, query: this.choice, signal }),
      { topics: ['runs'], project: () => project },
    );
  }

  /** Another variant answers by its own head. */
  useVariant(name: string): void {
    this.variant = name;
    this.head = null;
  }

  /** Have the ONNX file made and checked. */
  async make(): Promise<void> {
    this.error = undefined;
    try {
      this.task = await call('POST /api/projects/{project}/runs/{run}/model/onnx', {
        params: this.#params,
        body: this.choice,
      });
      const ended = await endOf(this.task);
      if (ended.state === 'failed') this.error = ended.error?.message ?? 'The ONNX file could not be made.';
      await tasks.dismiss(ended);
      this.model.reload();
    } catch (error) {
      this.error = errorText(error);
    } finally {
      this.task = undefined;
    }
  }

  /** Hand a file to the person. */
  async save(kind: FileKind): Promise<void> {
    this.saving = kind;
    const request = { params: this.#params, query: this.choice };
    try {
      const response = await (kind === 'onnx'
        ? call('GET /api/projects/{project}/runs/{run}/model/onnx', request)
        : kind === 'safetensors'
          ? call('GET /api/projects/{project}/runs/{run}/model/safetensors', request)
          : call('GET /api/projects/{project}/runs/{run}/model/card', request));
      saveFile(FILES[kind], await response.blob());
    } catch (error) {
      toasts.error(error);
    } finally {
      this.saving = undefined;
    }
  }
}
