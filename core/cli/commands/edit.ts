import type { Edit } from '../../storage/records.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { findImages } from '../find-images.ts';
import { count, localTime } from '../format.ts';
import { examples } from '../help.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

const IMAGES = 'numbers or paths of images, or folders of them';

const EXAMPLES = {
  exclude: ['edit exclude train/owl/0007.png train/blurred', 'leave an image and a folder of images out'],
  include: ['edit include 812', 'bring image 812 back'],
  relabel: ['edit relabel owl 812 train/eagle/0003.png', 'these two are owls'],
  merge: ['edit merge tabby tiger-cat --into cat', 'let both classes count as cat'],
  unmerge: ['edit unmerge tabby', 'tabby stands for itself again'],
  split: ['edit split --test 0.2 --seed 1', 'deal a test split where there is none'],
  'long-tail': ['edit long-tail --ratio 100', 'make the training split long-tailed'],
  undo: ['edit undo', 'take the newest edit back'],
  redo: ['edit redo', 'make it again'],
  history: ['edit history', 'what was edited, when and by whom'],
} as const;

export const addEdit: AddCommand = (parent, cli) => {
  const edit = parent
    .command('edit')
    .description('Change the view of the data set: every edit can be undone, files stay as they are.')
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  edit
    .command('exclude')
    .description('Leave images out.')
    .addHelpText('after', examples(EXAMPLES.exclude))
    .argument('[image...]', IMAGES)
    .option('--reason <text>', 'for the history', '')
    .option('--duplicates', 'every image beyond the first of identical ones')
    .option('--near-duplicates', 'every image beyond the first of nearly the same ones, as they were looked for')
    .action((images, { reason, duplicates, nearDuplicates }) =>
      cli.perform('edit exclude', async (session) => {
        const { excludeImages } = await import('../../services/edits.ts');
        const { findDuplicates, findNear } = await import('../../services/duplicates.ts');
        const { requireScan } = await import('../../services/near-duplicates.ts');
        const { store } = await session.project();
        if (nearDuplicates) requireScan(store);
        const groups = [
          ...(duplicates ? findDuplicates(store).groups.map((group) => group.images.map(({ id }) => id)) : []),
          ...(nearDuplicates ? findNear(store)!.groups.map(({ imageIds }) => imageIds) : []),
        ];
        const ids = [...findImages(store, images, session.cwd), ...groups.flatMap((group) => group.slice(1))];
        return edited(excludeImages(store, ids, await session.by(), reason));
      }),
    );

  edit
    .command('include')
    .description('Bring excluded images back.')
    .addHelpText('after', examples(EXAMPLES.include))
    .argument('<image...>', IMAGES)
    .option('--reason <text>', 'for the history', '')
    .action((images, { reason }) =>
      cli.perform('edit include', async (session) => {
        const { includeImages } = await import('../../services/edits.ts');
        const { store } = await session.project();
        return edited(includeImages(store, findImages(store, images, session.cwd), await session.by(), reason));
      }),
    );

  edit
    .command('relabel')
    .description('Give images another class.')
    .addHelpText('after', examples(EXAMPLES.relabel))
    .argument('<class>', 'the class they belong to')
    .argument('<image...>', IMAGES)
    .option('--create', 'make the class when it does not exist')
    .action((className, images, { create }) =>
      cli.perform('edit relabel', async (session) => {
        const { relabelImages } = await import('../../services/edits.ts');
        const { store } = await session.project();
        const options = { create: create ?? false };
        return edited(
          relabelImages(store, findImages(store, images, session.cwd), className, await session.by(), options),
        );
      }),
    );

  edit
    .command('merge')
    .description('Let classes count as one class.')
    .addHelpText('after', examples(EXAMPLES.merge))
    .argument('<class...>', 'the classes to merge')
    .requiredOption('--into <class>', 'an existing class or a new name')
    .action((names, { into }) =>
      cli.perform('edit merge', async (session) => {
        const { mergeClasses } = await import('../../services/edits.ts');
        const { store } = await session.project();
        return edited(mergeClasses(store, names, into, await session.by()));
      }),
    );

  edit
    .command('unmerge')
    .description('Let merged classes stand for themselves again.')
    .addHelpText('after', examples(EXAMPLES.unmerge))
    .argument('<class...>', 'the classes to take out of their merge')
    .action((names) =>
      cli.perform('edit unmerge', async (session) => {
        const { mergeClasses } = await import('../../services/edits.ts');
        const { store } = await session.project();
        return edited(mergeClasses(store, names, null, await session.by()));
      }),
    );

  edit
    .command('split')
    .description('Deal images to val and test, stratified by class.')
    .addHelpText('after', examples(EXAMPLES.split))
    .option('--val <share>', 'share of the images for validation', number(0, 1), 0)
    .option('--test <share>', 'share of the images for the test', number(0, 1), 0)
    .option('--seed <number>', 'of the deal', integer(0), 1)
    .action((options) =>
      cli.perform('edit split', async (session) => {
        const { assignSplit } = await import('../../services/edits.ts');
        const { store } = await session.project();
        const result = assignSplit(store, options, await session.by());
        const { classes } = result.plan;
        const rows = classes.map((row) => [row.name, count(row.train), count(row.val), count(row.test)]);
        return edited(result.edit, table(['class', '>train', '>val', '>test'], rows), { classes });
      }),
    );

  edit
    .command('long-tail')
    .description('Make the training split long-tailed, sizes falling exponentially from class to class.')
    .addHelpText('after', examples(EXAMPLES['long-tail']))
    .option('--ratio <number>', 'largest class over smallest', number(1), 100)
    .option('--largest <images>', 'size of the largest class (default: as it is)', integer(1))
    .option('--by-size', 'keep the order of size; without it classes go by name, as in the paper')
    .option('--seed <number>', 'of the choice', integer(0), 1)
    .action(({ ratio, largest, bySize, seed }) =>
      cli.perform('edit long-tail', async (session) => {
        const { makeLongTailed } = await import('../../services/edits.ts');
        const { store } = await session.project();
        const order = bySize ? 'size' : 'name';
        const options = { ratio, order, seed, ...(largest === undefined ? {} : { largest }) } as const;
        const result = makeLongTailed(store, options, await session.by());
        const { classes } = result.plan;
        const rows = classes.map((row) => [row.name, count(row.images), count(row.kept)]);
        return edited(result.edit, table(['class', '>images', '>kept'], rows), { classes });
      }),
    );

  edit
    .command('undo')
    .description('Take the newest edit back.')
    .addHelpText('after', examples(EXAMPLES.undo))
    .action(() => cli.perform('edit undo', undo));

  edit
    .command('redo')
    .description('Make the edit that was taken back last again.')
    .addHelpText('after', examples(EXAMPLES.redo))
    .action(() => cli.perform('edit redo', redo));

  edit
    .command('history')
    .description('All edits, oldest first.')
    .addHelpText('after', examples(EXAMPLES.history))
    .action(() => cli.perform('edit history', history));
};

