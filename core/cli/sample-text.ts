/** The sample's report as people read it. */
import { GROUPS } from '../data/groups.ts';
import type { Comparison } from '../evaluation/compare.ts';
import { differenceText, percent } from '../evaluation/sentences.ts';
import type { SampleReport, SampleRun } from '../services/sample.ts';
import type { MethodName } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import { count } from './format.ts';
import { estimateCell } from './run-text.ts';
import { table } from './table.ts';

/** Names of the methods in a sentence. */
const SHORT: Readonly<Record<MethodName, string>> = { ce: 'CE', cbrs: 're-sampling', control: 'control', csa: 'CSA' };

/** One line on a run that has just been judged. */
export function sampleRunLine({ method, seed, figures, scenes, falseLink }: SampleRun): string {
  const few = figures.groups.few ? `, few ${percent(figures.groups.few.value)}` : '';
  const unseen = scenes.bothUnseen ? `, tail in unseen scenes ${percent(scenes.bothUnseen.value)}` : '';
  const bound = falseLink.bound ? `, false link ${percent(falseLink.bound.value)}` : '';
  return `${METHODS_BY_NAME[method].title}, seed ${seed}: macro recall ${percent(figures.macroRecall!.value)}${few}${unseen}${bound}`;
}

/** Groups and scenes of the runs of one seed, a column a method, each with its 95 % interval. */
function runsTable(runs: readonly SampleRun[]): string {
  const row = (title: string, read: (run: SampleRun) => Parameters<typeof estimateCell>[0]): string[] => [
    title,
    ...runs.map((run) => estimateCell(read(run))),
  ];
  return table(
    ['', ...runs.map(({ method }) => SHORT[method])],
    [
      row('Macro recall', ({ figures }) => figures.macroRecall),
      ...GROUPS.map((group) => row(`  ${group}`, ({ figures }) => figures.groups[group])),
      row('Tail, seen scenes', ({ scenes }) => scenes.bothSeen),
      row('Tail, unseen scenes', ({ scenes }) => scenes.bothUnseen),
      row('False link', ({ falseLink }) => falseLink.bound),
    ],
  );
}

function comparisonLines(against: MethodName, comparison: Comparison): string[] {
  const names: [string, string] = [SHORT[against], SHORT.csa];
  return [
    `all classes: ${differenceText(comparison.macroRecall, names)}`,
    ...GROUPS.map((group) => `${group}: ${differenceText(comparison.groups[group], names)}`),
  ];
}

/** The whole report. */
export function sampleText({ runs, comparisons, seeds, contexts, export: exported }: SampleReport): string {
  const [{ seed }] = runs;
  const first = runs.filter((run) => run.seed === seed);
  const sections = [
    `Share of test images that are right, by the head each method is judged by, with 95 % intervals (seed ${seed}):\n${runsTable(first)}`,
    'Tail: classes that were trained in one or two scenes. False link: share of bare backgrounds of a tail class’s own scenes\nthat are named as that class.',
    ...comparisons.map(
      ({ against, comparison }) =>
        `CSA against ${METHODS_BY_NAME[against].title}, the same test images (seed ${seed}):\n${comparisonLines(
          against,
          comparison,
        )
          .map((line) => `  ${line}`)
          .join('\n')}`,
    ),
    ...seeds.map(({ against, comparison, unseen, bound }) => {
      const names: [string, string] = [SHORT[against], SHORT.csa];
      const lines = [
        `all classes: ${differenceText(comparison.macroRecall, names)}`,
        ...GROUPS.map((group) => `${group}: ${differenceText(comparison.groups[group], names)}`),
        `tail, unseen scenes: ${differenceText(unseen, names)}`,
        `false link (lower is better): ${differenceText(bound, names)}`,
      ];
      return `CSA against ${METHODS_BY_NAME[against].title}, paired by seed:\n${lines.map((line) => `  ${line}`).join('\n')}`;
    }),
    seeds.length === 0
      ? 'One seed tells nothing about the luck of training; `contexture sample --all --seeds 5` repeats it.'
      : '',
    `${count(contexts.accepted)} of ${count(contexts.found)} contexts accepted. ${count(exported.pictures)} pictures exported to ${exported.folder}, ${exported.verified ? 'verified' : 'NOT verified'}.`,
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}
