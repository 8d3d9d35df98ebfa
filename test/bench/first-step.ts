/**
 * From the start of a job's process to its first finished step: a CSA run on CIFAR10-LT whose pictures are in the
 * cache, stopped after a few steps. The parts are measured by a program that takes the same steps with a clock.
 */
import { runJob } from '../../core/jobs/runner.ts';
import type { RunJob } from '../../core/jobs/protocol.ts';
import { startRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import { METHODS_BY_NAME } from '../../core/training/methods/index.ts';
import { unpack } from './packs.ts';
import { runOurs, THREADS, versions } from './programs.ts';
import { prepare, withProject } from './project.ts';

/** Steps after which a run is stopped. */
const STEPS = 4;

/** Milliseconds from the start of a job. */
interface Start {
  /** Pictures are open and the engine is loaded. */
  ready: number;
  /** Ends of the first steps, each with its checkpoint: as it is, traced, and twice by the trace. */
  steps: number[];
}

export async function firstStep({ runs = 5, blocks = 5, batch = 128 }): Promise<object> {
  return withProject(unpack('cifar10-lt100'), async (project) => {
    await prepare(project);
    const starts: Start[] = [];
    let spec: unknown;
    for (let run = 1; run <= runs; run++) {
      const { start, spec: used } = await startOnce(project, blocks, batch);
      spec = used;
      starts.push(start);
      const steps = start.steps.map((time) => time.toFixed(0)).join(', ');
      console.error(`first-step, run ${run}: ready after ${start.ready.toFixed(0)} ms, steps after ${steps}`);
    }
    const parts = runOurs<object>('first-step-parts.ts', { spec }, METHODS_BY_NAME.csa.heads.length);
    const firsts = starts.map(({ steps }) => steps[0]).toSorted((a, b) => a - b);
    return {
      name: 'first-step',
      ours: firsts[Math.floor(firsts.length / 2)],
      spread: [firsts[0], firsts.at(-1)],
      unit: 'ms',
      parts,
      versions: versions(),
    };
  });
}

async function startOnce(project: Project, blocks: number, batch: number): Promise<{ start: Start; spec: unknown }> {
  const stop = new AbortController();
  const start: Start = { ready: NaN, steps: [] };
  let began = 0;
  let used: unknown;
  const timed: RunJob = (kind, spec, options) => {
    began = performance.now();
    used = spec;
    return runJob(kind, spec, options);
  };
  const model = { kind: 'resnet-cifar' as const, blocks };
  const overrides = { model, batchSize: batch, precision: 'float32' as const, threads: THREADS };
  // A checkpoint after every step says when it ended.
  await startRun(project, { method: 'csa', preset: 'quick', overrides, checkpointSeconds: 0 }, timed, {
    signal: stop.signal,
    onEvent: ({ type }) => {
      if (type === 'engine') start.ready = performance.now() - began;
      if (type !== 'checkpoint' || start.steps.length === STEPS) return;
      start.steps.push(performance.now() - began);
      if (start.steps.length === STEPS) stop.abort();
    },
  });
  return { start, spec: used };
}
