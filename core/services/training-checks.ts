/** What should be looked at before training starts. An "error" is what a start would be refused for. */
import { totalmem } from 'node:os';
import { freeBytes } from '../base/free-space.ts';
import { effectiveClasses } from '../data/classes.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import { findDuplicates, findNear, leaksInWords } from './duplicates.ts';
import type { TrainingEstimate } from './training-estimate.ts';
import { missingBackbone, type RunPlan, type TrainingFacts } from './training-plan.ts';

export interface TrainingCheck {
  name:
    | 'no-images'
    | 'no-test-split'
    | 'one-class'
    | 'empty-bank'
    | 'no-backbone'
    | 'untrained-classes'
    | 'tiny-classes'
    | 'untested-classes'
    | 'lost-images'
    | 'leaks'
    | 'near-leaks'
    | 'never-balanced'
    | 'little-memory'
    | 'little-disk';
  severity: 'error' | 'warning';
  message: string;
}

/** A class with fewer training images hardly teaches anything. */
const TINY = 5;
/** Names that a sentence lists; the rest is counted. */
const MOST_NAMES = 5;

/** Checks of the data. */
export function checkData(store: ProjectStore, { trainImages, evaluation, classes }: TrainingFacts): TrainingCheck[] {
  const checks: TrainingCheck[] = [];
  const add = (name: TrainingCheck['name'], severity: TrainingCheck['severity'], message: string): void => {
    checks.push({ name, severity, message });
  };
  if (trainImages === 0) add('no-images', 'error', 'There are no training images yet: import some.');
  if (trainImages > 0 && evaluation === null) {
    add('no-test-split', 'error', 'There are no test images to judge a run by: deal some out.');
  }
  if (trainImages > 0 && classes < 2) {
    add('one-class', 'warning', 'All images are of one class, so there is nothing to tell apart.');
  }
  const { untrained, tiny, untested, lost } = countClasses(store, evaluation?.split ?? null);
  if (untrained.length > 0) {
    add('untrained-classes', 'warning', `Without training images, so never learned: ${listed(untrained)}.`);
  }
  if (tiny.length > 0) {
    add('tiny-classes', 'warning', `Under ${TINY} training images, hardly enough to learn from: ${listed(tiny)}.`);
  }
  if (untested.length > 0) {
    add(
      'untested-classes',
      'warning',
      `Without test images, so nobody will know how well they do: ${listed(untested)}.`,
    );
  }
  if (lost > 0) {
    const message = `${lost} ${lost === 1 ? 'image is' : 'images are'} gone or changed since the import and not used.`;
    add('lost-images', 'warning', message);
  }
  const leaks = leaksInWords(findDuplicates(store), findNear(store));
  if (leaks.exact !== null) add('leaks', 'warning', leaks.exact);
  if (leaks.near !== null) add('near-leaks', 'warning', leaks.near);
  return checks;
}

/** Checks of what is asked for. */
export function checkPlans(
  project: Project,
  plans: readonly RunPlan[],
  estimates: readonly TrainingEstimate[],
): TrainingCheck[] {
  const checks: TrainingCheck[] = [];
  const { contexts, backgrounds } = project.store;
  const isEmpty = contexts.bankSize() + backgrounds.counts().held === 0;
  if (isEmpty && plans.some(({ config }) => config.curatedShare > 0)) {
    checks.push({
      name: 'empty-bank',
      severity: 'error',
      message: 'Contexts are to come from the curated bank, but it holds none: accept some, or set the share to 0.',
    });
  }
  const missing = plans.map(missingBackbone).find((name) => name !== null);
  if (missing) {
    const message = `The weights of ${missing} are not here yet: get them, or choose a preset that begins from scratch.`;
    checks.push({ name: 'no-backbone', severity: 'error', message });
  }
  const late = plans.find(
    ({ config }) => METHODS_BY_NAME[config.method].heads.length > 1 && config.startBalanced >= config.epochs,
  );
  if (late) {
    checks.push({
      name: 'never-balanced',
      severity: 'warning',
      message: `The balanced branch would begin in epoch ${late.config.startBalanced + 1} of ${late.config.epochs}, so it is never trained: set an earlier start or more epochs.`,
    });
  }
  const memory = Math.max(0, ...estimates.map((estimate) => estimate.memory ?? 0));
  if (memory > totalmem()) {
    checks.push({
      name: 'little-memory',
      severity: 'warning',
      message: `A run needs some ${gigabytes(memory)}, and this machine has ${gigabytes(totalmem())}: choose a smaller batch, bank or input size.`,
    });
  }
  // A checkpoint is written beside the old one.
  const disk = Math.max(0, ...estimates.map(({ checkpointBytes }) => 2 * checkpointBytes));
  const free = freeBytes(project.file);
  if (free < disk) {
    checks.push({
      name: 'little-disk',
      severity: 'warning',
      message: `Checkpoints need ${gigabytes(disk)} beside the project, and ${gigabytes(free)} are free: free some, or choose a smaller bank.`,
    });
  }
  return checks;
}

function countClasses(
  store: ProjectStore,
  evaluated: 'val' | 'test' | null,
): { untrained: string[]; tiny: string[]; untested: string[]; lost: number } {
  const names = new Map([...effectiveClasses(store).values()].map(({ id, name }) => [id, name]));
  const counts = new Map<number, { train: number; val: number; test: number }>();
  let lost = 0;
  for (const { classId, split, excluded, state, count } of store.images.counts()) {
    if (excluded) continue;
    if (state !== 'ok') {
      lost += count;
      continue;
    }
    const row = counts.get(classId) ?? { train: 0, val: 0, test: 0 };
    row[split ?? 'train'] += count;
    counts.set(classId, row);
  }
  const where = (wanted: (row: { train: number; val: number; test: number }) => boolean): string[] =>
    [...counts].flatMap(([id, row]) => (wanted(row) ? [names.get(id) ?? `class ${id}`] : [])).toSorted();
  return {
    untrained: where(({ train }) => train === 0),
    tiny: where(({ train }) => train > 0 && train < TINY),
    untested: evaluated === null ? [] : where((row) => row[evaluated] === 0),
    lost,
  };
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ');
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
