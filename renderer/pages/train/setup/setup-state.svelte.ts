/** What a person is about to start: a draft that survives a reload, and what the service says it comes to. */
import type {
  MethodName,
  PresetName,
  TrainingPlan,
  TrainingRequest,
  TrainingSetup,
} from '../../../../core/api/training.ts';
import type { Task } from '../../../../core/api/tasks.ts';
import { ApiError, call, errorText, isAbort } from '../../../lib/api.ts';
import { events } from '../../../lib/events.svelte.ts';
import { resource, type Resource } from '../../../lib/resource.svelte.ts';
import { tasks } from '../../../lib/tasks.svelte.ts';
import { toasts } from '../../../lib/toasts.svelte.ts';
import {
  isModified,
  modifiedCount,
  parseSeeds,
  valueAt,
  withoutValue,
  withValue,
  type Setting,
  type Settings,
} from './values.ts';

interface Draft {
  /** Null: the one that is proposed. */
  preset: PresetName | null;
  methods: MethodName[];
  seeds: string;
  name: string;
  settings: Settings;
}

const NEW: Draft = { preset: null, methods: ['csa'], seeds: '1', name: '', settings: {} };

export interface SetupOptions {
  /** Name under which the draft is kept. */
  kept: string;
  /** What a draft begins as, where that is not a single run of CSA. */
  begin: Partial<Draft>;
  /** Runs that are made for each method and seed. */
  runsEach: number;
}

/** How long a person may type before the service is asked, milliseconds. */
const PAUSE = 200;

export class TrainingSetupState {
  readonly project: string;
  readonly #kept: string;
  readonly #runsEach: number;
  readonly setup: Resource<TrainingSetup>;
  draft: Draft = $state.raw(NEW);
  /** The last answer; stays while the next is on its way. */
  plan: TrainingPlan | undefined = $state.raw();
  error: ApiError | undefined = $state.raw();
  starting = $state(false);
  /** The configuration of the last plan without a fault: what fields show that nobody has set. */
  config: Settings = $state.raw({});
  #wish = $state(0);

