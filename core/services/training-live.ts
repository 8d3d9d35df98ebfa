/** A run at work, as its page shows it: health of the balanced branch, and what that branch sees. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError, systemCode } from '../base/errors.ts';
import { NO_CLASS, NO_CLASS_NAME } from '../contexts/bank-backgrounds.ts';
import type { RunState, RunWarning, Run } from '../storage/records.ts';
import type { Project } from '../storage/project.ts';
import { groupsByCount, type Group } from '../data/groups.ts';
import { TrainConfig, type MethodName } from '../training/config.ts';
import { PREVIEW_NAME } from '../training/live-report.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import type { Preview } from '../training/preview.ts';
import { stepsPerEpoch } from '../training/schedule.ts';
import { storedFigures } from '../training/stored-figures.ts';
import { datasetOf, findRun } from './run-data.ts';
import { settleInterrupted } from './runs.ts';

export interface LiveRun {
  id: number;
  name: string;
  method: MethodName;
  methodTitle: string;
  seed: number;
  state: RunState;
  reason: string | null;
  seconds: number;
  epochs: number;
  epochsDone: number;
  stepsPerEpoch: number;
  startBalanced: number | null;
  delta: number;
  bank: {
    contexts: number;
    capacity: number;
    meanArea: number | null;
    classes: { name: string; group: Group; contexts: number }[];
    absent: number;
  } | null;
  confidentShare: number | null;
  mixedSteps: { mixed: number; all: number } | null;
  warnings: RunWarning[];
}

/** How a run is doing, from what it has told. @throws UserError 'not-found', 'damaged' */
export async function liveRun(project: Project, id: number): Promise<LiveRun> {
  settleInterrupted(project);
  const run = findRun(project, id);
  const config = TrainConfig.parse(run.config);
  const { classes, trainCounts, trainImages } = await datasetOf(project, run);
  const { title, heads } = METHODS_BY_NAME[config.method];
  const figures = storedFigures(run.figures);
  return {
    id,
    name: run.name,
    method: config.method,
    methodTitle: title,
    seed: run.seed,
    state: run.state,
    reason: run.reason,
    seconds: run.seconds,
    epochs: config.epochs,
    epochsDone: project.store.runs.epochCount(id),
    stepsPerEpoch: stepsPerEpoch(config, trainImages),
    startBalanced: heads.length > 1 ? config.startBalanced : null,
    delta: config.delta,
    bank: bankHealth(run, classes, trainCounts),
    confidentShare: figures?.confidentShare ?? null,
    mixedSteps: config.method === 'csa' && figures ? { mixed: figures.mixedSteps, all: figures.steps } : null,
    warnings: project.store.runs.warnings(id),
  };
}

function bankHealth(run: Run, names: readonly string[], trainCounts: readonly number[]): LiveRun['bank'] {
  const bank = storedFigures(run.figures)?.bank;
  if (!bank) return null;
  const groups = groupsByCount(trainCounts, TrainConfig.parse(run.config).groups);
  const classes = bank.classes
    .map((contexts, label) => ({ name: names[label], group: groups[label], contexts }))
    .filter(({ contexts }) => contexts > 0)
    .toSorted((a, b) => b.contexts - a.contexts);
  return {
    contexts: bank.count,
    capacity: bank.capacity,
    meanArea: bank.meanArea,
    classes,
    absent: names.length - classes.length,
  };
}

export interface RunPreview extends Omit<Preview, 'tiles'> {
  tiles: { className: string; contextClass: string | null; lambda: number | null }[];
}

/** What the balanced branch saw last; null before it saw anything, and after the run has finished. @throws UserError 'not-found' */
export async function runPreview(project: Project, id: number): Promise<RunPreview | null> {
  const run = findRun(project, id);
  const { classes } = await datasetOf(project, run);
  let text: string;
  try {
    text = readFileSync(join(project.runFolder(id), PREVIEW_NAME), 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, 'read the pictures of', 'the run');
    return null;
  }
  // Written whole by our own job, in a folder of ours.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const preview = JSON.parse(text) as Preview;
  return {
    ...preview,
    tiles: preview.tiles.map(({ label, contextLabel, lambda }) => ({
      className: classes[label],
      contextClass: contextLabel === null ? null : nameOf(contextLabel, classes),
      lambda,
    })),
  };
}

function nameOf(contextLabel: number, classes: readonly string[]): string {
  return contextLabel === NO_CLASS ? NO_CLASS_NAME : classes[contextLabel];
}
