import { Option } from '@commander-js/extra-typings';
import type { AdjustmentCurve, AdjustmentPoint } from '../../api/variants.ts';
import { UserError } from '../../base/errors.ts';
import { GROUPS } from '../../data/groups.ts';
import { ADJUSTMENTS } from '../../evaluation/adjustment.ts';
import { CALIBRATIONS, type Calibration } from '../../evaluation/calibration.ts';
import type { Difference } from '../../evaluation/compare.ts';
import type { Estimate } from '../../evaluation/intervals.ts';
import { percent, points } from '../../evaluation/sentences.ts';
import { headOption, integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { plural } from '../format.ts';
import { examples } from '../help.ts';
import { ADJUSTMENT_TITLES, CALIBRATION_TITLES, estimateCell } from '../run-text.ts';
import { table } from '../table.ts';

export const addAdjust: AddCommand = (parent, cli) => {
  parent
    .command('adjust')
    .description('Between head and tail of a finished run, without training: a curve over tau, or one point of it.')
    .argument('<run>', 'its number', integer(1))
    .addOption(
      new Option('--kind <kind>', 'what tau takes out').choices(ADJUSTMENTS).default('logit-adjustment' as const),
    )
    .addOption(headOption('default: the one that the run is judged by'))
    .option('--tau <number>', 'look at this point', number(-100, 100))
    .option(
      '--best',
      'look at the point with the largest macro recall on the images that choose: val, else half of test',
    )
    .addOption(
      new Option('--calibration <kind>', 'of the probabilities, by temperature')
        .choices(CALIBRATIONS)
        .default('group' as const),
    )
    .option('--save <name>', 'keep the point as a variant of the run, with a model of its own')
    .option('--delete <name>', 'delete a variant of the run')
    .option('--rename <names...>', 'give a variant of the run another name: the old one, then the new one')
    .addHelpText(
      'after',
      examples(
        ['adjust 4', 'the curve over tau'],
        ['adjust 4 --best --save tail', 'keep the best point as the variant "tail"'],
        ['adjust 4 --kind tau-norm --tau 0.7', 'figures and calibration at one point'],
        ['predict new-pictures --run 4 --variant tail', 'use it'],
      ),
    )
    .action((run, options) =>
      cli.perform('adjust', async (session) => {
        const { kind, head, best, calibration, save, delete: doomed, rename } = options;
        const { adjustmentCurve, adjustmentPoint } = await import('../../services/adjustment.ts');
        const { deleteVariant, findVariant, renameVariant, saveVariant } = await import('../../services/variants.ts');
        const project = await session.project();
        if (doomed !== undefined) {
          deleteVariant(project, findVariant(project, run, doomed).id);
          return { data: { deleted: doomed }, text: `Deleted the variant "${doomed}" of run ${run}.` };
        }
        if (rename !== undefined) {
          const [before, after] = rename;
          if (rename.length !== 2)
            throw new UserError('usage', '--rename takes two names: the old one, then the new one.');
          const variant = renameVariant(project, findVariant(project, run, before).id, after);
          return { data: { variant }, text: `The variant "${before}" of run ${run} is now "${after}".` };
        }
        if (best === true && options.tau !== undefined) throw new UserError('usage', 'Give either --tau or --best.');
        const query = { kind, head };
        const curve = await adjustmentCurve(project, run, query);
        const tau = best === true ? curve.suggested : options.tau;
        if (tau === undefined) {
          if (save !== undefined) throw new UserError('usage', 'Say which point to keep: --tau X or --best.');
          return { data: { curve }, text: curveText(run, curve) };
        }
        const point = await adjustmentPoint(project, run, { ...query, tau });
        const variant =
          save === undefined ? null : await saveVariant(project, run, { ...query, tau, calibration, name: save });
        const kept =
          variant === null
            ? ''
            : `\n\nKept as the variant "${variant.name}". Use it with \`contexture predict --run ${run} --variant "${variant.name}"\`.`;
        return { data: { point, variant }, text: pointText(run, point, calibration) + kept };
      }),
    );
};

/** "Run 4, balanced head, logit adjustment." and on which images. */
function heading(run: number, at: AdjustmentCurve | AdjustmentPoint): string {
  const { kind, head, split, chosenOn, choosing, reporting } = at;
  const images =
    chosenOn === 'val'
      ? `on ${split}:\n${plural(choosing, 'image')} of val choose tau and temperatures, the figures are of all ${plural(reporting, 'image')} of test.`
      : `on ${split}, halved by class:\n${plural(choosing, 'image')} choose tau and temperatures, ${plural(reporting, 'other image')} are reported on.`;
  return `Run ${run}, ${head} head, ${ADJUSTMENT_TITLES[kind]}; ${images}`;
}

/** Every fifth point of the curve, and the suggested one. */
function curveText(run: number, curve: AdjustmentCurve): string {
  const { suggested } = curve;
  const zero = curve.points.findIndex(({ tau }) => tau === 0);
  const shown = curve.points.filter(({ tau }, index) => (index - zero) % 4 === 0 || tau === suggested);
  const rows = shown.map(({ tau, chosenBy, figures }) => [
    tau.toFixed(2),
    cell(chosenBy),
    cell(figures.macroRecall?.value),
    cell(figures.top1?.value),
    ...GROUPS.map((group) => cell(figures.groups[group]?.value)),
    tau === suggested ? 'suggested' : tau === 0 ? 'the run itself' : '',
  ]);
  const columns = ['>tau', '>macro (choosing)', '>macro recall', '>top-1', '>many', '>medium', '>few', ''];
  return `${heading(run, curve)}\n\n${table(columns, rows)}`;
}

function pointText(run: number, point: AdjustmentPoint, calibration: Calibration): string {
  const { before, after, differences, temperatures, reliability } = point;
  const row = (
    title: string,
    read: (figures: AdjustmentPoint['before']) => Estimate | null,
    difference: Difference | null,
  ): string[] => [
    title,
    estimateCell(read(before)),
    estimateCell(read(after)),
    ...(difference === null
      ? ['-', '-']
      : [`${points(difference.value)} (${points(difference.low)} to ${points(difference.high)})`, difference.verdict]),
  ];
  const figures = table(
    ['', 'before', `tau ${point.tau}`, 'difference', 'verdict'],
    [
      row('Top-1', ({ top1 }) => top1, differences.overall),
      row('Macro recall', ({ macroRecall }) => macroRecall, differences.macroRecall),
      ...GROUPS.map((group) => row(group, ({ groups }) => groups[group], differences.groups[group])),
    ],
  );
  const used = { all: temperatures.overall, ...temperatures.groups };
  const parts = (['all', ...GROUPS] as const).map((part) => [
    part === 'all' ? 'all answers' : `answers of ${part}`,
    String(reliability.none[part].answers),
    cell(reliability.none[part].error),
    cell(reliability[calibration][part].error),
    calibration === 'none' || (calibration === 'group' && part === 'all')
      ? '-'
      : used[calibration === 'overall' ? 'all' : part].toFixed(3),
  ]);
  const columns = ['calibration error', '>answers', '>before', `>${CALIBRATION_TITLES[calibration]}`, '>temperature'];
  return `${heading(run, point)}\n\n${figures}\n\n${table(columns, parts)}`;
}

function cell(share: number | null | undefined): string {
  return share === null || share === undefined ? '-' : percent(share);
}
