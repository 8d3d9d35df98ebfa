import type { ModelFileKind } from '../../services/model-card.ts';
import type { ModelExportOutcome } from '../../services/model-export.ts';
import { headOption, integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { bytes, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const addModel: AddCommand = (parent, cli) => {
  const model = parent
    .command('model')
    .description('What a run has learned, for other programs.')
    .addHelpText('after', examples(['model export 4 --to birds', 'the model of run 4 as files']));

  model
    .command('export')
    .description(
      'Write the model of a run: as ONNX, checked in ONNX Runtime before it is kept; as safetensors; and a model card. ' +
        'All three unless some are named.',
    )
    .argument('<run>', 'its number', integer(1))
    .requiredOption('--to <folder>', 'where model.onnx, model.safetensors and README.md go')
    .option('--onnx', 'the ONNX file')
    .option('--safetensors', 'all weights by name, as Contexture itself keeps them')
    .option('--card', 'the model card')
    .option('--variant <name>', 'a variant of the run (default: the model as it was trained)')
    .addOption(headOption('whose answers the ONNX file gives (default: the one the model answers by)'))
    .option('--both-heads', 'the ONNX file also gives the logits of both heads')
    .option('--fold', 'put batch normalisation into the convolutions: fewer operations, the same answers')
    .option('--batch <pictures>', 'pictures that the ONNX file takes at a time (default: any number)', integer(1, 4096))
    .option('--overwrite', 'replace files of these names')
    .addHelpText(
      'after',
      examples(
        ['model export 4 --to birds', 'model.onnx, model.safetensors and README.md in the folder birds'],
        ['model export 4 --to birds --onnx --fold --batch 1', 'for a device that takes one picture at a time'],
        ['model export 4 --variant tail --to birds-tail', 'with the head as a variant has changed it'],
      ),
    )
    .action((id, options) =>
      cli.perform('model export', async (session) => {
        const { exportModel } = await import('../../services/model-export.ts');
        const { modelOfRun } = await import('../../services/run-model.ts');
        const project = await session.project();
        const named = (['onnx', 'safetensors', 'card'] as const).filter((kind) => options[kind]);
        const files: readonly ModelFileKind[] = named.length > 0 ? named : ['onnx', 'safetensors', 'card'];
        const { emit: onEvent, signal } = session;
        const outcome = await exportModel(
          project,
          modelOfRun(project, id, options.variant ?? null),
          {
            folder: session.path(options.to),
            files,
            onnx: {
              head: options.head ?? null,
              bothHeads: options.bothHeads ?? false,
              fold: options.fold ?? false,
              batch: options.batch ?? null,
            },
            overwrite: options.overwrite ?? false,
          },
          session.runJob,
          { onEvent, signal },
        );
        return { data: outcome, text: exportText(outcome) };
      }),
    );
};

function exportText({ files, onnx }: ModelExportOutcome): string {
  const written = table(
    ['file', '>size'],
    files.map(({ path, bytes: size }) => [path, bytes(size)]),
  );
  if (onnx === null) return written;
  const { pictures, difference } = onnx.checked;
  return `${written}\n\nChecked in ONNX Runtime on ${plural(pictures, 'picture')}: largest difference ${difference.toExponential(1)} of the largest value.`;
}
