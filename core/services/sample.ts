/**
 * The whole main job on the sample data set: draw it, import it, look at its tail, train, find contexts, compare, export,
 * verify. Each part is the very service that a user's own data goes through. What an earlier, interrupted call finished is
 * kept: the same call goes on.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { takeSnapshot } from '../data/snapshot.ts';
import type { Comparison } from '../evaluation/compare.ts';
import { primaryHead, type HeadFigures } from '../evaluation/figures.ts';
import { falseLink, sceneFigures, type FalseLink, type SceneFigures } from '../evaluation/scenes.ts';
import { compareSeeds, seedDifference, type SeedComparison, type SeedDifference } from '../evaluation/seeds.ts';
import { DEFAULT_RECIPE, type ExportRecipe } from '../export/recipe.ts';
import type { VerifyReport } from '../export/verify-report.ts';
import type { JobEvent, RunJob } from '../jobs/protocol.ts';
import type { PredictEvent, PredictResult, PredictSpec } from '../predict/predict-job.ts';
import { resolveThreads } from '../engine/fingerprint.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { METHODS, TrainConfig, type MethodName } from '../training/config.ts';
import { storedFigures } from '../training/stored-figures.ts';
import { decideContexts, listContexts, type Act } from './contexts.ts';
import { findContexts } from './find-contexts.ts';
import { exportDataset, verifyExport } from './export.ts';
import { importSource } from './import.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { answersOf, compareTwoRuns, predictionsOf, preparePictures, resumeRun, startRun } from './runs.ts';
import { headOf } from './run-data.ts';
import { readSceneTable, writeBackgrounds, writeSample, type SampleInput, type SceneTable } from './sample-data.ts';
import { tailReport, type TailReport } from './stats.ts';
import { planRun, type RunRequest } from './training-plan.ts';

/** Of the generator: the data set is the same for every training seed. */
const DATA_SEED = 0;
/** Trained side by side, in this order. */
const PAIRS: readonly (readonly [MethodName, MethodName])[] = [
  ['ce', 'cbrs'],
  ['control', 'csa'],
];
const EVALUATE_EVERY = 5;
/** Classes below this many pictures are filled up to it in the export. */
const FILL_TO = 150;

export interface SampleOptions {
  /** Folder for pictures, bare backgrounds and the export; made when it is not there. */
  folder: string;
  /** Training seeds, at least one. With several, only the first one's contexts are exported. */
  seeds: readonly number[];
  /** How many pictures there are; looked at when they are drawn, not when an earlier call has drawn them. */
  amount?: Pick<SampleInput, 'largest' | 'testPerScene'>;
  /** Of each run; left out, as the preset has it. */
  epochs?: number;
  /** Contexts of images that were known at least so well while training are accepted, 0 to 1. */
  acceptFrom: number;
  act: Act;
}

/** A run of the sample with what only the sample can tell: in which scenes it is right. */
export interface SampleRun {
  method: MethodName;
  seed: number;
  runId: number;
  /** Of the head that the method is judged by. */
  figures: HeadFigures;
  scenes: SceneFigures;
  falseLink: FalseLink;
}

export interface SampleReport {
  tail: TailReport;
  runs: SampleRun[];
  /** CSA against each other method: paired by test image under the first seed. */
  comparisons: { against: MethodName; comparison: Comparison }[];
  /** The same over seeds, where there are several: figures, and accuracy of tail classes in scenes they were never seen in. */
  seeds: {
    against: MethodName;
    comparison: SeedComparison;
    unseen: SeedDifference | null;
    bound: SeedDifference | null;
  }[];
  contexts: { found: number; accepted: number };
  export: { folder: string; pictures: number; verified: boolean };
  /** False when something was found wrong. */
  ok: boolean;
}

/** What the sample tells while it works, beside the events of its jobs. */
export type SampleEvent =
  { type: 'stage'; stage: string } | { type: 'tail'; tail: TailReport } | { type: 'run'; run: SampleRun };

/** How the services are told what to do with events, and when to stop. */
interface Running {
  onEvent: (event: JobEvent) => void;
  signal: AbortSignal;
}

export interface SamplePort {
  emit(event: SampleEvent | Progress | JobEvent): void;
  signal: AbortSignal;
}

/**
 * Do all of it.
 * @throws UserError 'cancelled' (the same call goes on), and whatever the services throw
 */
