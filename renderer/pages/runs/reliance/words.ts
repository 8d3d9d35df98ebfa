/** Words of context reliance. Pure, so that tests need no browser. */
import type { Difference } from '../../../../core/api/figures.ts';
import type { CompositionName, RelianceComparison, RelianceReport } from '../../../../core/api/reliance.ts';
import { percent } from '../../../lib/format.ts';
import { points } from '../words.ts';

/** In the order in which they are shown. */
export const COMPOSITIONS: readonly { name: CompositionName; title: string; hint: string }[] = [
  { name: 'original', title: 'As it is', hint: 'The whole picture' },
  { name: 'no-fg', title: 'Background alone', hint: 'Its foreground is filled with the mean colour' },
  { name: 'only-fg', title: 'Foreground alone', hint: 'Its background is filled with the mean colour' },
  {
    name: 'mixed-same',
    title: 'Its class’s background',
    hint: 'Its foreground in front of the background of a training picture of its class',
  },
  {
    name: 'mixed-rand',
    title: 'Another class’s background',
    hint: 'Its foreground in front of the background of a training picture of another class',
  },
];

/** Macro mean, then the groups. */
export const MEANS = [
  { name: 'macro', title: 'All classes', colour: 'text' },
  { name: 'many', title: 'Many', colour: 'many' },
  { name: 'medium', title: 'Medium', colour: 'medium' },
  { name: 'few', title: 'Few', colour: 'few' },
] as const;
export type MeanName = (typeof MEANS)[number]['name'];

/** One of the means of a figure. */
export function meanOf<T>(figure: { macro: T; groups: { many: T; medium: T; few: T } }, name: MeanName): T {
  return name === 'macro' ? figure.macro : figure.groups[name];
}

/** What the BG-Gap says, without more than its interval allows. */
export function gapSentence(gap: Difference | null): string {
  if (gap === null) return 'No background could be lent: training pictures of another class are missing.';
  const figures =
    `right on ${percent(gap.b)} of pictures in front of their own class’s background and on ${percent(gap.a)} in front of ` +
    'another class’s';
  if (gap.verdict === 'better') return `It goes by the background: ${figures}.`;
  if (gap.verdict === 'worse') return `It does better in front of other backgrounds: ${figures}.`;
  return `It cannot be told whether it goes by the background: ${figures}.`;
}

/** What it makes of backgrounds without objects. */
export function backgroundSentence({ confidence, classes }: RelianceReport): string {
  const alone = confidence['no-fg'].macro;
  if (alone === null) return '';
  return `Shown the background alone, it gives the class that stood there ${percent(alone.value)} (${percent(1 / classes.length)} would be chance).`;
}

/** How two runs differ in their BG-Gap. */
export function comparedSentence({ run, baseline, bgGap }: RelianceComparison): string {
  const gap = bgGap.macro;
  if (gap === null) return 'No background could be lent: training pictures of another class are missing.';
  const figures = `BG-gap ${points(gap.b)} against ${points(gap.a)} points`;
  if (gap.direction === 'lower') return `Run ${run} goes less by the background than run ${baseline}: ${figures}.`;
  if (gap.direction === 'higher') return `Run ${run} goes more by the background than run ${baseline}: ${figures}.`;
  return `No clear difference between runs ${run} and ${baseline} in how far they go by the background: ${figures}.`;
}

/** From so many characters on a title takes two lines. */
const TWO_LINES_FROM = 12;

/** Break a long title at the space nearest to its middle. */
export function inTwoLines(title: string): string[] {
  if (title.length < TWO_LINES_FROM) return [title];
  const spaces = [...title.matchAll(/ /g)].map(({ index }) => index);
  if (spaces.length === 0) return [title];
  const off = (at: number): number => Math.abs(at - title.length / 2);
  const at = spaces.reduce((best, next) => (off(next) < off(best) ? next : best));
  return [title.slice(0, at), title.slice(at + 1)];
}
