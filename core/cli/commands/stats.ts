import type { TailReport } from '../../services/stats.ts';
import { thresholds } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, oneLine, plural } from '../format.ts';
import { examples } from '../help.ts';
import { facts, table } from '../table.ts';

export const addStats: AddCommand = (parent, cli) => {
  parent
    .command('stats')
    .description('What the data set looks like: classes, tail, splits, duplicates, problems.')
    .option('--set-groups <many,few>', 'keep other thresholds of the groups in the project', thresholds)
    .option('--log', 'bars that grow with the logarithm, so that small classes show')
    .option('--table', 'all classes with their splits and groups instead of bars')
    .option('--duplicates', 'list every group of identical images')
    .option('--problems', 'list everything that the import could not use or that wants a look')
    .addHelpText(
      'after',
      examples(
        ['stats', 'an overview of the only project in this folder'],
        ['stats --duplicates --project birds.contexture', 'which pictures are there twice, and which leak'],
        ['stats --set-groups 200,50', 'many: more than 200 training images; few: fewer than 50'],
      ),
    )
    .action((options) =>
      cli.perform('stats', async (session) => {
        const { GROUPS_SETTING, tailReport } = await import('../../services/stats.ts');
        const { findDuplicates } = await import('../../services/duplicates.ts');
        const { duplicateLines } = await import('../../data/duplicates.ts');
        const { tailBars } = await import('../../data/tail.ts');
        const { store } = await session.project();
        if (options.setGroups) store.settings.set(GROUPS_SETTING, { ...options.setGroups });
        const report = tailReport(store);
        const duplicates = options.duplicates ? findDuplicates(store) : undefined;
        const problems = options.problems ? store.problems.list() : undefined;
        const width = Math.min(session.columns, 100);
        const sections = [
          overview(report),
          options.table
            ? classTable(report)
            : tailBars(report.tail.classes, { scale: options.log ? 'log' : 'linear', width }).join('\n'),
          duplicates ? ['Identical images:', ...duplicateLines(duplicates).map(oneLine)].join('\n') : '',
          problems ? problemTable(problems) : problemSummary(report),
          report.warnings.map((warning) => `Note: ${oneLine(warning)}`).join('\n'),
        ];
        return {
          data: {
            ...report,
            ...(duplicates ? { duplicateGroups: duplicates.groups } : {}),
            ...(problems ? { problemList: problems } : {}),
          },
          text: sections.filter((section) => section !== '').join('\n\n'),
        };
      }),
    );
};

const decimals = (value: number | null): string => (value === null ? 'none' : value.toFixed(2));

function overview({ images, splits, evaluation, tail, duplicates }: TailReport): string {
  const { many, few } = tail.thresholds;
  const inGroup = (group: string): string => count(tail.classes.filter((record) => record.group === group).length);
  const left = [
    images.excluded > 0 ? `${count(images.excluded)} excluded` : '',
    images.missing > 0 ? `${count(images.missing)} missing` : '',
    images.changed > 0 ? `${count(images.changed)} changed` : '',
  ].filter((part) => part !== '');
  return facts([
    ['Images', [`${count(images.usable)} usable`, ...left].join(', ')],
    ['Splits', `train ${count(splits.train)}, val ${count(splits.val)}, test ${count(splits.test)}`],
    ['Measured on', evaluation ? `${evaluation.name} (${plural(evaluation.images, 'image')})` : 'nothing yet'],
    [
      'Classes',
      `${count(tail.classes.length)}: ${inGroup('many')} many (over ${many}), ${inGroup('medium')} medium, ` +
        `${inGroup('few')} few (under ${few})`,
    ],
    ['Largest / smallest', tail.ratio === null ? 'none' : tail.ratio.toFixed(1)],
    ['Gini coefficient', decimals(tail.gini)],
    ['Effective classes', decimals(tail.effectiveClasses)],
    [
      'Identical images',
      `${count(duplicates.surplus)} beyond the first of their kind; ${plural(duplicates.leaks, 'leak')} between ` +
        `splits, ${plural(duplicates.conflicts, 'conflict')} between classes`,
    ],
  ]);
}

function classTable({ classes }: TailReport): string {
  const rows = classes.map((row) => [
    row.name,
    count(row.train),
    count(row.val),
    count(row.test),
    count(row.excluded),
    row.group,
    row.rankGroup,
  ]);
  return table(['class', '>train', '>val', '>test', '>excluded', 'group', 'by rank'], rows);
}

function problemSummary({ problems }: TailReport): string {
  if (problems.length === 0) return '';
  const rows = problems.map(({ severity, kind, count: number, example }) => [
    severity,
    kind,
    count(number),
    example.path || example.reason,
  ]);
  return table(['problem', 'kind', '>count', 'as in'], rows);
}

function problemTable(problems: readonly { severity: string; kind: string; path: string; reason: string }[]): string {
  if (problems.length === 0) return 'No problems.';
  const rows = problems.map(({ severity, kind, path, reason }) => [severity, kind, path, reason]);
  return table(['problem', 'kind', 'path', 'reason'], rows);
}
