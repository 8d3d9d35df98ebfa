import { Option } from '@commander-js/extra-typings';
import { statSync } from 'node:fs';
import { UserError } from '../../base/errors.ts';
import { number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { filterFrom, stateOption } from '../select-contexts.ts';

const FORMATS = ['png-folder', 'coco-rle'] as const;

/** Problems that are printed; all are in the answer of --json. */
const SHOWN = 20;

const EXAMPLES = {
  import: ['masks import masks/', 'PNG files, white is context, named like the images'],
  coco: ['masks import annotations.json', 'COCO with polygons or RLE: the objects are the foregrounds'],
  export: ['masks export out/ --format coco-rle --state accepted', 'the bank as out/masks.json'],
} as const;

export const addMasks: AddCommand = (parent, cli) => {
  const masks = parent
    .command('masks')
    .description('Masks in and out, so that work from other tools is not lost.')
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  masks
    .command('import')
    .description(
      'Read masks; each becomes a version of the context of its image, found by path or file name. What does not fit is listed.',
    )
    .argument('<path>', 'a folder of PNG files, or a COCO file with polygons or RLE')
    .addOption(
      new Option('--format <format>', 'what it is (default: a folder has PNG files, a file is COCO)').choices(FORMATS),
    )
    .addHelpText('after', examples(EXAMPLES.import, EXAMPLES.coco))
    .action((path, { format }) =>
      cli.perform('masks import', async (session) => {
        const { importMasks } = await import('../../services/mask-import.ts');
        const project = await session.project();
        const from = session.path(path);
        const { emit: onEvent, signal } = session;
        const read = await importMasks(project, from, format ?? formatOf(from), await session.by(), {
          onEvent,
          signal,
        });
        const made = read.made > 0 ? `, ${plural(read.made, 'context')} made for them` : '';
        const known = read.unchanged > 0 ? `, ${count(read.unchanged)} were there already` : '';
        const lines = read.problems.slice(0, SHOWN).map(({ name, reason }) => `${name}: ${reason}`);
        const more = read.problems.length - lines.length;
        const left =
          read.problems.length === 0
            ? []
            : [
                '',
                `Not taken, ${count(read.problems.length)}:`,
                ...lines,
                ...(more > 0 ? [`and ${count(more)} more`] : []),
              ];
        const text = `${plural(read.imported, 'mask')} read${made}${known}.`;
        return { data: read, text: [text, ...left].join('\n') };
      }),
    );

  masks
    .command('export')
    .description('Write the masks of contexts to a new folder: all of them, or those that fit.')
    .argument('<folder>', 'a new folder')
    .addOption(
      new Option('--format <format>', 'PNG files, white is context; or COCO, whose objects are the foregrounds')
        .choices(FORMATS)
        .default('png-folder' as const),
    )
    .addOption(stateOption())
    .option('--class <name>', 'those of this class')
    .option('--min-probability <p>', 'those at least so sure', number(0, 1))
    .addHelpText('after', examples(EXAMPLES.export))
    .action((folder, { format, ...options }) =>
      cli.perform('masks export', async (session) => {
        const { exportMasks } = await import('../../services/mask-export.ts');
        const project = await session.project();
        const ids = project.store.contexts.list(filterFrom(project.store, options)).map(({ id }) => id);
        if (ids.length === 0) throw new UserError('empty', 'No context fits, so there is no mask to write.');
        const { emit: onEvent, signal } = session;
        const out = session.path(folder);
        const data = await exportMasks(project, ids, { folder: out, format }, { onEvent, signal });
        return { data, text: `${plural(data.written, 'mask')} written to ${out}.` };
      }),
    );
};

function formatOf(path: string): (typeof FORMATS)[number] {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false ? 'coco-rle' : 'png-folder';
}
