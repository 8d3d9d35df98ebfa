import { readFileSync } from 'node:fs';
import { Option } from '@commander-js/extra-typings';
import { fileError, UserError } from '../../base/errors.ts';
import type { ExportOutcome } from '../../services/export.ts';
import type { ClassAmount } from '../../export/class-amount.ts';
import { DEFAULT_RECIPE, EXPORT_ARMS, type ExportAmount, type ExportRecipe } from '../../export/recipe.ts';
import { classAmounts, integer, number, numberPair } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { bytes, count, localTime, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';
import { verifyText } from './verify.ts';

interface RecipeOptions {
  add?: number | undefined;
  fill?: number | undefined;
  multiply?: number | undefined;
  class?: ClassAmount[] | undefined;
  arm?: ExportRecipe['arm'] | undefined;
  contextClass?: string[] | undefined;
  lambda?: [number, number] | undefined;
  binary?: number | undefined;
  reuse?: number | undefined;
  size?: number | undefined;
  format?: ExportRecipe['format']['kind'] | undefined;
  quality?: number | undefined;
  copy?: ('val' | 'test')[] | undefined;
  originals: boolean;
  seed?: number | undefined;
}

export const addExport: AddCommand = (parent, cli) => {
  parent
    .command('export')
    .description(
      'Write an augmented data set as class folders, with a manifest and the lineage of every picture, and verify it. ' +
        'The same command goes on with an export that was stopped.',
    )
    .argument('<folder>', 'a new or empty folder, or that of a stopped export')
    .optionsGroup('How many:')
    .option('--fill <images>', 'bring each class to so many pictures (default: the largest class)', integer(1))
    .option('--add <images>', 'so many new pictures in each class', integer(0))
    .option('--multiply <times>', 'so many new pictures for each training image', integer(1))
    .option('--class <class=amount>', 'another amount for a class: =500, =+50 or =x3; may be given again', classAmounts)
    .option('--no-originals', 'only the new pictures')
    .addOption(new Option('--copy <split...>', 'further splits to write unchanged').choices(['val', 'test'] as const))
    .optionsGroup('From what:')
    .addOption(
      new Option('--arm <arm>', 'where contexts come from, or a control (default: context)').choices(EXPORT_ARMS),
    )
    .option('--context-class <class...>', 'use contexts of these classes only')
    .option('--lambda <min,max>', 'range of lambda (default: 0,1)', numberPair(0, 1))
    .option('--binary <threshold>', 'cut masks at this value instead of using them softly', number(0, 1))
    .option('--reuse <times>', 'how often one context may be used', integer(1))
    .option('--seed <number>', 'of everything random (default: 1)', integer(0))
    .optionsGroup('As what:')
    .option('--size <pixels>', 'side of square pictures (default: each keeps its size)', integer(8, 4096))
    .addOption(new Option('--format <format>', 'default: png').choices(['png', 'jpeg', 'webp'] as const))
    .option('--quality <percent>', 'of jpeg and webp (default: 95)', integer(1, 100))
    .optionsGroup('Other:')
    .option('--recipe <file>', 'a recipe in JSON; other options change it')
    .option('--dry-run', 'only say what it would write and how big it would be')
    .addHelpText(
      'after',
      examples(
        ['export augmented --fill 500', 'every class has at least 500 pictures'],
        ['export augmented --fill 500 --class owl=+50 --class wren=x3', 'but 50 new owls, and 3 for each wren'],
        ['export augmented --add 100 --size 64 --format jpeg --copy test', 'for a trainer that wants 64 px JPEG'],
        ['export pasted-not --fill 500 --arm no-paste', 'the control: plain copies'],
        ['export augmented --dry-run', 'how many pictures and bytes'],
      ),
    )
    .action((folder, options) =>
      cli.perform('export', async (session) => {
        const { exportDataset } = await import('../../services/export.ts');
        const { tailReport } = await import('../../services/stats.ts');
        const project = await session.project();
        const largest = Math.max(1, ...tailReport(project.store).tail.classes.map((record) => record.count));
        const recipe = recipeFrom(
          options,
          options.recipe ? readRecipe(session.path(options.recipe)) : undefined,
          largest,
        );
        const { emit: onEvent, signal } = session;
        const outcome = await exportDataset(
          project,
          { out: session.path(folder), recipe, dryRun: options.dryRun ?? false },
          session.runJob,
          { onEvent, signal },
        );
        return { data: { ...outcome, recipe }, text: exportText(outcome), error: stopped(outcome) };
      }),
    );

  parent
    .command('exports')
    .description('The exports made from the project.')
    .addHelpText('after', examples(['exports', 'where they lie and whether they are complete']))
    .action(() =>
      cli.perform('exports', async (session) => {
        const { store } = await session.project();
        const exports = store.exports.list();
        const rows = exports.map(({ id, state, images, createdAt, path }) => [
          String(id),
          state,
          count(images),
          localTime(createdAt),
          path,
        ]);
        const text = rows.length === 0 ? 'No exports.' : table(['>export', 'state', '>images', 'made', 'folder'], rows);
        return { data: { exports }, text };
      }),
    );
};

/** The recipe that the options ask for; `base` gives what they do not say. */
function recipeFrom(options: RecipeOptions, base: ExportRecipe | undefined, largest: number): ExportRecipe {
  const defaults = base ?? { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: largest } };
  const kind = options.format ?? defaults.format.kind;
  const quality = options.quality ?? ('quality' in defaults.format ? defaults.format.quality : 95);
  const { lambda, binary } = options;
  const perClass = perClassFrom(options.class ?? [], defaults.perClass ?? []);
  return {
    amount: amountFrom(options) ?? defaults.amount,
    ...(perClass.length > 0 ? { perClass } : {}),
    originals: options.originals && defaults.originals,
    arm: options.arm ?? defaults.arm,
    contextClasses: options.contextClass ?? defaults.contextClasses,
    lambda: lambda ? { min: lambda[0], max: lambda[1] } : defaults.lambda,
    mask: binary === undefined ? defaults.mask : { kind: 'binary', threshold: binary },
    reuse: options.reuse ?? defaults.reuse,
    size: options.size ?? defaults.size,
    format: kind === 'png' ? { kind } : { kind, quality },
    copy: options.copy ?? defaults.copy,
    seed: options.seed ?? defaults.seed,
  };
}

