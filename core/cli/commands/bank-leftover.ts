import { LEFTOVER_PARTS, type LeftoverContext, type LeftoverReport } from '../../api/leftover.ts';
import { Option } from '@commander-js/extra-typings';
import { UserError } from '../../base/errors.ts';
import { percent, points } from '../../evaluation/sentences.ts';
import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { classNamed, selectIds } from '../select-contexts.ts';
import { table } from '../table.ts';

export const LEFTOVER_EXAMPLES = {
  leftover: ['bank leftover --check --run 4', 'contexts that run 4 still sees the object in'],
  fine: ['bank fine 12 15', 'these two were looked at and hold no leftovers'],
} as const;

/** The subcommands of "bank" that look for what is left of objects in contexts: leftover, fine. */
export const addBankLeftover: AddCommand = (bank, cli) => {
  bank
    .command('leftover')
    .description(
      'Contexts by which a model still names their own class, the foreground painted over, and why: parts of the object ' +
        'that are left, a background that the class usually has, or the outline of the mask.',
    )
    .option('--check', 'look at the bank first (without it, what was found before is listed)')
    .option('--unchecked', 'look only at what the run was not asked about with the mask in force')
    .option('--run <number>', 'whose model looks (default: the newest finished one)', integer(1))
    .option('--class <name>', 'contexts of this class')
    .addOption(new Option('--part <part>', 'which are listed').choices(LEFTOVER_PARTS).default('open' as const))
    .option('--limit <number>', 'show so many', integer(1, 500), 50)
    .addHelpText('after', examples(LEFTOVER_EXAMPLES.leftover))
    .action(({ check, unchecked, run, class: name, part, limit }) =>
      cli.perform('bank leftover', async (session) => {
        const { checkLeftovers, leftoverContexts, leftoverReport } = await import('../../services/leftover.ts');
        const project = await session.project();
        const ofClass = name === undefined ? {} : { classId: classNamed(project.store, name) };
        let asked = run;
        const unread: string[] = [];
        if (check || unchecked) {
          const { emit: onEvent, signal } = session;
          const options = { ...(run === undefined ? {} : { runId: run }), ...ofClass, unchecked: unchecked ?? false };
          const outcome = await checkLeftovers(project, options, session.runJob, { onEvent, signal });
          asked = outcome.run;
          unread.push(...outcome.unreadable.map(({ context, reason }) => `Context ${context}: ${reason}`));
        }
        const report = leftoverReport(project, asked);
        if (!report) throw new UserError('empty', 'No leftovers were looked for yet: add --check.');
        const listed = leftoverContexts(project, report.run, { part, ...ofClass, limit, offset: 0 });
        return { data: { leftover: report, ...listed, unread }, text: textOf(report, listed, unread) };
      }),
    );

  bank
    .command('fine')
    .description('Remember that contexts were looked at and hold no leftovers, until their masks change.')
    .argument('<context...>', 'numbers')
    .option('--forget', 'forget it instead')
    .addHelpText('after', examples(LEFTOVER_EXAMPLES.fine))
    .action((ids, { forget = false }) =>
      cli.perform('bank fine', async (session) => {
        const { markFine } = await import('../../services/leftover.ts');
        const project = await session.project();
        const chosen = selectIds(project.store, ids, {});
        const changed = await markFine(project, chosen, !forget, await session.by());
        const text = `${plural(changed, 'context')} ${forget ? 'no longer' : 'now'} ${changed === 1 ? 'counts' : 'count'} as fine.`;
        return { data: { changed }, text };
      }),
    );
};

const VERDICTS: Readonly<Record<NonNullable<LeftoverContext['verdict']>, string>> = {
  leftover: 'leftover likely',
  'usual-background': "the class's usual background",
  outline: 'outline of the mask',
};

function textOf(
  { run, runName, checked, from, sentence, classes }: LeftoverReport,
  { total, contexts }: { total: number; contexts: readonly LeftoverContext[] },
  unread: readonly string[],
): string {
  const head = `${plural(checked, 'context')} of the bank were shown to run ${run} (${runName}) with the foreground painted over.`;
  const byClass = classes.map((row) => [
    row.name,
    count(row.checked),
    count(row.open),
    count(row.leftovers),
    count(row.backgrounds),
    count(row.outlines),
    count(row.fine),
    count(row.stale),
    points(row.score),
  ]);
  const rows = contexts.map((row) => [
    String(row.context),
    row.className,
    percent(row.whole),
    percent(row.probability),
    percent(row.base),
    points(row.score),
    row.named ? '' : row.answer,
    [
      row.flagged ? (row.verdict === null ? 'flagged' : VERDICTS[row.verdict]) : '',
      row.stale ? 'mask changed since' : '',
      row.fine ? 'fine' : '',
    ]
      .filter(Boolean)
      .join(', '),
    row.path,
  ]);
  const more = total > rows.length ? [`and ${count(total - rows.length)} more`] : [];
  const columns = ['>context', 'class', '>whole', '>painted over', '>base', '>score', 'named', 'state', 'image'];
  return [
    head,
    table(
      [
        'class',
        '>contexts',
        '>to look at',
        '>leftover',
        '>background',
        '>outline',
        '>fine',
        '>mask changed',
        '>mean score',
      ],
      byClass,
    ),
    ...(rows.length === 0 ? [] : [[table(columns, rows), ...more].join('\n')]),
    `Score: points by which the class is surer than by contexts of other classes. Flagged: named, with ${points(from)} or more.`,
    ...unread,
    sentence,
  ].join('\n\n');
}
