import { DEFAULT_TWINS_FROM, type BankMember, type DiversityReport } from '../../api/bank.ts';
import { percent } from '../../evaluation/sentences.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const DIVERSITY_EXAMPLES = {
  diversity: ['bank diversity --run 4', 'how many different contexts the bank comes to, by the model of run 4'],
} as const;

/** The subcommand of "bank" that tells how diverse it is. */
export const addBankDiversity: AddCommand = (bank, cli) => {
  bank
    .command('diversity')
    .description(
      'How many different backgrounds the bank comes to (Vendi score of order 2 over pooled features, foregrounds painted ' +
        'over; plain backgrounds count, too), and which are near twins.',
    )
    .option('--run <number>', 'whose model looks (default: the newest finished one)', integer(1))
    .option('--twins-from <cosine>', 'near twins are at least so alike', number(0.5, 1), DEFAULT_TWINS_FROM)
    .option('--limit <number>', 'show so many twins (--json lists more)', integer(1), 20)
    .addHelpText('after', examples(DIVERSITY_EXAMPLES.diversity))
    .action(({ run, twinsFrom, limit }) =>
      cli.perform('bank diversity', async (session) => {
        const { measureDiversity } = await import('../../services/diversity.ts');
        const { emit: onEvent, signal } = session;
        const options = { ...(run === undefined ? {} : { runId: run }), twinsFrom };
        const report = await measureDiversity(await session.project(), options, session.runJob, { onEvent, signal });
        return { data: { diversity: report }, text: textOf(report, limit) };
      }),
    );
};

function textOf(report: DiversityReport, limit: number): string {
  const { run, runName, contexts, effective, classes, plain, twins, pairs, twinsFrom, sentence } = report;
  const all = contexts + (plain?.backgrounds ?? 0);
  const looked = [plural(contexts, 'context'), ...(plain ? [plural(plain.backgrounds, 'plain background')] : [])];
  const head =
    `By the model of run ${run} (${runName}), ${looked.join(' and ')} come to ${effective.toFixed(1)} ` +
    'different ones.';
  const part = (name: string, held: number, different: number): string[] => [
    name,
    count(held),
    percent(held / all),
    different.toFixed(1),
  ];
  const parts = [
    ...classes.map((row) => part(row.name, row.contexts, row.effective)),
    ...(plain ? [part('plain backgrounds', plain.backgrounds, plain.effective)] : []),
  ];
  const alike = `${plural(pairs, 'pair')} of near twins, cosine ${twinsFrom} or more.`;
  const listed = twins
    .slice(0, limit)
    .map(({ a, b, cosine }) => [memberInWords(a), memberInWords(b), cosine.toFixed(3)]);
  return [
    head,
    table(['class', '>held', '>of the bank', '>different'], parts),
    ...(listed.length === 0 ? [alike] : [`${alike}\n${table(['this', 'and its twin', '>cosine'], listed)}`]),
    sentence,
  ].join('\n\n');
}

function memberInWords({ kind, id }: BankMember): string {
  return `${kind} ${id}`;
}
