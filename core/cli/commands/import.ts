import { Option } from '@commander-js/extra-typings';
import type { ImportSummary } from '../../services/import.ts';
import type { ProblemSummary } from '../../services/stats.ts';
import type { AddCommand } from '../cli.ts';
import { count, duration, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

export const addImport: AddCommand = (parent, cli) => {
  parent
    .command('import')
    .description(
      'Bring pictures into a project, which is made when it does not exist. The files stay where they are. ' +
        'An import that was cut short goes on; one that was complete is brought up to date.',
    )
    .argument('<path>', 'class folders, a zip of them, or a CSV file (path,label[,split])')
    .addOption(
      new Option('--layout <layout>', 'whether the folders have a train/val/test level above the classes')
        .choices(['auto', 'class', 'split-class'] as const)
        .default('auto' as const),
    )
    .addHelpText(
      'after',
      examples(
        ['import birds --project birds.contexture', 'class folders ./birds into a new project'],
        ['import birds.zip --project birds.contexture', 'the same from a zip, which is not unpacked'],
        ['import labels.csv --project birds.contexture', 'pictures listed in a table'],
      ),
    )
    .action((path, { layout }) =>
      cli.perform('import', async (session) => {
        const { importSource } = await import('../../services/import.ts');
        const project = await session.project({ create: true });
        const { emit: onEvent, signal } = session;
        const request = { path: session.path(path), layout, onEvent, signal };
        const summary = await importSource(project, request, session.runJob);
        return { data: { project: project.file, ...summary }, text: importText(summary) };
      }),
    );
};

/** What an import or a re-scan found. */
export function importText(summary: ImportSummary): string {
  const { images, added, changed, missing, classes, path, seconds, problems } = summary;
  const details = [
    `${count(added)} new`,
    ...(changed > 0 ? [`${count(changed)} changed`] : []),
    ...(missing > 0 ? [`${count(missing)} gone`] : []),
  ];
  const first =
    `${plural(images, 'image')} (${details.join(', ')}) in ${plural(classes, 'class', 'classes')} ` +
    `from ${path}, ${duration(seconds)}`;
  return [first, problemText(problems)].filter((part) => part !== '').join('\n\n');
}

/** A line for each kind of problem; empty without any. */
export function problemText(problems: readonly ProblemSummary[]): string {
  if (problems.length === 0) return '';
  const rows = problems.map(({ severity, kind, count: number, example }) => [
    severity,
    kind,
    count(number),
    example.path || '(the source)',
    example.reason,
  ]);
  return table(['problem', 'kind', '>count', 'as in', 'reason'], rows);
}
