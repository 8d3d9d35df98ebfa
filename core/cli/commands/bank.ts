import { existsSync } from 'node:fs';
import { writeDurably } from '../../base/durable-file.ts';
import { UserError } from '../../base/errors.ts';
import { effectiveClasses } from '../../data/classes.ts';
import { percent } from '../../evaluation/sentences.ts';
import type { Context } from '../../storage/records.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { count, localTime, plural } from '../format.ts';
import { examples } from '../help.ts';
import { REFINE_EPSILON, REFINE_GRAIN, REFINE_RADIUS, ruleFrom } from '../mask-rule.ts';
import { selectIds, stateOption } from '../select-contexts.ts';
import type { Session } from '../session.ts';
import { facts, table } from '../table.ts';
import { addBankDiversity, DIVERSITY_EXAMPLES } from './bank-diversity.ts';
import { addBankBackgrounds, BACKGROUND_EXAMPLES } from './bank-backgrounds.ts';
import { addBankKeep, KEEP_EXAMPLES } from './bank-keep.ts';
import { addBankLeftover, LEFTOVER_EXAMPLES } from './bank-leftover.ts';
import { addBankList, LIST_EXAMPLES } from './bank-list.ts';
import { addBankMasks, MASK_EXAMPLES } from './bank-masks.ts';
import { addBankSwap, SWAP_EXAMPLES } from './bank-swap.ts';

/** Hashes are told by their first digits. */
const HASH = /([0-9a-f]{12})[0-9a-f]{52}/g;

const EXAMPLES = {
  ...LIST_EXAMPLES,
  show: ['bank show 12', 'mask versions and history of context 12'],
  accept: ['bank accept --min-probability 0.8', 'accept what the model was sure of'],
  reject: ['bank reject 12 15', 'reject two contexts'],
  reset: ['bank reset 12', 'make context 12 undecided again'],
  remask: ['bank remask --threshold 0.5 --state accepted', 'new mask versions, cut at saliency 0.5'],
  refine: ['bank remask --refine', "new masks that follow the pictures' own edges"],
  'save-mask': ['bank save-mask 12 mask.png', 'to edit it: white is context'],
  'load-mask': ['bank load-mask 12 mask.png', 'the edited mask as a new version'],
  'restore-mask': ['bank restore-mask 12 7', 'go back to mask version 7'],
  ...MASK_EXAMPLES,
  ...BACKGROUND_EXAMPLES,
  ...KEEP_EXAMPLES,
  ...DIVERSITY_EXAMPLES,
  ...LEFTOVER_EXAMPLES,
  ...SWAP_EXAMPLES,
} as const;

