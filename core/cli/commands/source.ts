import type { SourceContent } from '../../storage/project-store.ts';
import { integer } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, localTime, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';
import { importText } from './import.ts';

const EXAMPLES = {
  list: ['source list', 'what was imported, from where'],
  removed: ['source list --removed', 'what was taken out of the project'],
  rescan: ['source rescan', 'look at all sources again: new, changed and vanished pictures'],
  relink: ['source relink 1 /mnt/data/birds', 'source 1 lies there now'],
  remove: ['source remove 2', 'take source 2 out of the project; its files and all that was done stay'],
  restore: ['source restore 2', 'bring source 2 back as it was'],
} as const;

export const addSource: AddCommand = (parent, cli) => {
  const source = parent
    .command('source')
    .description('Where the pictures come from: list, look again, follow a move, remove, bring back.')
    .addHelpText('after', examples(...Object.values(EXAMPLES)));

  source
    .command('list')
    .description('The sources of the project.')
    .option('--removed', 'those that were taken out of it instead')
    .addHelpText('after', examples(EXAMPLES.list, EXAMPLES.removed))
    .action(({ removed = false }) =>
      cli.perform('source list', async (session) => {
        const { store } = await session.project();
        const sources = store.sources.all().filter(({ removedAt }) => (removedAt !== null) === removed);
        const rows = sources.map(({ id, kind, path, scannedAt, removedAt }) => {
          const at = removed ? removedAt : scannedAt;
          return [String(id), kind, at === null ? 'not complete' : localTime(at), path];
        });
        const none = removed ? 'No source was removed.' : 'No sources. "contexture import" adds one.';
        const headings = ['>source', 'kind', removed ? 'removed' : 'last scan', 'path'];
        const text = rows.length === 0 ? none : table(headings, rows);
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

  source
    .command('remove')
    .description(
      'Take a source out of the project: its images and contexts go out of use. Nothing is deleted; "source restore", or ' +
        'importing it again, brings all of it back.',
    )
    .argument('<source>', 'its number', integer(1))
    .addHelpText('after', examples(EXAMPLES.remove))
    .action((id) =>
      cli.perform('source remove', async (session) => {
        const { removeSource } = await import('../../services/removed-sources.ts');
        const project = await session.project();
        const content = removeSource(project, id);
        const { path } = project.store.sources.get(id)!;
        const text =
          `Source ${id} (${path}) is removed: ${contentText(content)} out of use. ` +
          `Its files were not touched. Bring it back with: contexture source restore ${id}`;
        return { data: { source: id, path, ...content }, text };
      }),
    );

  source
    .command('restore')
    .description('Bring a removed source back as it was; where its files have changed since, it is scanned again.')
    .argument('<source>', 'its number', integer(1))
    .addHelpText('after', examples(EXAMPLES.restore))
    .action((id) =>
      cli.perform('source restore', async (session) => {
        const { hasChanged, restoreSource } = await import('../../services/removed-sources.ts');
        const { rescanSource } = await import('../../services/import.ts');
        const project = await session.project();
        const { emit: onEvent, signal } = session;
        const content = restoreSource(project, id);
        const { path } = project.store.sources.get(id)!;
        const text = `Source ${id} (${path}) is back: ${contentText(content)} in use again.`;
        if (!(await hasChanged(project, id))) return { data: { source: id, path, ...content, scan: null }, text };
        session.note('Its files have changed since it was removed: it is scanned again.');
        const scan = await rescanSource(project, id, { onEvent, signal }, session.runJob);
        return { data: { source: id, path, ...content, scan }, text: `${text}\n${importText(scan)}` };
      }),
    );
};

/** What goes out of use with a source, or comes back with it. */
const contentText = ({ images, contexts, bank }: SourceContent): string =>
  `${plural(images, 'image')} and ${plural(contexts, 'context')} (${count(bank)} in the bank)`;
