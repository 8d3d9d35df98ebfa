import { Option } from '@commander-js/extra-typings';
import { UserError } from '../../base/errors.ts';
import { headOption, integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';

/** Pictures without an answer that are told one by one. */
const SHOWN = 10;

export const addPredict: AddCommand = (parent, cli) => {
  parent
    .command('predict')
    .description('What a trained model says about pictures, as CSV or JSON.')
    .argument('<path...>', 'folders, zip or CSV files, pictures, patterns; - for names on stdin')
    .option('--run <number>', 'the model of this run (default: the newest finished one)', integer(1))
    .option('--variant <name>', 'a variant of the run (default: the model as it was trained)')
    .option('--model <file>', 'a model file instead of a project')
    .option('--out <file>', 'a new file for the answers (default: stdout)')
    .addOption(new Option('--format <format>', 'default: csv').choices(['csv', 'json'] as const))
    .option('--top <classes>', 'classes told for each picture', integer(1), 5)
    .addOption(headOption('default: the one the model answers by'))
    .addHelpText(
      'after',
      '\nA picture that cannot be read gets a row with the reason in place of classes and is named on stderr; the others are\n' +
        'answered all the same, and the exit code is 0.',
    )
    .addHelpText(
      'after',
      examples(
        ['predict new-pictures', 'CSV on stdout, by the newest run of the project here'],
        ["predict 'new/**/*.jpg' one-more.png", 'pictures by a pattern, and one by its name'],
        ['predict - < names.txt', 'the pictures named there, one a line or with a zero byte after each'],
        ['predict new-pictures --run 4 --top 1 --out answers.csv', 'the best class only, into a file'],
        ['predict new-pictures --model birds.safetensors --format json', 'without the project'],
      ),
    )
    .action((paths, { run, variant, model, out, format, top, head }) =>
      cli.perform('predict', async (session) => {
        const { predictPictures } = await import('../../services/predict.ts');
        const { modelOfRun } = await import('../../services/run-model.ts');
        const { pictureInputs, STDIN } = await import('../../services/predict-inputs.ts');
        if (run !== undefined && model !== undefined) throw new UserError('usage', 'Give either --run or --model.');
        const stdin = paths.includes(STDIN) ? await session.stdin() : null;
        if (variant !== undefined && model !== undefined) {
          throw new UserError('usage', 'A model file is of one variant already: leave --variant or --model away.');
        }
        let file: string;
        if (model === undefined) {
          const trained = modelOfRun(await session.project(), run ?? null, variant ?? null);
          file = trained.path;
          if (run === undefined) session.note(`By run ${trained.run.id}, ${trained.run.name}; --run names another.`);
        } else {
          file = session.path(model);
        }
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
            inputs: await pictureInputs(paths, session.cwd, stdin),
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
