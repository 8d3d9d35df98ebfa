/** Runs and their figures as people read them. */
import type { Variant } from '../api/variants.ts';
import { GROUPS } from '../data/groups.ts';
import type { AdjustmentKind } from '../evaluation/adjustment.ts';
import type { Calibration } from '../evaluation/calibration.ts';
import { primaryHead, type Figures, type HeadFigures } from '../evaluation/figures.ts';
import type { Estimate } from '../evaluation/intervals.ts';
import { percent } from '../evaluation/sentences.ts';
import type { Run } from '../storage/records.ts';
import { storedFigures } from '../training/stored-figures.ts';
import type { TrainEvent } from '../training/train-job.ts';
import { count, duration, plural } from './format.ts';
import { table } from './table.ts';

/** "46.3 % (41.0 to 51.6)", or "-" */
export function estimateCell(estimate: Estimate | null): string {
  if (estimate === null) return '-';
  const { value, low, high } = estimate;
  return `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** A line for an epoch that has ended. */
export function epochLine(event: Extract<TrainEvent, { type: 'epoch' }>, epochs: number): string {
  const { uniformLoss, balancedLoss, evaluation, bank, timing } = event.figures;
  const parts = [`Epoch ${event.epoch + 1}/${epochs}`, `loss ${uniformLoss.toFixed(3)}`];
  if (balancedLoss !== null) parts.push(`balanced ${balancedLoss.toFixed(3)}`);
  if (evaluation) {
    const { top1, macroRecall } = primaryHead(evaluation);
    if (top1) parts.push(`top-1 ${percent(top1.value)}`);
    if (macroRecall) parts.push(`macro recall ${percent(macroRecall.value)}`);
  }
  if (bank) parts.push(`bank ${count(bank.count)}/${count(bank.capacity)}`);
  // Less than a hundredth is nothing that could be gained.
  if (timing.inputShare >= 0.01) parts.push(`${percent(timing.inputShare)} waiting for pictures`);
  return [...parts, duration(timing.seconds)].join('  ');
}

const HEAD_TITLES = { uniform: 'uniform head', balanced: 'balanced head', mean: 'mean of both' } as const;

/** The figures of a run, a row each, a column for each head, with 95 % intervals. */
export function figuresTable({ heads, thresholds }: Figures, { ranges = false } = {}): string {
  const present: [string, HeadFigures][] = [];
  for (const name of ['uniform', 'balanced', 'mean'] as const) {
    const head = heads[name];
    if (head) present.push([HEAD_TITLES[name], head]);
  }
  const row = (title: string, read: (head: HeadFigures) => Estimate | null): string[] => [
    title,
    ...present.map(([, head]) => estimateCell(read(head))),
  ];
  const limits = { many: `over ${thresholds.many}`, medium: 'between', few: `under ${thresholds.few}` };
  return table(
    ['', ...present.map(([title]) => title)],
    [
      row('Top-1', ({ top1 }) => top1),
      row('Macro recall', ({ macroRecall }) => macroRecall),
      ...GROUPS.map((group) => row(`${group} (${limits[group]})`, ({ groups }) => groups[group])),
      ...(ranges ? GROUPS.map((group) => row(`${group} by rank`, (head) => head.ranges[group])) : []),
    ],
  );
}

/** A row for each class by the head that the run is judged by. */
export function classTable(figures: Figures, names: readonly string[]): string {
  const rows = primaryHead(figures).classes.map(({ trained, tested, recall, precision, f1 }, label) => [
    names[label],
    count(trained),
    count(tested),
    estimateCell(recall),
    estimateCell(precision),
    estimateCell(f1),
  ]);
  return table(['class', '>trained', '>tested', 'recall', 'precision', 'F1'], rows);
}

/** What a run came to: its state and, where there are, its figures. */
export function runText(run: Run): string {
  const figures = storedFigures(run.figures);
  const heading = `Run ${run.id} (${run.name}): ${run.state} after ${duration(run.seconds)} of work`;
  if (!figures?.evaluation) return heading;
  const { evaluation, split } = figures;
  return `${heading}\n\nOn ${split ?? 'the test split'}, ${plural(evaluation.images, 'image')}:\n${figuresTable(evaluation)}`;
}

export const ADJUSTMENT_TITLES: Readonly<Record<AdjustmentKind, string>> = {
  'logit-adjustment': 'logit adjustment',
  'tau-norm': 'tau-normalisation',
};
export const CALIBRATION_TITLES: Readonly<Record<Calibration, string>> = {
  none: 'none',
  overall: 'one temperature',
  group: 'by group',
};

/** The variants of a run, a row each; empty without any. */
export function variantsTable(variants: readonly Variant[]): string {
  if (variants.length === 0) return '';
  const rows = variants.map(({ name, head, kind, tau, calibration, figures: { after } }) => [
    name,
    head,
    ADJUSTMENT_TITLES[kind],
    String(tau),
    CALIBRATION_TITLES[calibration],
    estimateCell(after.macroRecall),
    ...GROUPS.map((group) => estimateCell(after.groups[group])),
  ]);
  return table(['variant', 'head', 'kind', '>tau', 'calibration', 'macro recall', ...GROUPS], rows);
}
