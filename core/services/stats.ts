/** What a data set looks like: classes, tail, splits, duplicates, problems. */
import { z } from 'zod';
import { effectiveClasses } from '../data/classes.ts';
import type { DuplicateReport } from '../data/duplicates.ts';
import { evaluationSplit, type EvaluationSplit } from '../data/evaluation-split.ts';
import { DEFAULT_THRESHOLDS, type Group, type GroupThresholds } from '../data/groups.ts';
import { describeTail, type Tail } from '../data/tail.ts';
import { fewTestImages } from '../evaluation/sentences.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { Problem } from '../storage/records.ts';
import { findDuplicates, findNear, leaksInWords } from './duplicates.ts';

/** Name of the setting that holds the thresholds of the groups. */
export const GROUPS_SETTING = 'groups';

export interface ClassCounts {
  id: number;
  name: string;
  /** Usable images of each split; those without a split count as train. */
  train: number;
  val: number;
  test: number;
  excluded: number;
  group: Group;
  rankGroup: Group;
}

export interface ProblemSummary {
  kind: string;
  severity: Problem['severity'];
  count: number;
  /** One of them. */
  example: { path: string; reason: string };
}

/** Survives JSON. */
export interface TailReport {
  /** Usable images; those taken out by edits; those whose file is gone or not what was imported. */
  images: { usable: number; excluded: number; missing: number; changed: number };
  /** Usable images of each split, and how many of train have no split of their own. */
  splits: { train: number; val: number; test: number; unassigned: number };
  /** What figures will be measured on; null without val and test. */
  evaluation: EvaluationSplit | null;
  /** By name; merged classes as one; classes without any image left out unless the import found them empty. */
  classes: ClassCounts[];
  /** Of the training split. */
  tail: Tail;
  duplicates: Omit<DuplicateReport, 'groups'>;
  /** As far as the last look for near-duplicates says; null before the first one. */
  near: Omit<DuplicateReport, 'groups'> | null;
  /** Worst first, then by kind. */
  problems: ProblemSummary[];
  /** Sentences on what to look at before training. */
  warnings: string[];
}

/**
 * Describe the view in force.
 * @param options.thresholds of the groups; by default the project's setting, else 100 and 20
 */
export function tailReport(store: ProjectStore, options: { thresholds?: GroupThresholds } = {}): TailReport {
  const thresholds = options.thresholds ?? groupThresholds(store);
  const effective = effectiveClasses(store);
  const rows = new Map<number, Omit<ClassCounts, 'group' | 'rankGroup'>>();
  for (const { id, name } of new Set(effective.values()))
    rows.set(id, { id, name, train: 0, val: 0, test: 0, excluded: 0 });
  const images = { usable: 0, excluded: 0, missing: 0, changed: 0 };
  const splits = { train: 0, val: 0, test: 0, unassigned: 0 };
  const counts = store.images.counts();
  const present = new Set(counts.map(({ classId }) => classId));
  for (const { classId, split, excluded, state, count } of counts) {
    const row = rows.get(classId)!;
    if (state !== 'ok') images[state] += count;
    else if (excluded) {
      images.excluded += count;
      row.excluded += count;
    } else {
      images.usable += count;
      splits[split ?? 'train'] += count;
      row[split ?? 'train'] += count;
      if (split === null) splits.unassigned += count;
    }
  }
  const removed = store.images.removedClasses();
  const shown = [...rows.values()].filter(({ id }) => present.has(id) || !removed.has(id));
  const counted = shown.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const tail = describeTail(
    counted.map(({ name, train }) => ({ name, count: train })),
    thresholds,
  );
  const described = new Map(tail.classes.map((record) => [record.name, record]));
  const classes = counted.map((row): ClassCounts => {
    const { group, rankGroup } = described.get(row.name)!;
    return { ...row, group, rankGroup };
  });
  const { copies, leaks, conflicts, surplus } = findDuplicates(store);
  const near = findNear(store);
  const report = {
    images,
    splits,
    evaluation: evaluationSplit(store),
    classes,
    tail,
    duplicates: { surplus, copies, leaks, conflicts },
    near: near && { surplus: near.surplus, copies: near.copies, leaks: near.leaks, conflicts: near.conflicts },
    problems: summariseProblems(store),
  };
  return { ...report, warnings: warningsOf(report) };
}

/** The project's thresholds of the groups: its setting, else 100 and 20. */
export function groupThresholds(store: ProjectStore): GroupThresholds {
  const setting = store.settings.get(GROUPS_SETTING);
  return setting === undefined ? { ...DEFAULT_THRESHOLDS } : GroupSetting.parse(setting);
}

const GroupSetting = z.strictObject({ many: z.int().min(1), few: z.int().min(1) });

const SEVERITIES: readonly Problem['severity'][] = ['error', 'warning', 'note'];

/** Problems by kind, errors first, each with one example. @param sourceId of one source; of all when absent */
export function summariseProblems(store: ProjectStore, sourceId?: number): ProblemSummary[] {
  const rank = ({ severity, kind }: ProblemSummary): string => `${SEVERITIES.indexOf(severity)} ${kind}`;
  return store.problems
    .summary(sourceId)
    .map(({ count, first: { kind, severity, path, reason } }) => ({ kind, severity, count, example: { path, reason } }))
    .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function warningsOf(report: Omit<TailReport, 'warnings'>): string[] {
  const { classes, duplicates, near, evaluation, images, tail } = report;
  const warnings: (string | null)[] = [];
  if (images.usable > 0 && evaluation === null) {
    warnings.push('There is no test split: assign one, or no run can be judged.');
  }
  const untrained = classes.filter(({ train, val, test }) => train === 0 && val + test > 0).map(({ name }) => name);
  if (untrained.length > 0) {
    warnings.push(`Without training images, so never learned: ${untrained.join(', ')}.`);
  }
  const tiny = tail.classes.filter(({ count }) => count > 0 && count < 5).map(({ name }) => name);
  if (tiny.length > 0) warnings.push(`Under 5 training images, hardly enough to learn from: ${tiny.join(', ')}.`);
  if (evaluation !== null) {
    const { split } = evaluation;
    warnings.push(fewTestImages(classes.map((row) => ({ name: row.name, tested: row[split] }))));
  }
  const leaks = leaksInWords(duplicates, near);
  warnings.push(leaks.exact, leaks.near);
  if (duplicates.conflicts > 0) {
    warnings.push(
      `${plural(duplicates.conflicts, 'picture has', 'pictures have')} more than one class: look at the labels.`,
    );
  }
  if (images.missing + images.changed > 0) {
    warnings.push(
      `${plural(images.missing + images.changed, 'image is', 'images are')} gone or changed since the import and not used.`,
    );
  }
  return warnings.filter((warning) => warning !== null);
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
