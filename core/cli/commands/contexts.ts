import { UserError } from '../../base/errors.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { REFINE_EPSILON, REFINE_GRAIN, REFINE_RADIUS, ruleFrom } from '../mask-rule.ts';

export const addContexts: AddCommand = (parent, cli) => {
  parent
    .command('contexts')
    .description(
      'Find the background of the training images with the model of a finished run: saliency, a mask and how sure the ' +
        'model is of each image. The same command goes on where it was stopped. Then decide with "bank".',
    )
    .option('--run <number>', 'whose model looks (default: the newest finished run)', integer(1))
    .option(
      '--size <pixels>',
      'shorter side that goes through the network; larger is finer and slower (default: as suits the model)',
      integer(32, 1024),
    )
    .option(
      '--second-size <pixels>',
      'look at another size as well and average both: twice the work, fewer parts missed',
      integer(32, 1024),
    )
    .option('--mirror', 'average in the mirror images as well: twice the work (default: as suits the model)')
    .option('--no-mirror', 'leave the mirror images out')
    .option('--threshold <saliency>', 'masks of 0 and 1, cut at this saliency (default: soft masks)', number(0, 1))
    .option(
      '--refine',
      "bring the masks to the pictures' own edges; decodes each picture at its full size (default, with soft masks: as suits the model)",
    )
    .option('--no-refine', 'leave the masks as coarse as the saliency is')
    .option('--refine-radius <share>', REFINE_RADIUS, number(0.001, 0.5))
    .option('--refine-epsilon <variance>', REFINE_EPSILON, number(1e-8, 1))
    .option('--refine-grain <variance>', REFINE_GRAIN, number(0, 1))
    .option(
      '--held-out <folds>',
      'p of each image by models that have not seen it, one a fold (default: by the model as it was while training)',
      integer(2, 20),
    )
    .addHelpText(
      'after',
      examples(
        ['contexts', 'by the newest finished run'],
        ['contexts --run 2 --size 64', 'finer saliency by run 2'],
        ['contexts --size 448 --second-size 224 --refine', "of photographs: two sizes, brought to the pictures' edges"],
        ['contexts --held-out 3', 'slower: trains three models more'],
      ),
    )
    .action(({ run, size, secondSize, mirror, heldOut, ...rule }) =>
      cli.perform('contexts', async (session) => {
        const { findContexts } = await import('../../services/find-contexts.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const options = {
          ...(run === undefined ? {} : { runId: run }),
          ...(size === undefined ? {} : { size }),
          ...(secondSize === undefined ? {} : { secondSize }),
          ...(mirror === undefined ? {} : { mirror }),
          ...(Object.values(rule).every((value) => value === undefined) ? {} : { rule: ruleFrom(rule) }),
          ...(heldOut === undefined ? {} : { probability: { from: 'held-out', folds: heldOut } as const }),
        };
        const states = (): Record<string, number> => project.store.contexts.count();
        try {
          const found = await findContexts(project, options, await session.by(), session.runJob, { onEvent, signal });
          const counts = states();
          const known = found.known > 0 ? `, ${count(found.known)} had been looked at before` : '';
          const text =
            `Run ${found.runId} looked at ${plural(found.found, 'training image')}${known}.\n` +
            `Contexts: ${count(counts.undecided)} undecided, ${count(counts.accepted)} accepted, ${count(counts.rejected)} rejected.`;
          const hint = counts.undecided > 0 ? '\nDecide with: contexture bank accept --min-probability 0.8' : '';
          return { data: { ...found, contexts: counts }, text: text + hint };
        } catch (error) {
          if (!(error instanceof UserError) || error.code !== 'cancelled') throw error;
          throw new UserError('cancelled', `${error.message} The same command goes on.`, { cause: error });
        }
      }),
    );
};