async function edited(edit: Edit, details = '', data: object = {}): Promise<Outcome> {
  const { editText } = await import('../../data/edits.ts');
  return { data: { edit, ...data }, text: [details, editText(edit)].filter((part) => part !== '').join('\n') };
}

async function undo(session: Session): Promise<Outcome> {
  const { undoEdit } = await import('../../services/edits.ts');
  const { editText } = await import('../../data/edits.ts');
  const { store } = await session.project();
  const edit = undoEdit(store, new Date().toISOString());
  return { data: { edit }, text: `Taken back: ${editText(edit)}` };
}

async function redo(session: Session): Promise<Outcome> {
  const { redoEdit } = await import('../../services/edits.ts');
  const { editText } = await import('../../data/edits.ts');
  const { store } = await session.project();
  const edit = redoEdit(store);
  return { data: { edit }, text: `Made again: ${editText(edit)}` };
}

async function history(session: Session): Promise<Outcome> {
  const { editHistory } = await import('../../services/edits.ts');
  const { store } = await session.project();
  const edits = editHistory(store);
  const rows = edits.map(({ id, at, author, text, undoneAt }) => [
    String(id),
    localTime(at),
    author,
    undoneAt === null ? text : `(taken back) ${text}`,
  ]);
  return { data: { edits }, text: rows.length === 0 ? 'No edits.' : table(['>edit', 'when', 'who', 'what'], rows) };
}