export async function runSample(
  project: Project,
  { folder, seeds, amount, epochs, acceptFrom, act }: SampleOptions,
  runJob: RunJob,
  port: SamplePort,
): Promise<SampleReport> {
  const stage = (text: string): void => port.emit({ type: 'stage', stage: text });
  const running = { onEvent: (event: JobEvent) => port.emit(event), signal: port.signal };
  const pictures = join(folder, 'pictures');
  const backgrounds = join(folder, 'backgrounds');

  stage('Drawing the sample data set');
  if (!existsSync(pictures)) await writeSample(pictures, { ...amount, seed: DATA_SEED }, port);
  if (!existsSync(backgrounds)) await writeBackgrounds(backgrounds, { ...amount, seed: DATA_SEED }, port);
  const scenes = readSceneTable(pictures);

  stage('Importing it');
  await importSource(project, { path: pictures, ...running }, runJob);
  const tail = tailReport(project.store);
  port.emit({ type: 'tail', tail });

  await preparePictures(project, port);
  const trained: SampleRun[] = [];
  let contexts = { found: 0, accepted: 0 };
  for (const seed of seeds) {
    for (const pair of PAIRS) {
      stage(`Training two at a time: ${pair.join(' and ')}, seed ${seed}`);
      const sinks = together(pair.join(' and '), (event) => port.emit(event));
      const runs = await allOrNone(
        pair.map(
          (method, index) => (signal: AbortSignal) =>
            trainOnce(project, requestOf(method, seed, epochs), runJob, { onEvent: sinks[index], signal }),
        ),
        port.signal,
      );
      for (const [index, method] of pair.entries()) {
        const run = await judge(project, runs[index], method, scenes, backgrounds, runJob, port);
        trained.push(run);
        port.emit({ type: 'run', run });
      }
      if (seed !== seeds[0] || !pair.includes('ce')) continue;
      stage('Finding contexts with the model trained by cross entropy');
      contexts = await findAndAccept(project, runs[pair.indexOf('ce')].id, acceptFrom, act, runJob, running);
    }
  }

  stage('Exporting an augmented data set, and verifying it');
  const out = join(folder, 'export');
  const report = await exportOnce(project, out, runJob, running);

  const others = METHODS.filter((method) => method !== 'csa');
  const runId = (method: MethodName, seed: number): number =>
    trained.find((run) => run.method === method && run.seed === seed)!.runId;
  const comparisons = await Promise.all(
    others.map(async (against) => {
      const { comparison } = await compareTwoRuns(project, runId(against, seeds[0]), runId('csa', seeds[0]));
      return { against, comparison };
    }),
  );
  return {
    tail,
    runs: trained,
    comparisons,
    seeds: seeds.length > 1 ? others.map((against) => overSeeds(trained, against)) : [],
    contexts,
    export: { folder: out, pictures: report.pictures, verified: report.ok },
    ok: report.ok,
  };
}

/** A run of the sample: half the cores, since two small networks side by side use them better than one after the other. */
function requestOf(method: MethodName, seed: number, epochs: number | undefined): RunRequest {
  const threads = Math.max(1, Math.floor(resolveThreads(0) / 2));
  const overrides = { seed, threads, evaluateEvery: EVALUATE_EVERY, ...(epochs === undefined ? {} : { epochs }) };
  return { method, preset: 'small', overrides };
}

/** Start all at once and wait for all; when one fails the others are cancelled and its error is thrown. */
async function allOrNone<T>(
  starts: readonly ((signal: AbortSignal) => Promise<T>)[],
  signal: AbortSignal,
): Promise<T[]> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const errors: unknown[] = [];
  const results = await Promise.allSettled(
    starts.map((start) =>
      start(both).catch((error: unknown) => {
        errors.push(error);
        failed.abort();
        throw error;
      }),
    ),
  );
  if (errors.length > 0) throw errors[0];
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Event sinks for two jobs that make one progress: their steps added up, and the time left of the slower one. */
function together(
  name: string,
  emit: (event: JobEvent) => void,
): [(event: JobEvent) => void, (event: JobEvent) => void] {
  const latest: (Progress | undefined)[] = [undefined, undefined];
  const sink = (index: number) => (event: JobEvent) => {
    if (!isProgress(event)) {
      emit(event);
      return;
    }
    latest[index] = event;
    const known = latest.filter((progress) => progress !== undefined);
    const sum = (read: (progress: Progress) => number | null): number =>
      known.reduce((total, progress) => total + (read(progress) ?? 0), 0);
    const progress: Progress = {
      ...event,
      stage: `Training ${name}`,
      done: sum(({ done }) => done),
      total: sum(({ total }) => total),
      rate: sum(({ rate }) => rate),
      secondsLeft: Math.max(...known.map(({ secondsLeft }) => secondsLeft ?? 0)),
    };
    emit(progress);
  };
  return [sink(0), sink(1)];
}

function isProgress(event: JobEvent): event is Progress {
  return event.type === 'progress';
}

function stopped(): UserError {
  return new UserError('cancelled', 'The sample was stopped. The same command goes on where it was.');
}

