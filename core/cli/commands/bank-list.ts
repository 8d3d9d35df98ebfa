import { Option } from '@commander-js/extra-typings';
import { percent } from '../../evaluation/sentences.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { queryFrom, STATES, stateOption } from '../select-contexts.ts';
import { table } from '../table.ts';

const SORTS = ['id', 'probability', 'area', 'class', 'changed', 'gain', 'uses', 'reviewer'] as const;
const GROUPS = ['many', 'medium', 'few'] as const;

export const LIST_EXAMPLES = {
  list: ['bank list --state accepted --class owl', 'the accepted contexts of owls'],
  used: ['bank list --used --no-retired --sort uses --descending', 'what runs and exports used most'],
  reviewer: ['bank list --reviewer Ann --note fog', 'what Ann decided on and noted fog of'],
} as const;

/** The subcommand of "bank" that lists contexts, by the filters of the page. */
export const addBankList: AddCommand = (bank, cli) => {
  bank
    .command('list')
    .description(
      'Contexts with their state, class, p of the true class, share of the picture that is context, who decided, and how ' +
        'many runs and exports used them.',
    )
    .addOption(stateOption())
    .option('--class <name>', 'those of this class')
    .addOption(new Option('--group <group>', 'those of classes in this group').choices(GROUPS))
    .option('--min-probability <p>', 'those at least so sure', number(0, 1))
    .option('--max-probability <p>', 'those at most so sure', number(0, 1))
    .option('--retired', 'those that are retired')
    .option('--no-retired', 'those that are not retired')
    .option('--used', 'those that a run or a finished export used')
    .option('--no-used', 'those that none used')
    .option('--reviewer <name>', 'those that this person decided on')
    .option('--note <text>', 'those with this text in their note')
    .addOption(new Option('--sort <order>', 'in this order').choices(SORTS).default('id' as const))
    .option('--descending', 'largest, last or most first', false)
    .option('--limit <number>', 'show so many (--json lists all)', integer(1), 50)
    .addHelpText('after', examples(...Object.values(LIST_EXAMPLES)))
    .action(({ limit, sort, descending, ...selection }) =>
      cli.perform('bank list', async (session) => {
        const { countUses, useCounts } = await import('../../services/bank.ts');
        const { describeContexts, selectContexts } = await import('../../services/context-view.ts');
        const { contextLines } = await import('../../services/contexts.ts');
        const project = await session.project();
        const { store } = project;
        if (sort === 'uses' || selection.used !== undefined) {
          await countUses(project, { onEvent: session.emit, signal: session.signal });
        }
        const query = { ...queryFrom(store, selection), sort, descending };
        const ids = selectContexts(store, query).map(({ id }) => id);
        const shown = ids.slice(0, limit);
        const uses = await useCounts(project, shown);
        const rows = describeContexts(store, shown).map((row, i) => [
          String(row.id),
          row.retiredAt === null ? row.state : `${row.state}, retired`,
          row.className,
          percent(row.probability),
          percent(row.area),
          row.origin,
          row.reviewer ?? '',
          count(uses[i].runs + uses[i].exports),
          row.path,
        ]);
        const titles = ['>context', 'state', 'class', '>p', '>context area', 'mask', 'reviewer', '>uses', 'image'];
        const more = ids.length > shown.length ? [`and ${count(ids.length - shown.length)} more`] : [];
        const counts = store.contexts.count();
        const backgrounds = store.backgrounds.counts();
        const totals = STATES.map((state) => `${count(counts[state])} ${state}`).join(', ');
        const plain = backgrounds.held === 0 ? '' : ` and ${plural(backgrounds.held, 'plain background')}`;
        const held = `The bank holds ${plural(store.contexts.bankSize(), 'context')}${plain}.`;
        return {
          data: { counts, backgrounds, contexts: contextLines(project, ids) },
          text: [...(rows.length === 0 ? [] : [table(titles, rows), ...more]), `In all: ${totals}. ${held}`].join('\n'),
        };
      }),
    );
};
