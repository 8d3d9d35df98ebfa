import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const BACKGROUND_EXAMPLES = {
  'add-backgrounds': ['bank add-backgrounds empty-frames', 'pictures without an object, all of them context'],
  backgrounds: ['bank backgrounds', 'the plain backgrounds of the bank'],
  'retire-backgrounds': ['bank retire-backgrounds 3 4', 'no later run or export draws from these two'],
  'restore-backgrounds': ['bank restore-backgrounds 3', 'put background 3 back into the bank'],
  'note-background': ['bank note-background 3 "dusk, wet road"', 'what there is to say about background 3'],
  'remove-backgrounds': ['bank remove-backgrounds 4', 'forget background 4; its file stays'],
} as const;

/** Problems that are listed. */
const LISTED = 20;

/** Several numbers of backgrounds, one word each. */
const numbers = (text: string, before: number[] | undefined): number[] => [...(before ?? []), integer(1)(text)];

/** The subcommands of "bank" for plain backgrounds. */
export const addBankBackgrounds: AddCommand = (bank, cli) => {
  bank
    .command('add-backgrounds')
    .description(
      'Add the pictures of folders to the bank as plain backgrounds: all of them is context, and they have no class. ' +
        'The files stay where they are. A picture that is also in the data set is refused.',
    )
    .argument('<folder...>', 'folders of plain backgrounds; their subfolders are looked into')
    .addHelpText('after', examples(BACKGROUND_EXAMPLES['add-backgrounds']))
    .action((folders) =>
      cli.perform('bank add-backgrounds', async (session) => {
        const { addBackgrounds } = await import('../../services/backgrounds.ts');
        const project = await session.project();
        const paths = folders.map((folder) => session.path(folder));
        const { emit: onEvent, signal } = session;
        const added = await addBackgrounds(project, paths, await session.by(), session.runJob, { onEvent, signal });
        const { held } = project.store.backgrounds.counts();
        const others = [
          ...(added.known > 0 ? [`${count(added.known)} known`] : []),
          ...(added.changed > 0 ? [`${count(added.changed)} changed`] : []),
          ...(added.refused > 0 ? [`${count(added.refused)} refused`] : []),
        ];
        const details = others.length > 0 ? ` (${others.join(', ')})` : '';
        const text = `${plural(added.added, 'background')} added${details}. The bank holds ${plural(held, 'plain background')}.`;
        const rows = added.problems.slice(0, LISTED).map(({ severity, path, reason }) => [severity, path, reason]);
        const listed = rows.length > 0 ? `\n\n${table(['problem', 'file', 'reason'], rows)}` : '';
        return { data: { ...added, held }, text: text + listed };
      }),
    );

  bank
    .command('backgrounds')
    .description('List the plain backgrounds with what was made with each.')
    .addHelpText('after', examples(BACKGROUND_EXAMPLES.backgrounds))
    .action(() =>
      cli.perform('bank backgrounds', async (session) => {
        const { listBackgrounds } = await import('../../services/backgrounds.ts');
        const project = await session.project();
        const backgrounds = await listBackgrounds(project);
        const rows = backgrounds.map(({ id, file, width, height, retiredAt, runs, exports, note }) => [
          String(id),
          retiredAt === null ? 'in the bank' : 'retired',
          `${width} x ${height}`,
          count(runs),
          count(exports),
          file,
          note,
        ]);
        const head = ['>background', 'state', 'size', '>runs', '>exports', 'file', 'note'];
        const text =
          rows.length === 0
            ? 'There are no plain backgrounds. Add some with "bank add-backgrounds".'
            : table(head, rows);
        return { data: { backgrounds }, text };
      }),
    );

  for (const [name, retired, description] of [
    ['retire-backgrounds', true, 'Take plain backgrounds out of the bank and keep them.'],
    ['restore-backgrounds', false, 'Put retired plain backgrounds back into the bank.'],
  ] as const) {
    bank
      .command(name)
      .description(description)
      .argument('<background...>', 'their numbers', numbers)
      .addHelpText('after', examples(BACKGROUND_EXAMPLES[name]))
      .action((ids) =>
        cli.perform(`bank ${name}`, async (session) => {
          const { retireBackgrounds } = await import('../../services/backgrounds.ts');
          const project = await session.project();
          const changed = retireBackgrounds(project, ids, retired, (await session.by()).at);
          const { held } = project.store.backgrounds.counts();
          const done = `${plural(changed, 'background')} ${retired ? 'retired' : 'put back'}.`;
          return { data: { changed, held }, text: `${done} The bank holds ${plural(held, 'plain background')}.` };
        }),
      );
  }

  bank
    .command('note-background')
    .description('Write the note of a plain background.')
    .argument('<background>', 'its number', integer(1))
    .argument('[text]', 'the note; without any, the note is removed', '')
    .addHelpText('after', examples(BACKGROUND_EXAMPLES['note-background']))
    .action((id, text) =>
      cli.perform('bank note-background', async (session) => {
        const { noteBackground } = await import('../../services/backgrounds.ts');
        const project = await session.project();
        noteBackground(project, id, text);
        const { note } = project.store.backgrounds.get(id)!;
        return {
          data: { background: id, note },
          text: note === '' ? `Background ${id} has no note.` : `Background ${id}: ${note}`,
        };
      }),
    );

  bank
    .command('remove-backgrounds')
    .description('Forget plain backgrounds that nothing was made with. Their files stay.')
    .argument('<background...>', 'their numbers', numbers)
    .addHelpText('after', examples(BACKGROUND_EXAMPLES['remove-backgrounds']))
    .action((ids) =>
      cli.perform('bank remove-backgrounds', async (session) => {
        const { removeBackgrounds } = await import('../../services/backgrounds.ts');
        const project = await session.project();
        await removeBackgrounds(project, ids);
        return { data: { removed: ids }, text: `${plural(ids.length, 'background')} removed.` };
      }),
    );
};
