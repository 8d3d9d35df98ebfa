/** One run: figures by head and group, classes, curves, and what is needed to repeat it. */
import type { ClassRow, CurveName, ReproducibilityCard, RunClasses, RunCurves, RunDetail } from '../api/runs.ts';
import { UserError } from '../base/errors.ts';
import { GROUPS, groupsByCount } from '../data/groups.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { networkText, tuningText } from '../training/network-text.ts';
import { storedFigures, storedSummary, type EpochSummary } from '../training/stored-figures.ts';
import { datasetOf, findRun, headOf, methodOf } from './run-data.ts';
import { rowOf } from './run-history.ts';
import type { DatasetFacts } from './run-thread.ts';

/** Everything about a run but its classes and curves. @throws UserError 'not-found', 'damaged' */
export async function runDetail(project: Project, id: number): Promise<RunDetail> {
  const run = findRun(project, id);
  const dataset = await datasetOf(project, run);
  const config = TrainConfig.parse(run.config);
  const figures = storedFigures(run.figures);
  const evaluation = figures?.evaluation;
  const groups = groupsByCount(dataset.trainCounts, config.groups);
  const [many, medium, few] = GROUPS.map((group) => groups.filter((other) => other === group).length);
  return {
    run: rowOf(run, project.store.runs.epochCount(id)),
    notes: run.notes,
    methodTitle: methodOf(run).title,
    network: networkText(config),
    trained: tuningText(config),
    study: project.store.studies.ofRun(id)?.id ?? null,
    answers: run.predictionsBlob !== null,
    judgedBy: headOf(run),
    classes: dataset.classes.length,
    measured: evaluation && figures.split !== null ? { split: figures.split, images: evaluation.images } : null,
    timing: figures?.timing ?? null,
    thresholds: config.groups,
    groupSizes: { many, medium, few },
    heads: evaluation?.heads ?? { uniform: null, balanced: null, mean: null },
    warnings: project.store.runs.warnings(id),
    card: cardOf(run, config, dataset),
  };
}

function cardOf(run: Run, config: TrainConfig, { trainImages }: DatasetFacts): ReproducibilityCard {
  const { id, name, seed, datasetHash, bankHash, codeVersion, createdAt, seconds } = run;
  return {
    run: id,
    name,
    method: config.method,
    seed,
    config,
    datasetHash,
    trainImages,
    bankHash,
    codeVersion,
    // An `EngineFingerprint`, as the job told it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    engine: run.engine as ReproducibilityCard['engine'],
    precision: config.precision,
    createdAt,
    seconds,
  };
}

/**
 * Figures of every class after the last epoch.
 * @throws UserError 'not-found'; 'empty' when there are none yet; 'damaged'
 */
export async function runClasses(project: Project, id: number, wanted?: Head): Promise<RunClasses> {
  const run = findRun(project, id);
  const head = headOf(run, wanted);
  const figures = storedFigures(run.figures)?.evaluation;
  const ofHead = figures?.heads[head];
  if (!ofHead) {
    throw new UserError(
      'empty',
      `Run ${id} (${run.name}) has no figures yet: the first ones come with its evaluation.`,
    );
  }
  const { classes, classIds, trainCounts } = await datasetOf(project, run);
  const groups = groupsByCount(trainCounts, figures.thresholds);
  return {
    head,
    classes: ofHead.classes.map((figure, label): ClassRow => {
      return { label, classId: classIds[label], name: classes[label], group: groups[label], ...figure };
    }),
  };
}

type ReadCurve = (epoch: EpochSummary) => number | null | undefined;

const HEAD_CURVES: Readonly<Record<string, (figures: HeadFigures) => { value: number } | null>> = {
  top1: ({ top1 }) => top1,
  macroRecall: ({ macroRecall }) => macroRecall,
  many: ({ groups }) => groups.many,
  medium: ({ groups }) => groups.medium,
  few: ({ groups }) => groups.few,
};
type HeadFigures = NonNullable<EpochSummary['evaluation']>['heads']['uniform'];

/** How each curve is read. */
function readerOf(name: CurveName): ReadCurve {
  switch (name) {
    case 'uniformLoss':
    case 'balancedLoss':
    case 'learningRate':
    case 'confidentShare':
      return (epoch) => epoch[name];
    case 'bankFill':
      return ({ bank }) => bank && bank.count / bank.capacity;
    case 'imagesPerSecond':
      return ({ timing }) => timing.imagesPerSecond;
    default: {
      const [head, figure] = name.split('.');
      const read = HEAD_CURVES[figure];
      return ({ evaluation }) => {
        const figures = head === 'uniform' || head === 'balanced' || head === 'mean' ? evaluation?.heads[head] : null;
        return figures && read(figures)?.value;
      };
    }
  }
}

/** What of a run's curves is asked for. */
export interface CurveQuery {
  /** First epoch, 0-based. */
  from: number;
  /** Most epochs in the answer. */
  points: number;
  curves: readonly CurveName[];
}

/**
 * Curves of a run, thinned out evenly so that the last epoch is among those that stay. Each value is that of its epoch:
 * nothing is averaged.
 * @throws UserError 'not-found'
 */
export function runCurves(project: Project, id: number, { from, points, curves }: CurveQuery): RunCurves {
  findRun(project, id);
  const told = project.store.runs.epochSummaries(id, from).flatMap(({ epoch, summary }) => {
    const figures = storedSummary(summary);
    return figures ? [{ epoch, figures }] : [];
  });
  const stride = Math.ceil(told.length / points);
  const shown = told.filter((_, index) => (told.length - 1 - index) % stride === 0);
  return {
    epochs: shown.map(({ epoch }) => epoch),
    curves: curves.flatMap((name) => {
      const read = readerOf(name);
      const values = shown.map(({ figures }) => read(figures) ?? null);
      return values.some((value) => value !== null) ? [{ name, values }] : [];
    }),
    next: told.length === 0 ? from : told.at(-1)!.epoch + 1,
  };
}
