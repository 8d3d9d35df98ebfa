import type { Difference } from '../../evaluation/compare.ts';
import { GROUPS } from '../../data/groups.ts';
import { primaryHead } from '../../evaluation/figures.ts';
import { percent, points } from '../../evaluation/sentences.ts';
import type { RunComparison, RunDetail } from '../../services/runs.ts';
import { TrainConfig } from '../../training/config.ts';
import { storedFigures } from '../../training/stored-figures.ts';
import { isNote } from '../../training/warnings.ts';
import { headOption, integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { duration, localTime, plural } from '../format.ts';
import { examples } from '../help.ts';
import { networkText, tuningText } from '../../training/network-text.ts';
import { classTable, figuresTable, variantsTable } from '../run-text.ts';
import { facts, table } from '../table.ts';

export const addRuns: AddCommand = (parent, cli) => {
  parent
    .command('runs')
    .description('All runs of the project, newest first, with the figures of the head each is judged by.')
    .option('--search <words>', 'those whose name, tags, notes, method, network or weights have all of these words')
    .addHelpText('after', examples(['runs', 'what was trained'], ['runs --search efficientnet', 'on that backbone']))
    .action(({ search = '' }) =>
      cli.perform('runs', async (session) => {
        const { listRuns } = await import('../../services/runs.ts');
        const { searchRuns } = await import('../../services/run-history.ts');
        const project = await session.project();
        const all = listRuns(project);
        const runs = all.filter(searchRuns(project.store, all, search));
        const rows = runs.map((run) => {
          const figures = storedFigures(run.figures);
          const head = figures?.evaluation && primaryHead(figures.evaluation);
          return [
            String(run.id),
            run.name,
            run.state,
            cell(head?.top1),
            ...GROUPS.map((group) => cell(head?.groups[group])),
            duration(run.seconds),
            localTime(run.createdAt),
          ];
        });
        const columns = ['>run', 'name', 'state', '>top-1', '>many', '>medium', '>few', '>work', 'made'];
        return {
          data: { runs },
          text: rows.length > 0 ? table(columns, rows) : search === '' ? 'No runs.' : `No run has “${search}”.`,
        };
      }),
    );

  parent
    .command('show')
    .description('One run: settings, figures with intervals, warnings.')
    .argument('<run>', 'its number', integer(1))
    .option('--classes', 'figures of every class')
    .option('--epochs', 'losses and figures of every epoch')
    .option('--ranges', "also the paper's groups by rank")
    .option('--config', 'every setting')
    .addHelpText('after', examples(['show 4 --classes', 'run 4, class by class']))
    .action((id, options) =>
      cli.perform('show', async (session) => {
        const { showRun } = await import('../../services/runs.ts');
        const { listVariants } = await import('../../services/variants.ts');
        const project = await session.project();
        const detail = showRun(project, id);
        const variants = listVariants(project, id);
        const evaluation = storedFigures(detail.run.figures)?.evaluation;
        const sections = [
          overview(detail),
          evaluation ? figuresTable(evaluation, { ranges: options.ranges ?? false }) : '',
          options.classes && evaluation ? classTable(evaluation, detail.classes) : '',
          variantsTable(variants),
          options.epochs ? epochTable(detail) : '',
          options.config ? JSON.stringify(detail.run.config, null, 2) : '',
          detail.warnings.map(warningText).join('\n'),
        ];
        return { data: { ...detail, variants }, text: sections.filter((section) => section !== '').join('\n\n') };
      }),
    );

  parent
    .command('compare')
    .description('Is the second run better than the first? Paired on the test images that both were judged on.')
    .argument('<first>', 'number of a run, such as the control', integer(1))
    .argument('<second>', 'number of another', integer(1))
    .addOption(headOption('compare this head (default: the one each is judged by)'))
    .option('--classes', 'every class')
    .option('--ranges', "also the paper's groups by rank")
    .addHelpText('after', examples(['compare 3 4', 'control (run 3) and CSA (run 4) of the same seed']))
    .action((first, second, { head, classes, ranges }) =>
      cli.perform('compare', async (session) => {
        const { compareTwoRuns } = await import('../../services/runs.ts');
        const result = await compareTwoRuns(await session.project(), first, second, head);
        return { data: result, text: comparisonText(result, { classes: classes ?? false, ranges: ranges ?? false }) };
      }),
    );
};

const cell = (estimate: { value: number } | null | undefined): string => (estimate ? percent(estimate.value) : '-');

/** A note of how it was made, or what it warns of and when. */
function warningText({ name, epoch, message }: RunDetail['warnings'][number]): string {
  return isNote({ name }) ? `Note: ${message}` : `Warning (epoch ${epoch + 1}): ${message}`;
}

function overview({ run }: RunDetail): string {
  const figures = storedFigures(run.figures);
  const config = TrainConfig.parse(run.config);
  const lines: [string, string][] = [
    ['Run', `${run.id}, ${run.name}`],
    ['Method', run.method],
    ['Network', networkText(config)],
    ['Trained', tuningText(config)],
    ['State', run.reason === null ? run.state : `${run.state}: ${run.reason}`],
    ['Seed', String(run.seed)],
    ['Made', localTime(run.createdAt)],
    ['Work', duration(run.seconds)],
    ['Data set', run.datasetHash.slice(0, 12)],
    ...(run.bankHash === null ? [] : [['Curated bank', run.bankHash.slice(0, 12)] as [string, string]]),
    ['Version', run.codeVersion],
  ];
  if (figures?.evaluation)
    lines.push(['Measured on', `${figures.split}, ${plural(figures.evaluation.images, 'image')}`]);
  return facts(lines);
}

function epochTable({ epochs }: RunDetail): string {
  const rows = epochs.map(({ epoch, figures }) => {
    const told = storedFigures(figures);
    const top1 = told?.evaluation && primaryHead(told.evaluation).top1;
    return [
      String(epoch + 1),
      told?.learningRate.toPrecision(2) ?? '-',
      told?.uniformLoss.toFixed(4) ?? '-',
      told?.balancedLoss?.toFixed(4) ?? '-',
      told?.bank ? `${told.bank.count}/${told.bank.capacity}` : '-',
      top1 ? percent(top1.value) : '-',
    ];
  });
  return table(['>epoch', '>rate', '>loss', '>balanced loss', '>bank', '>top-1'], rows);
}

const row = (title: string, difference: Difference | null): string[] =>
  difference === null
    ? [title, '-', '-', '-', '-', 'no test images']
    : [
        title,
        percent(difference.a),
        percent(difference.b),
        points(difference.value),
        `${points(difference.low)} to ${points(difference.high)}`,
        difference.verdict,
      ];

function comparisonText(
  { a, b, classes, heads, split, comparison }: RunComparison,
  options: { classes: boolean; ranges: boolean },
): string {
  const rows = [
    row('Top-1', comparison.overall),
    row('Macro recall', comparison.macroRecall),
    ...GROUPS.map((group) => row(group, comparison.groups[group])),
    ...(options.ranges ? GROUPS.map((group) => row(`${group} by rank`, comparison.ranges[group])) : []),
    ...(options.classes ? comparison.classes.map((difference, label) => row(classes[label], difference)) : []),
  ];
  const heading =
    `Run ${b.id} (${b.name}, ${heads[1]} head) against run ${a.id} (${a.name}, ${heads[0]} head)\n` +
    `on ${split}, ${plural(comparison.images, 'image')}, paired; differences in points with 95 % intervals`;
  return `${heading}\n\n${table(['', `>run ${a.id}`, `>run ${b.id}`, '>difference', '>interval', 'verdict'], rows)}`;
}
