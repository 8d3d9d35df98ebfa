import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const addSample: AddCommand = (parent, cli) => {
  parent
    .command('sample')
    .description('Make a sample data set: simple objects on textured scenes, long-tailed, the tail seen in few scenes.')
    .argument('<folder>', 'a new folder for the pictures')
    .option('--seed <number>', 'another seed draws other pictures', integer(0), 0)
    .addHelpText('after', examples(['sample shapes', 'class folders in ./shapes, ready to be imported']))
    .action((folder, { seed }) =>
      cli.perform('sample', async (session) => {
        const { writeSample } = await import('../../services/sample-data.ts');
        const summary = await writeSample(folder, { seed }, session);
        const rows = summary.classes.map(({ name, images, scenes }) => [name, count(images), count(scenes.length)]);
        const sizes = `${plural(summary.trainImages, 'training image')}, ${plural(summary.testImages, 'test image')}`;
        return {
          data: summary,
          text: `${table(['class', '>images', '>scenes'], rows)}\n${sizes} in ${summary.folder}`,
        };
      }),
    );
};