  readonly preset: PresetName | undefined = $derived.by(
    () => this.draft.preset ?? this.setup.data?.presets.find(({ proposed }) => proposed)?.name,
  );
  readonly seeds = $derived.by(() => parseSeeds(this.draft.seeds));
  readonly modified: number = $derived.by(() => modifiedCount(this.draft.settings));
  readonly request: TrainingRequest | null = $derived.by(() => {
    const { methods, settings, name } = this.draft;
    if (this.preset === undefined || methods.length === 0 || !('seeds' in this.seeds)) return null;
    const request = { preset: this.preset, methods, seeds: this.seeds.seeds, settings: { ...settings } };
    return name.trim() === '' ? request : { ...request, name: name.trim() };
  });
  readonly errors = $derived.by(() => (this.plan?.checks ?? []).filter(({ severity }) => severity === 'error'));
  readonly runs: number = $derived.by(
    () => (this.request?.methods.length ?? 0) * (this.request?.seeds.length ?? 0) * this.#runsEach,
  );
  /** Seconds that all runs will take, one after the other; null where that is not known. */
  readonly seconds: number | null = $derived.by(() => {
    const each = (this.plan?.estimates ?? []).map(({ seconds }) => seconds);
    if (each.length === 0 || each.includes(null)) return null;
    return each.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0) * (this.runs / each.length);
  });
  /** The trial that is at work or was the last. */
  readonly trial: Task | undefined = $derived.by(() => tasks.of(this.project, 'trial').at(-1));
  readonly mayStart: boolean = $derived.by(
    () => this.request !== null && this.plan?.issues.length === 0 && this.errors.length === 0,
  );

  /** Make it while the component is being made. */
  constructor(project: string, { kept = 'train', begin = {}, runsEach = 1 }: Partial<SetupOptions> = {}) {
    this.project = project;
    this.#kept = `contexture.${kept}.${project}`;
    this.#runsEach = runsEach;
    const topics = ['images', 'classes', 'contexts', 'settings', 'edits'] as const;
    this.setup = resource((signal) => call('GET /api/projects/{project}/training', { params: { project }, signal }), {
      project: () => project,
      topics,
    });
    this.draft = read(this.#kept, { ...NEW, ...begin });
    $effect(() => this.#planSoon());
    $effect(() =>
      events.listen((batch) => {
        const changed = batch.data.get(project);
        const done = new Set([...batch.tasks.values()].flatMap((task) => (task?.state === 'done' ? task.kind : [])));
        if (done.has('backbone')) this.setup.reload();
        if (
          batch.reset ||
          done.has('trial') ||
          done.has('backbone') ||
          (changed && [...topics, 'runs' as const].some((topic) => changed.has(topic)))
        ) {
          this.#wish++;
        }
      }),
    );
  }

  change(values: Partial<Draft>): void {
    this.draft = { ...this.draft, ...values };
    write(this.#kept, this.draft);
  }

  /** Take over what another run was started with. */
  async takeFrom(run: number): Promise<void> {
    try {
      const { preset, methods, seeds, settings } = await call('GET /api/projects/{project}/runs/{run}/request', {
        params: { project: this.project, run },
      });
      this.change({ preset, methods, seeds: seeds.join(', '), settings });
    } catch (error) {
      toasts.error(error);
    }
  }

  toggleMethod(method: MethodName, on: boolean): void {
    const others = this.draft.methods.filter((other) => other !== method);
    this.change({ methods: on ? [...others, method] : others });
  }

  /** Name of the weights that runs begin with; null: at random. */
  get weights(): string | null {
    const { weights = this.config.weights } = this.draft.settings;
    const name = valueAt({ weights: weights ?? null }, 'weights.name');
    return typeof name === 'string' ? name : null;
  }

  /** The value that a setting has now. */
  value(path: string): unknown {
    return valueAt(this.draft.settings, path) ?? valueAt(this.config, path);
  }

  set(path: string, value: Setting): void {
    this.change({ settings: withValue(this.draft.settings, path, value, this.config) });
  }

  reset(path: string): void {
    const [top] = path.split('.', 1);
    const usual = this.plan?.defaults[top];
    // What follows from other settings comes with the next plan.
    if (usual !== undefined) this.config = { ...this.config, [top]: usual };
    this.change({ settings: withoutValue(this.draft.settings, path) });
  }

  resetAll(): void {
    this.config = this.plan?.defaults ?? this.config;
    this.change({ settings: {} });
  }

  isModified(path: string): boolean {
    return isModified(this.draft.settings, path, this.plan?.defaults);
  }

  /** What is wrong with a setting, in a sentence. */
  issue(path: string): string | undefined {
    return this.plan?.issues.find(({ setting }) => setting === path || setting === path.split('.', 1)[0])?.message;
  }

  /** Put the runs into the queue. @returns their tasks, or undefined when they were refused */
  async start(): Promise<Task[] | undefined> {
    if (this.request === null) return undefined;
    this.starting = true;
    try {
      const started = await call('POST /api/projects/{project}/runs', {
        params: { project: this.project },
        body: this.request,
      });
      for (const task of started) tasks.add(task);
      return started;
    } catch (error) {
      toasts.error(error);
      return undefined;
    } finally {
      this.starting = false;
    }
  }

  async measure(): Promise<void> {
    if (this.request === null) return;
    try {
      const params = { project: this.project };
      tasks.add(await call('POST /api/projects/{project}/training/trial', { params, body: this.request }));
    } catch (error) {
      toasts.error(error);
    }
  }

  #planSoon(): () => void {
    void this.#wish;
    const { request } = this;
    const abort = new AbortController();
    if (request === null) return () => abort.abort();
    const timer = setTimeout(() => void this.#ask(request, abort.signal), this.plan === undefined ? 0 : PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }

  async #ask(body: TrainingRequest, signal: AbortSignal): Promise<void> {
    try {
      const plan = await call('POST /api/projects/{project}/training/plan', {
        params: { project: this.project },
        body,
        signal,
      });
      this.plan = plan;
      this.error = undefined;
      if (plan.config !== null) this.config = plan.config;
      else if (Object.keys(this.config).length === 0) this.config = plan.defaults;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      this.error = error instanceof ApiError ? error : new ApiError('defect', 0, errorText(error));
    }
  }
}

function read(key: string, begin: Draft): Draft {
  try {
    const stored: Partial<Draft> = JSON.parse(sessionStorage.getItem(key) ?? '{}');
    return { ...begin, ...stored };
  } catch {
    return begin;
  }
}

function write(key: string, draft: Draft): void {
  sessionStorage.setItem(key, JSON.stringify(draft));
}
