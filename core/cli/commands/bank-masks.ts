import { Argument } from '@commander-js/extra-typings';
import { percent } from '../../evaluation/sentences.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { selectIds, stateOption } from '../select-contexts.ts';
import { table } from '../table.ts';

const OPERATIONS = ['invert', 'grow', 'shrink', 'fill-holes', 'drop-specks', 'smooth', 'binarize'] as const;

export const MASK_EXAMPLES = {
  morph: ['bank morph shrink --amount 3 --class owl', 'take 3 pixels off the context of the undecided owls'],
  disputed: ['bank disputed --run 2', 'reviewed masks that the model of run 2 contradicts'],
} as const;

/** The subcommands of "bank" that work on many masks. */
export const addBankMasks: AddCommand = (bank, cli) => {
  bank
    .command('morph')
    .description('Change masks by an operation, each as a new version. Words are about the context, which is white.')
    .addArgument(
      new Argument(
        '<operation>',
        'fill-holes and drop-specks: spots of at most --amount pixels; smooth: mean over --amount pixels each way',
      ).choices(OPERATIONS),
    )
    .argument('[context...]', 'numbers; without any, all undecided ones that fit the options')
    .option('--amount <pixels>', 'radius, or largest area of a spot', integer(1, 1_000_000), 1)
    .addOption(stateOption())
    .option('--class <name>', 'those of this class')
    .option('--min-probability <p>', 'those at least so sure', number(0, 1))
    .addHelpText('after', examples(MASK_EXAMPLES.morph))
    .action((operation, ids, { amount, ...options }) =>
      cli.perform('bank morph', async (session) => {
        const { madeWith } = await import('../../services/bank.ts');
        const { morphMasks } = await import('../../services/review-masks.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const chosen = selectIds(project.store, ids, options);
        const change = { operation, amount };
        const made = await morphMasks(project, chosen, change, await session.by(), { onEvent, signal });
        const used = await madeWith(project, chosen);
        return { data: { made, madeWith: used }, text: `${plural(made, 'mask')} made. ${used.sentence}` };
      }),
    );

  bank
    .command('disputed')
    .description('Reviewed contexts whose mask the saliency of a run contradicts, worst first.')
    .option('--run <number>', 'whose model judges (default: the newest that contexts were found with)', integer(1))
    .option('--limit <number>', 'show so many (--json lists all)', integer(1), 50)
    .addHelpText('after', examples(MASK_EXAMPLES.disputed))
    .action(({ run, limit }) =>
      cli.perform('bank disputed', async (session) => {
        const { disputedMasks } = await import('../../services/review-masks.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const data = await disputedMasks(project, run, { onEvent, signal });
        const { disputed, compared, runName } = data;
        const rows = disputed
          .slice(0, limit)
          .map(({ context, mask, modelMask, iou }) => [String(context), percent(iou), String(mask), String(modelMask)]);
        const listed = table(['>context', '>overlap', '>mask', ">model's mask"], rows);
        const more = disputed.length > rows.length ? [`and ${count(disputed.length - rows.length)} more`] : [];
        const judged = `Run ${data.run} (${runName}) disputes ${count(disputed.length)} of ${plural(compared, 'reviewed mask')}.`;
        return { data, text: [...(rows.length > 0 ? [listed, ...more] : []), judged].join('\n') };
      }),
    );
};
