/** Words for what runs and figures are called, the same on every screen about runs. */
import type { Head } from '../../../core/api/figures.ts';
import type { RunRow } from '../../../core/api/runs.ts';

export const METHODS: Readonly<Record<RunRow['method'], string>> = {
  ce: 'Cross entropy',
  cbrs: 'Re-sampling',
  control: 'Control',
  csa: 'CSA',
};

export const HEADS: Readonly<Record<Head, string>> = {
  uniform: 'Uniform head',
  balanced: 'Balanced head',
  mean: 'Mean of both',
};

export const STATES: Readonly<
  Record<RunRow['state'], { text: string; tone: 'neutral' | 'ok' | 'warn' | 'danger' | 'accent' }>
> = {
  queued: { text: 'queued', tone: 'neutral' },
  running: { text: 'training', tone: 'accent' },
  stopped: { text: 'stopped', tone: 'warn' },
  finished: { text: 'finished', tone: 'ok' },
  failed: { text: 'failed', tone: 'danger' },
};

export type FigureName = 'top1' | 'macroRecall' | 'many' | 'medium' | 'few';

/** Whether a figure is that of a group of classes. */
export function isGroup(name: FigureName): name is 'many' | 'medium' | 'few' {
  return name === 'many' || name === 'medium' || name === 'few';
}

export const FIGURES: readonly { name: FigureName; title: string; hint: string }[] = [
  { name: 'top1', title: 'Top-1', hint: 'Share of right answers over all test images' },
  { name: 'macroRecall', title: 'Macro recall', hint: 'Mean of the recalls of all classes' },
  { name: 'many', title: 'Many', hint: 'Mean recall of the classes with many training images' },
  { name: 'medium', title: 'Medium', hint: 'Mean recall of the classes in between' },
  { name: 'few', title: 'Few', hint: 'Mean recall of the classes with few training images' },
];

/** Fewer test images than this make a class's figures coarse: one image is more than ten points. */
export const FEW_TEST_IMAGES = 10;

/** A difference of two shares in percentage points: "+5.2", "-0.3", "0.0". */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(1);
  if (Number(text) === 0) return '0.0';
  return difference > 0 ? `+${text}` : text;
}

/** "81.3" for tables whose heading says percent; "" for what is not there. */
export function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (100 * value).toFixed(1);
}

/** "77.9 to 84.2" */
export function range({ low, high }: { low: number; high: number }): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
}
