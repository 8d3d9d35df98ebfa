/** Jobs of a command line inside the service: each waits for its turn like a task, and the pages learn of what it does. */
import type { Topic } from '../api/events.ts';
import type { JobEvent, JobKind, RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { TrainEvent } from '../training/train-job.ts';
import { JOB_LANES, type Lane } from './lanes.ts';
import type { ServedProject } from './open-projects.ts';
import type { Turn } from './running-task.ts';
import type { Service } from './service.ts';
import { tellRun } from './tell-run.ts';

/** What each job changes of a project; nothing by any other. */
const TOPICS: Readonly<Partial<Record<JobKind, readonly Topic[]>>> = {
  import: ['images', 'classes', 'sources', 'problems'],
  train: ['runs'],
  contexts: ['contexts'],
  reliance: ['runs'],
  export: ['exports'],
  verify: ['exports'],
};

/** Shortest time between two hints that data have changed, milliseconds. */
const HINT_INTERVAL = 1000;

/** A turn that jobs of one command share while they overlap, as the pairs of runs of `sample --all` do. */
interface SharedTurn {
  holders: number;
  begun: Promise<Turn>;
  /** Give it back. */
  end: () => void;
}

export class CommandTurns {
  readonly #service: Service;
  readonly #project: ServedProject;
  readonly #shown: { title: string; command: string };
  readonly #signal: AbortSignal;
  readonly #turns = new Map<Lane, SharedTurn>();
  #hintedAt = performance.now();

  /**
   * @param shown how a list of tasks calls the command
   * @param signal of the command
   */
  constructor(
    service: Service,
    project: ServedProject,
    shown: { title: string; command: string },
    signal: AbortSignal,
  ) {
    this.#service = service;
    this.#project = project;
    this.#shown = shown;
    this.#signal = signal;
  }

  /** Runs a job when its turn has come. */
  get runJob(): RunJob {
    const run = (kind: JobKind, spec: unknown, options?: RunJobOptions<JobEvent>): Promise<unknown> =>
      this.#run(kind, spec, options);
    // As in core/jobs/runner.ts.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return run as RunJob;
  }

  async #run(kind: JobKind, spec: unknown, options: RunJobOptions<JobEvent> = {}): Promise<unknown> {
    const lane = JOB_LANES[kind];
    const shared = this.#turns.get(lane) ?? this.#take(lane);
    shared.holders++;
    try {
      options.onEvent?.({ type: 'progress', ...WAITING });
      const { signal, onEvent, trains } = await shared.begun;
      const run = kind === 'train' ? this.#runOf(spec) : undefined;
      if (run !== undefined) trains(run);
      return await this.#service.runJob(kind, spec, {
        ...options,
        signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal,
        onEvent: (event: JobEvent) => {
          onEvent(event);
          const handled = options.onEvent?.(event);
          this.#tell(kind, run, event);
          return handled;
        },
      });
    } finally {
      if (--shared.holders === 0) {
        this.#turns.delete(lane);
        shared.end();
      }
    }
  }

  #take(lane: Lane): SharedTurn {
    const { promise: held, resolve: end } = Promise.withResolvers<void>();
    const begun = new Promise<Turn>((begin, refuse) => {
      const hold = (turn: Turn): Promise<void> => {
        begin(turn);
        return held;
      };
      this.#service.tasks.inTurn(this.#project, { lane, ...this.#shown }, this.#signal, hold).catch(refuse);
    });
    const shared = { holders: 0, begun, end };
    this.#turns.set(lane, shared);
    return shared;
  }

  /** Tell the pages of what has been stored. */
  #tell(kind: JobKind, run: number | undefined, event: JobEvent): void {
    if (event.type === 'progress') return;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a training job tells
    if (run !== undefined) tellRun(this.#service.hub, this.#project, run, event as TrainEvent);
    const topics = TOPICS[kind];
    if (!topics) return;
    if (performance.now() - this.#hintedAt < HINT_INTERVAL) return;
    this.#hintedAt = performance.now();
    this.#service.hub.publish({ type: 'data', project: this.#project.id, topics: [...topics] });
  }

  /** The run that a training job works on, by the folder that it is told to keep its checkpoint in. */
  #runOf(spec: unknown): number | undefined {
    const { project } = this.#project;
    const isFolderOf = (run: number): boolean =>
      typeof spec === 'object' && spec !== null && 'runFolder' in spec && spec.runFolder === project.runFolder(run);
    return project.store.runs.listed().find(({ id }) => isFolderOf(id))?.id;
  }
}

/** Shown until the job tells how far it is. */
const WAITING = { stage: 'Waiting for its turn', done: 0, total: null, unit: 'tasks', rate: null, secondsLeft: null };
