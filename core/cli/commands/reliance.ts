import type { CompositionName, RelianceComparison, RelianceDifference, RelianceReport } from '../../api/reliance.ts';
import { GROUPS } from '../../data/groups.ts';
import { COMPOSITIONS } from '../../evaluation/reliance.ts';
import { percent, points } from '../../evaluation/sentences.ts';
import { headOption, integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { estimateCell } from '../run-text.ts';
import { table } from '../table.ts';

const TITLES: Readonly<Record<CompositionName, string>> = {
  original: 'as it is',
  'no-fg': 'background alone',
  'only-fg': 'foreground alone',
  'mixed-same': 'background of its class',
  'mixed-rand': 'background of another class',
};

export const addReliance: AddCommand = (parent, cli) => {
  parent
    .command('reliance')
    .description(
      'How far a finished run goes by the background: its answers to the pictures it was judged on, to their ' +
        'backgrounds and foregrounds alone, and to their foregrounds in front of backgrounds of training pictures.',
    )
    .argument('<run>', 'its number', integer(1))
    .option(
      '--masks-of <run>',
      'whose saliency tells foreground from background (default: its own); one for all runs that are compared',
      integer(1),
    )
    .addOption(headOption('default: the one that the run is judged by'))
    .option('--against <run>', 'compare it with another run, which is measured where it has not been', integer(1))
    .option('--again', 'measure it anew')
    .addHelpText(
      'after',
      examples(
        ['reliance 4', 'measure it once, then tell of it'],
        ['reliance 5 --masks-of 4', 'by the masks of run 4, to compare the two'],
        ['reliance 5 --against 4', 'by how much run 5 goes less by the background, both by the masks of run 4'],
      ),
    )
    .action((run, { masksOf, against, head, again }) =>
      cli.perform('reliance', async (session) => {
        const { measureReliance, relianceReport } = await import('../../services/reliance.ts');
        const project = await session.project();
        const measured = async (id: number, masks: number | undefined): Promise<RelianceReport> => {
          const known = again === true || masksOf !== undefined ? null : await relianceReport(project, id, head);
          if (known !== null) return known;
          const { emit: onEvent, signal } = session;
          await measureReliance(project, id, masks ?? null, session.runJob, { onEvent, signal });
          const report = await relianceReport(project, id, head);
          if (report === null) throw new Error(`what was measured of run ${id} was not kept`);
          return report;
        };
        if (against === undefined) {
          const report = await measured(run, masksOf);
          return { data: { reliance: report }, text: textOf(report) };
        }
        const { compareReliance } = await import('../../services/reliance-comparison.ts');
        const masks = masksOf ?? against;
        await measured(against, masks === against ? undefined : masks);
        await measured(run, masks);
        const comparison = await compareReliance(project, against, run, head);
        return { data: { comparison }, text: comparisonText(comparison) };
      }),
    );
};

function textOf(report: RelianceReport): string {
  const { run, head, split, images, masksOf, reviewed, background, bgGap } = report;
  const accepted = reviewed === 0 ? '' : ` and ${plural(reviewed, 'accepted mask')}`;
  const heading =
    `Run ${run}, ${head} head, on ${split}: ${plural(images, 'picture')}, ${percent(background)} of them background ` +
    `by the saliency of ${masksOf ?? 'the run itself'}${accepted}.`;
  const means = (of: 'confidence' | 'accuracy'): string =>
    table(
      [of === 'confidence' ? 'mean p(true class)' : 'accuracy', 'macro mean', ...GROUPS],
      COMPOSITIONS.map((composition) => {
        const { macro, groups } = report[of][composition];
        return [TITLES[composition], estimateCell(macro), ...GROUPS.map((group) => estimateCell(groups[group]))];
      }),
    );
  const gaps = [
    ['all pictures', bgGap.overall],
    ['macro mean', bgGap.macro],
    ...GROUPS.map((group) => [group, bgGap.groups[group]] as const),
    ...report.classes.map(({ name, trained, bgGap: gap }) => [`${name} (${count(trained)})`, gap] as const),
  ] as const;
  const gapTable = table(
    ['BG-Gap', '>points', '95 % interval', '>pictures'],
    gaps.map(([title, gap]) =>
      gap === null
        ? [title, '-', '-', '0']
        : [title, points(gap.value), `${points(gap.low)} to ${points(gap.high)}`, count(gap.images)],
    ),
  );
  const what =
    'Backgrounds are those of training pictures, without their own foregrounds. BG-Gap: accuracy in front of one of the\n' +
    'same class less accuracy in front of one of another class (arXiv 2006.09994); 0 for a model that does not mind the\n' +
    'background. Classes with their training images.';
  return [heading, means('confidence'), means('accuracy'), gapTable, what].join('\n\n');
}

function comparisonText(comparison: RelianceComparison): string {
  const { baseline, run, heads, split, images, unpaired, bgGap, confidence, classes } = comparison;
  const heading = `Run ${run} (${heads[1]} head) against run ${baseline} (${heads[0]} head) on ${split}: ${plural(images, 'picture')}.`;
  const how = unpaired ?? 'Paired picture by picture: both were shown the same. Intervals by the paired bootstrap.';
  const columns = ['', `run ${baseline}`, `run ${run}`, '>points', '95 % interval', 'direction'];
  const gaps = table(
    ['BG-Gap', ...columns.slice(1)],
    [
      cells('macro mean', bgGap.macro),
      ...GROUPS.map((group) => cells(group, bgGap.groups[group])),
      ...classes.map((row) => cells(`${row.name} (${count(row.trained)})`, row.bgGap)),
    ],
  );
  const means = table(
    ['mean p(true class)', ...columns.slice(1)],
    COMPOSITIONS.flatMap((composition) => [
      cells(`${TITLES[composition]}, macro mean`, confidence[composition].macro),
      ...GROUPS.map((group) => cells(`${TITLES[composition]}, ${group}`, confidence[composition].groups[group])),
    ]),
  );
  return [`${heading}\n${how}`, gaps, means].join('\n\n');
}

function cells(title: string, difference: RelianceDifference | null): string[] {
  if (difference === null) return [title, '-', '-', '-', '-', 'no pictures'];
  const { a, b, value, low, high, direction } = difference;
  return [title, percent(a), percent(b), points(value), `${points(low)} to ${points(high)}`, direction];
}
