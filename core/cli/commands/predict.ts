import { Option } from '@commander-js/extra-typings';
import { UserError } from '../../base/errors.ts';
import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';

/** Pictures without an answer that are told one by one. */
const SHOWN = 10;

export const addPredict: AddCommand = (parent, cli) => {
  parent
    .command('predict')
    .description('What a trained model says about pictures, as CSV or JSON.')
    .argument('<path>', 'a folder, zip or CSV file of pictures')
    .option('--run <number>', 'the model of this run (default: the newest finished one)', integer(1))
    .option('--model <file>', 'a model file instead of a project')
    .option('--out <file>', 'a new file for the answers (default: stdout)')
    .addOption(new Option('--format <format>', 'default: csv').choices(['csv', 'json'] as const))
    .option('--top <classes>', 'classes told for each picture', integer(1), 5)
    .addOption(
      new Option('--head <head>', 'default: the one the method is judged by').choices([
        'uniform',
        'balanced',
        'mean',
      ] as const),
    )
    .addHelpText(
      'after',
      examples(
        ['predict new-pictures', 'CSV on stdout, by the newest run of the project here'],
        ['predict new-pictures --run 4 --top 1 --out answers.csv', 'the best class only, into a file'],
        ['predict new-pictures --model birds.safetensors --format json', 'without the project'],
      ),
    )
    .action((path, { run, model, out, format, top, head }) =>
      cli.perform('predict', async (session) => {
        const { modelOfRun, predictPictures } = await import('../../services/predict.ts');
        if (run !== undefined && model !== undefined) throw new UserError('usage', 'Give either --run or --model.');
        const file = model === undefined ? modelOfRun(await session.project(), run ?? null) : session.path(model);
        const { emit: onEvent, signal } = session;
        let document = '';
        const asData = session.json && out === undefined;
        const write = (text: string): void => {
          if (asData) document += text;
          else session.write(text);
        };
        const outcome = await predictPictures(
          {
            model: file,
            path: session.path(path),
            top,
            ...(head === undefined ? {} : { head }),
            format: asData ? 'json' : (format ?? 'csv'),
            out: out === undefined ? write : session.path(out),
          },
          session.runJob,
          { onEvent, signal },
        );
        const { problems } = outcome;
        for (const { file: name, reason } of problems.slice(0, SHOWN)) session.note(`No answer for ${name}: ${reason}`);
        if (problems.length > SHOWN) session.note(`and ${count(problems.length - SHOWN)} more without an answer`);
        const answers: { pictures?: unknown } = asData ? JSON.parse(document) : {};
        return {
          data: { ...outcome, ...(asData ? { pictures: answers.pictures } : { out }) },
          text: out === undefined ? '' : `${plural(outcome.predicted, 'answer')} in ${out}.`,
        };
      }),
    );
};