export const addBank: AddCommand = (parent, cli) => {
  const bank = parent
    .command('bank')
    .description(
      'The contexts that were found: look, accept, reject, correct masks, retire. What is accepted and not retired is the bank.',
    )
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  addBankList(bank, cli);

  bank
    .command('show')
    .description('One context: its image, mask versions and history.')
    .argument('<context>', 'its number', integer(1))
    .addHelpText('after', examples(EXAMPLES.show))
    .action((id) => cli.perform('bank show', (session) => show(session, id)));

  for (const [name, state, description] of [
    ['accept', 'accepted', 'Put contexts into the bank.'],
    ['reject', 'rejected', 'Keep contexts out of the bank.'],
    ['reset', 'undecided', 'Make contexts undecided again.'],
  ] as const) {
    bank
      .command(name)
      .description(description)
      .argument('[context...]', 'numbers; without any, all undecided ones that fit the options')
      .addOption(stateOption())
      .option('--class <name>', 'those of this class')
      .option('--min-probability <p>', 'those at least so sure', number(0, 1))
      .addHelpText('after', examples(EXAMPLES[name]))
      .action((ids, options) =>
        cli.perform(`bank ${name}`, async (session) => {
          const { decideContexts } = await import('../../services/contexts.ts');
          const { settleDrafts } = await import('../../services/drafts.ts');
          const project = await session.project();
          const chosen = selectIds(project.store, ids, options);
          await settleDrafts(project, chosen);
          const changed = decideContexts(project, chosen, state, await session.by());
          const counts = project.store.contexts.count();
          const held = plural(project.store.contexts.bankSize(), 'context');
          const next = state === 'accepted' ? '\nLay them on with: contexture train csa --curated 1' : '';
          const text = `${plural(changed, 'context')} ${state}. The bank holds ${held}.${next}`;
          return { data: { changed, counts }, text };
        }),
      );
  }

  bank
    .command('remask')
    .description('Make masks anew from the stored saliency, each as a new version.')
    .argument('[context...]', 'numbers; without any, all undecided ones that fit the options')
    .option('--threshold <saliency>', 'cut at this saliency (default: soft masks)', number(0, 1))
    .option('--refine', "bring the masks to the pictures' own edges; decodes each picture at its full size")
    .option('--refine-radius <share>', REFINE_RADIUS, number(0.001, 0.5))
    .option('--refine-epsilon <variance>', REFINE_EPSILON, number(1e-8, 1))
    .option('--refine-grain <variance>', REFINE_GRAIN, number(0, 1))
    .addOption(stateOption())
    .option('--class <name>', 'those of this class')
    .option('--min-probability <p>', 'those at least so sure', number(0, 1))
    .addHelpText('after', examples(EXAMPLES.remask, EXAMPLES.refine))
    .action((ids, { threshold, refine, refineRadius, refineEpsilon, refineGrain, ...options }) =>
      cli.perform('bank remask', async (session) => {
        const { madeWith } = await import('../../services/bank.ts');
        const { remaskContexts } = await import('../../services/contexts.ts');
        const project = await session.project();
        const rule = ruleFrom({ threshold, refine, refineRadius, refineEpsilon, refineGrain });
        const { emit: onEvent, signal } = session;
        const chosen = selectIds(project.store, ids, options);
        const made = await remaskContexts(project, chosen, rule, await session.by(), { onEvent, signal });
        const used = await madeWith(project, chosen);
        return { data: { made, madeWith: used }, text: `${plural(made, 'mask')} made. ${used.sentence}` };
      }),
    );

  addBankMasks(bank, cli);
  addBankBackgrounds(bank, cli);
  addBankKeep(bank, cli);
  addBankDiversity(bank, cli);
  addBankLeftover(bank, cli);
  addBankSwap(bank, cli);

  bank
    .command('save-mask')
    .description("Write a context's mask as an 8-bit PNG of the picture's size, white = context.")
    .argument('<context>', 'its number', integer(1))
    .argument('<file>', 'a new file')
    .addHelpText('after', examples(EXAMPLES['save-mask']))
    .action((id, file) =>
      cli.perform('bank save-mask', async (session) => {
        const { showContext } = await import('../../services/contexts.ts');
        const project = await session.project();
        const { mask, image } = showContext(project, id);
        const path = session.path(file);
        if (existsSync(path)) throw new UserError('exists', `${path} is there already: choose another file.`);
        writeDurably(path, [project.blobs.get(mask.blob)]);
        return {
          data: { file: path, mask, image: image.path },
          text: `Mask ${mask.id} of ${image.path} is in ${path}.`,
        };
      }),
    );

  bank
    .command('load-mask')
    .description('Replace the mask of a context by one from a file; the old one stays in the history.')
    .argument('<context>', 'its number', integer(1))
    .argument('<file>', "an 8-bit picture of the image's upright size, white = context")
    .addHelpText('after', examples(EXAMPLES['load-mask']))
    .action((id, file) =>
      cli.perform('bank load-mask', async (session) => {
        const { editMask } = await import('../../services/contexts.ts');
        const { contextUses } = await import('../../services/bank.ts');
        const project = await session.project();
        const mask = await editMask(project, id, session.path(file), await session.by());
        const { sentence } = await contextUses(project, id);
        const text = `Context ${id} has mask ${mask.id}: ${percent(mask.area)} of it is context. ${sentence}`;
        return { data: { mask }, text };
      }),
    );

  bank
    .command('restore-mask')
    .description('Go back to an earlier mask of a context.')
    .argument('<context>', 'its number', integer(1))
    .argument('<mask>', 'number of the mask version', integer(1))
    .addHelpText('after', examples(EXAMPLES['restore-mask']))
    .action((id, maskId) =>
      cli.perform('bank restore-mask', async (session) => {
        const { restoreMask } = await import('../../services/contexts.ts');
        const { contextUses } = await import('../../services/bank.ts');
        const project = await session.project();
        await restoreMask(project, id, maskId, await session.by());
        const { sentence } = await contextUses(project, id);
        return { data: { context: id, mask: maskId }, text: `Context ${id} has mask ${maskId} again. ${sentence}` };
      }),
    );
};

/** Its state, and that it is retired. */
function inWords({ state, retiredAt }: Context): string {
  return retiredAt === null ? state : `${state}, retired`;
}

async function show(session: Session, id: number): Promise<Outcome> {
  const { showContext } = await import('../../services/contexts.ts');
  const { contextUses } = await import('../../services/bank.ts');
  const project = await session.project();
  const detail = showContext(project, id);
  const { context, image, mask, masks, history } = detail;
  const uses = await contextUses(project, id);
  const name = effectiveClasses(project.store).get(image.classId)?.name ?? '';
  const head = facts([
    ['Context', `${context.id}, ${inWords(context)}`],
    ...(context.note === '' ? [] : [['Note', context.note] as const]),
    ['Image', `${image.id}, ${image.path} (${name}, ${image.width} x ${image.height})`],
    ['p of the class', percent(context.probability)],
    ['Mask', `${mask.id}, ${percent(mask.area)} of the picture is context`],
    ['Made with it', uses.sentence],
  ]);
  const versions = masks.map((version) => [
    String(version.id),
    version.origin,
    JSON.stringify(version.params).replace(HASH, '$1…'),
    percent(version.area),
    version.author,
    localTime(version.createdAt),
  ]);
  const steps = history.map(({ action, maskId, author, at }) => [action, String(maskId), author, localTime(at)]);
  const used = [
    ...uses.runs.map(({ run, name: label, mask: version }) => [`run ${run}`, label, String(version), '']),
    ...uses.exports.map(({ path, pictures, mask: version }) => ['export', path, String(version), count(pictures)]),
  ];
  return {
    data: { ...detail, uses },
    text: [
      head,
      table(['>mask', 'origin', 'how', '>context area', 'who', 'when'], versions),
      table(['what', '>mask', 'who', 'when'], steps),
      ...(used.length === 0 ? [] : [table(['used by', 'name', '>mask', '>pictures'], used)]),
    ].join('\n\n'),
  };
}
