import { InvalidArgumentError } from '@commander-js/extra-typings';
import { MOST_SWAP_CONTEXTS, MOST_SWAP_LAMBDAS, type SwapAnswer, type SwapPreview } from '../../api/swap.ts';
import { percent } from '../../evaluation/sentences.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const SWAP_EXAMPLES = {
  swap: ['bank swap 17 --run 4 --lambda 0.5,1', 'what run 4 says of image 17 in front of contexts of the bank'],
} as const;

/** The subcommand of "bank" that lays contexts over an image and asks a model. */
export const addBankSwap: AddCommand = (bank, cli) => {
  bank
    .command('swap')
    .description(
      'Lay contexts over an image as training and export do, and print what a model says of it. Nothing is written.',
    )
    .argument('<image>', 'its number', integer(1))
    .argument('[context...]', 'numbers of contexts; without any, some are drawn from the bank')
    .option('--run <number>', 'whose model answers (default: the newest finished one)', integer(1))
    .option('--lambda <strengths>', `how strongly, up to ${MOST_SWAP_LAMBDAS}: 0.25,0.5,1`, lambdas, [0.5, 1])
    .option('--threshold <share>', 'a binary mask: all context from here on (default: the mask as it is)', number(0, 1))
    .option('--count <number>', 'contexts that are drawn', integer(1, MOST_SWAP_CONTEXTS), 6)
    .option('--seed <number>', 'of the draw', integer(0), 1)
    .addHelpText('after', examples(SWAP_EXAMPLES.swap))
    .action((image, ids, { run, lambda, threshold, count, seed }) =>
      cli.perform('bank swap', async (session) => {
        const { drawContexts, previewSwap } = await import('../../services/swap-preview.ts');
        const project = await session.project();
        const named = ids.map(integer(1)).slice(0, MOST_SWAP_CONTEXTS);
        const drawn = (): number[] => drawContexts(project, { image, count, seed }).map(({ context }) => context);
        const request = {
          image,
          ...(run === undefined ? {} : { run }),
          contexts: named.length > 0 ? named : drawn(),
          lambdas: lambda,
          mask: threshold === undefined ? ({ kind: 'soft' } as const) : ({ kind: 'binary', threshold } as const),
        };
        const preview = await previewSwap(project, request, session.runJob, {
          signal: session.signal,
        });
        return { data: { swap: preview }, text: textOf(preview) };
      }),
    );
};

/** Strengths: "0.25, 1". */
function lambdas(text: string): number[] {
  const values = text.split(',').map(number(0, 1));
  if (values.length <= MOST_SWAP_LAMBDAS) return values;
  throw new InvalidArgumentError(`Expected at most ${MOST_SWAP_LAMBDAS} numbers.`);
}

function textOf({ run, runName, path, className, heads, lambdas: strengths, plain, rows }: SwapPreview) {
  const several = heads.length > 1;
  const lines = (answers: readonly SwapAnswer[]): string[] =>
    answers.map((answer, i) => `${answer.changed ? '* ' : ''}${inWords(answer)}${several ? ` (${heads[i]})` : ''}`);
  const head = `${path} (${className}), by the model of run ${run} (${runName}): ${lines(plain).join(', ')}.`;
  const body = rows.flatMap(({ context, className: from, problem, cells }) => {
    if (problem !== null) return [[String(context), from, '', problem]];
    return cells.flatMap((answers, i) =>
      lines(answers).map((line, j) => {
        const first = i === 0 && j === 0;
        return [first ? String(context) : '', first ? from : '', j === 0 ? String(strengths[i]) : '', line];
      }),
    );
  });
  const changed = rows.flatMap(({ cells }) => cells).filter((answers) => answers.some((answer) => answer.changed));
  return [
    head,
    table(['>context', 'of', '>lambda', 'answer'], body),
    `* ${plural(changed.length, 'picture')} of ${rows.flatMap(({ cells }) => cells).length} with another answer than the picture as it is.`,
  ].join('\n\n');
}

/** "owl 61.2 %, cat itself 20.1 %": what is named and, where it is another class, the true one. */
function inWords({ name, probability, truth, right }: SwapAnswer): string {
  const own = right || truth === null ? '' : `, true class ${percent(truth)}`;
  return `${name} ${percent(probability)}${own}`;
}
