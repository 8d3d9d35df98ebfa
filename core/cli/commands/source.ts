import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, localTime } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';
import { importText } from './import.ts';

const EXAMPLES = {
  list: ['source list', 'what was imported, from where'],
  rescan: ['source rescan', 'look at all sources again: new, changed and vanished pictures'],
  relink: ['source relink 1 /mnt/data/birds', 'source 1 lies there now'],
} as const;

const HEADINGS = ['>source', 'kind', 'last scan', 'path'];

export const addSource: AddCommand = (parent, cli) => {
  const source = parent
    .command('source')
    .description('Where the pictures come from: list, look again, follow a move.')
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  source
    .command('list')
    .description('The sources of the project.')
    .addHelpText('after', examples(EXAMPLES.list))
    .action(() =>
      cli.perform('source list', async (session) => {
        const { store } = await session.project();
        const sources = store.sources.list();
        const rows = sources.map(({ id, kind, path, scannedAt }) => [
          String(id),
          kind,
          scannedAt === null ? 'not complete' : localTime(scannedAt),
          path,
        ]);
        const text = rows.length === 0 ? 'No sources. "contexture import" adds one.' : table(HEADINGS, rows);
        return { data: { sources }, text };
      }),
    );

  source
    .command('rescan')
    .description('Bring the project up to date with its sources.')
    .argument('[source]', 'number of one source (default: all)', integer(1))
    .addHelpText('after', examples(EXAMPLES.rescan))
    .action((wanted) =>
      cli.perform('source rescan', async (session) => {
        const { rescanSource } = await import('../../services/import.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const ids = wanted === undefined ? project.store.sources.list().map(({ id }) => id) : [wanted];
        const summaries = [];
        for (const id of ids) summaries.push(await rescanSource(project, id, { onEvent, signal }, session.runJob));
        return { data: { sources: summaries }, text: summaries.map(importText).join('\n\n') };
      }),
    );

  source
    .command('relink')
    .description('Tell the project where a source lies now; nothing changes unless the same pictures are there.')
    .argument('<source>', 'its number', integer(1))
    .argument('<path>', 'where it lies now')
    .option('--all', 'compare the content of every picture instead of a sample')
    .addHelpText('after', examples(EXAMPLES.relink))
    .action((id, path, { all }) =>
      cli.perform('source relink', async (session) => {
        const { relinkSource } = await import('../../services/sources.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const summary = await relinkSource(project, id, session.path(path), { all: all ?? false, onEvent, signal });
        const { images, returned, compared } = summary;
        const text = `Source ${id} is at ${summary.path}: ${count(images)} images found, ${count(compared)} compared by content`;
        return { data: summary, text: returned > 0 ? `${text}, ${count(returned)} back that were missing` : text };
      }),
    );
};