/** The finished run of a request: found, resumed or new. */
async function trainOnce(project: Project, request: RunRequest, runJob: RunJob, running: Running): Promise<Run> {
  const wanted = canonicalJson(planRun(takeSnapshot(project.store), request).config);
  const known = project.store.runs.list().find((run) => canonicalJson(run.config) === wanted);
  if (known?.state === 'finished') return known;
  const run = known
    ? await resumeRun(project, known.id, runJob, running)
    : await startRun(project, request, runJob, running);
  if (run.state !== 'finished') throw stopped();
  return run;
}

/** Accept the contexts of the images that were known well. Decisions that a person made are left alone. */
async function findAndAccept(
  project: Project,
  runId: number,
  acceptFrom: number,
  act: Act,
  runJob: RunJob,
  running: Running,
): Promise<SampleReport['contexts']> {
  await findContexts(project, { runId }, act, runJob, running);
  const sure = listContexts(project, { state: 'undecided', minProbability: acceptFrom });
  decideContexts(
    project,
    sure.map(({ context }) => context.id),
    'accepted',
    act,
  );
  const counts = project.store.contexts.count();
  return { found: counts.accepted + counts.rejected + counts.undecided, accepted: counts.accepted };
}

/** Export and verify; an export that an earlier call finished is verified again. */
async function exportOnce(project: Project, out: string, runJob: RunJob, running: Running): Promise<VerifyReport> {
  const known = project.store.exports.byPath(out);
  if (known?.state === 'finished' || known?.state === 'verified')
    return verifyExport(project, out, {}, runJob, running);
  const recipe: ExportRecipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: FILL_TO }, copy: ['test'] };
  const { report } = await exportDataset(project, { out, recipe }, runJob, running);
  if (!report) throw stopped();
  return report;
}

/** Figures of a run, in seen and unseen scenes, and on bare backgrounds. */
async function judge(
  project: Project,
  run: Run,
  method: MethodName,
  { pictures, bound }: SceneTable,
  backgrounds: string,
  runJob: RunJob,
  port: SamplePort,
): Promise<SampleRun> {
  const { classes } = takeSnapshot(project.store);
  const predictions = predictionsOf(project, run);
  const seen = [...predictions.imageIds].map((id) => pictures.get(project.store.images.get(id)!.path)!.seen);
  const answers = answersOf(predictions, headOf(run), classes.length);
  const named = await classesNamed(project, run, backgrounds, runJob, port);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const boundLabels = Object.entries(bound).map(([scene, name]): [string, number] => [scene, labels.get(name)!]);
  const files = [...named.keys()];
  const evaluation = storedFigures(run.figures)?.evaluation;
  return {
    method,
    seed: TrainConfig.parse(run.config).seed,
    runId: run.id,
    figures: primaryHead(evaluation!),
    scenes: sceneFigures(answers, predictions.labels, seen, classes.length),
    falseLink: falseLink(
      Int32Array.from(files, (file) => labels.get(named.get(file)!)!),
      files.map((file) => pictures.get(file)!.scene),
      new Map(boundLabels),
    ),
  };
}

/** The class that a run's model names for each picture of a folder. */
async function classesNamed(
  project: Project,
  run: Run,
  folder: string,
  runJob: RunJob,
  { signal }: SamplePort,
): Promise<Map<string, string>> {
  const named = new Map<string, string>();
  const spec: PredictSpec = {
    model: project.blobs.path(run.modelBlob!),
    inputs: [{ kind: 'folder', path: folder, name: '' }],
    top: 1,
    head: null,
  };
  await runJob<PredictSpec, PredictEvent, PredictResult>('predict', spec, {
    signal,
    env: engineJobEnvironment(TrainConfig.parse(run.config).threads),
    onEvent: (event) => {
      if (event.type !== 'rows') return;
      for (const row of event.rows) {
        if ('classes' in row) named.set(row.file, row.classes[0].class);
        else throw new Error(`the background ${row.file} cannot be read: ${row.reason}`);
      }
    },
  });
  return named;
}

/** CSA less another method over seeds. */
function overSeeds(runs: readonly SampleRun[], against: MethodName): SampleReport['seeds'][number] {
  const of = (method: MethodName): SampleRun[] => runs.filter((run) => run.method === method);
  const pairs = of(against).map((run): [SampleRun, SampleRun] => [
    run,
    of('csa').find(({ seed }) => seed === run.seed)!,
  ]);
  const difference = (read: (run: SampleRun) => number | null): SeedDifference | null =>
    seedDifference(pairs.map(([a, b]): [number | null, number | null] => [read(a), read(b)]));
  return {
    against,
    comparison: compareSeeds(pairs.map(([a, b]): [HeadFigures, HeadFigures] => [a.figures, b.figures])),
    unseen: difference(({ scenes }) => scenes.bothUnseen?.value ?? null),
    bound: difference((run) => run.falseLink.bound?.value ?? null),
  };
}