function amountFrom({ add, fill, multiply }: RecipeOptions): ExportAmount | undefined {
  const given: ExportAmount[] = [];
  if (add !== undefined) given.push({ kind: 'add', images: add });
  if (fill !== undefined) given.push({ kind: 'fill', to: fill });
  if (multiply !== undefined) given.push({ kind: 'multiply', by: multiply });
  if (given.length > 1) throw new UserError('usage', 'Give only one of --fill, --add and --multiply.');
  return given[0];
}

/** The amounts of classes: those given, and what the recipe says of the others. */
function perClassFrom(given: readonly ClassAmount[], recipe: readonly ClassAmount[]): ClassAmount[] {
  const named = new Set(given.map((row) => row.class));
  return [...recipe.filter((row) => !named.has(row.class)), ...given];
}

/** A recipe file; the service checks what it says. */
function readRecipe(path: string): ExportRecipe {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read the recipe', path);
  }
  try {
    const recipe: ExportRecipe = JSON.parse(text);
    return recipe;
  } catch (error) {
    throw new UserError('damaged', `${path} is not JSON: write a recipe as --json prints it.`, { cause: error });
  }
}

function exportText(outcome: ExportOutcome): string {
  const { classes, out, state, pictures, written, resumed, leftOut, report } = outcome;
  const rows = classes.map(({ name, originals, added }) => [name, count(originals), count(added)]);
  const size = bytes(outcome.bytes);
  const sentences = {
    planned: `Would write ${plural(pictures, 'picture')}, about ${size}, to ${out}.`,
    stopped: `${count(written)} of ${plural(pictures, 'picture')} are in ${out}.`,
    finished: `${plural(pictures, 'picture')}, ${size}, in ${out}.`,
  };
  const notes = [
    resumed > 0 ? `${plural(resumed, 'picture')} taken over from before it was stopped.` : '',
    leftOut > 0
      ? `${plural(leftOut, 'training image')} left out: the same file is also in the test or validation split.`
      : '',
    report ? verifyText(report) : '',
  ];
  return [table(['class', '>originals', '>new'], rows), sentences[state], ...notes]
    .filter((part) => part !== '')
    .join('\n');
}

function stopped({ state, out }: ExportOutcome): UserError | undefined {
  if (state !== 'stopped') return undefined;
  return new UserError('cancelled', `The export to ${out} was stopped: give the same command again to go on.`);
}
