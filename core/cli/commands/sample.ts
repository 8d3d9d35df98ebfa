import { basename, dirname, join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { JobEvent } from '../../jobs/protocol.ts';
import type { SampleEvent } from '../../services/sample.ts';
import { integer } from '../arguments.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export const addSample: AddCommand = (parent, cli) => {
  parent
    .command('sample')
    .description('Make a sample data set: simple objects on textured scenes, long-tailed, the tail seen in few scenes.')
    .argument('[folder]', 'a new folder for the pictures')
    .option('--seed <number>', 'another seed draws other pictures', integer(0), 0)
    .option('--all', 'do the whole job on it: import, train four methods, find contexts, compare, export, verify')
    .option('--seeds <number>', 'with --all: repeat the training under so many seeds', integer(1, 100), 1)
    .addHelpText(
      'after',
      examples(
        ['sample shapes', 'class folders in ./shapes, ready to be imported'],
        ['sample --all --project sample.contexture', 'the whole job; Ctrl-C stops, the same call goes on'],
        ['sample --all --project sample.contexture --seeds 5', 'five paired seeds, and what holds over them'],
      ),
    )
    .action((folder, { seed, all, seeds }) =>
      cli.perform('sample', (session) => {
        if (all && folder === undefined) return doAll(session, seeds);
        if (!all && folder !== undefined) return draw(session, folder, seed);
        throw new UserError('usage', 'Give either a folder for the pictures, or --all with --project FILE.');
      }),
    );
};

async function draw(session: Session, folder: string, seed: number): Promise<Outcome> {
  const { writeSample } = await import('../../services/sample-data.ts');
  const summary = await writeSample(folder, { seed }, session);
  const rows = summary.classes.map(({ name, images, scenes }) => [name, count(images), count(scenes.length)]);
  const sizes = `${plural(summary.trainImages, 'training image')}, ${plural(summary.testImages, 'test image')}`;
  return {
    data: summary,
    text: `${table(['class', '>images', '>scenes'], rows)}\n${sizes} in ${summary.folder}`,
  };
}

function isOfSample(event: SampleEvent | JobEvent): event is SampleEvent {
  return event.type === 'stage' || event.type === 'tail' || event.type === 'run';
}

async function doAll(session: Session, seeds: number): Promise<Outcome> {
  const { runSample } = await import('../../services/sample.ts');
  const { sampleRunLine, sampleText } = await import('../sample-text.ts');
  const { tailBars, tailText } = await import('../../data/tail.ts');
  const project = await session.project({ create: true });
  const emit = (event: SampleEvent | JobEvent): void => {
    session.emit(event);
    if (!isOfSample(event)) return;
    if (event.type === 'stage') session.note(event.stage);
    if (event.type === 'run') session.note(sampleRunLine(event.run));
    if (event.type === 'tail') {
      const { tail } = event.tail;
      session.write(`${tailText(tail)}\n${tailBars(tail.classes, { scale: 'log', width: 80 }).join('\n')}\n\n`);
    }
  };
  const report = await runSample(
    project,
    {
      folder: join(dirname(project.file), `${basename(project.file, '.contexture')}-data`),
      seeds: Array.from({ length: seeds }, (_, i) => i + 1),
      act: await session.by(),
    },
    session.runJob,
    { emit, signal: session.signal },
  );
  return { data: report, text: sampleText(report) };
}
