import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { plural } from '../format.ts';
import { examples } from '../help.ts';
import { selectIds, stateOption } from '../select-contexts.ts';

export const KEEP_EXAMPLES = {
  retire: ['bank retire 12 15', 'no later run or export draws from these two'],
  restore: ['bank restore 12', 'put context 12 back into the bank'],
  note: ['bank note 12 "night, wet road"', 'what there is to say about context 12'],
} as const;

/** The subcommands of "bank" that keep it: retire, restore, note. */
export const addBankKeep: AddCommand = (bank, cli) => {
  for (const [name, retired, description] of [
    ['retire', true, 'Take contexts out of the bank and keep them: no later run or export draws from them.'],
    ['restore', false, 'Put retired contexts back into the bank.'],
  ] as const) {
    bank
      .command(name)
      .description(description)
      .argument(
        '[context...]',
        `numbers; without any, all ${retired ? 'accepted' : 'retired'} ones that fit the options`,
      )
      .addOption(stateOption())
      .option('--class <name>', 'those of this class')
      .option('--min-probability <p>', 'those at least so sure', number(0, 1))
      .addHelpText('after', examples(KEEP_EXAMPLES[name]))
      .action((ids, options) =>
        cli.perform(`bank ${name}`, async (session) => {
          const { madeWith, retireContexts } = await import('../../services/bank.ts');
          const project = await session.project();
          const state = options.state ?? (retired ? 'accepted' : undefined);
          const chosen = selectIds(project.store, ids, { ...options, state, retired: !retired });
          const changed = retireContexts(project, chosen, retired, await session.by());
          const bankSize = project.store.contexts.bankSize();
          const done = `${plural(changed.length, 'context')} ${retired ? 'retired' : 'put back'}.`;
          const text = `${done} The bank holds ${plural(bankSize, 'context')}.`;
          if (!retired || changed.length === 0) return { data: { changed: changed.length, bank: bankSize }, text };
          const made = await madeWith(project, changed);
          return {
            data: { changed: changed.length, bank: bankSize, madeWith: made },
            text: `${text} ${made.sentence}`,
          };
        }),
      );
  }

  bank
    .command('note')
    .description('Write the note of a context.')
    .argument('<context>', 'its number', integer(1))
    .argument('[text]', 'the note; without any, the note is removed', '')
    .addHelpText('after', examples(KEEP_EXAMPLES.note))
    .action((id, text) =>
      cli.perform('bank note', async (session) => {
        const { noteContext } = await import('../../services/bank.ts');
        const project = await session.project();
        noteContext(project, id, text);
        const { note } = project.store.contexts.get(id)!;
        return {
          data: { context: id, note },
          text: note === '' ? `Context ${id} has no note.` : `Context ${id}: ${note}`,
        };
      }),
    );
};
