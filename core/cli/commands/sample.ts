import { basename, dirname, join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { JobEvent } from '../../jobs/protocol.ts';
import type { SampleInput } from '../../services/sample-data.ts';
import type { SampleEvent, SampleOptions } from '../../services/sample.ts';
import { integer, number } from '../arguments.ts';
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
    .option('--images <number>', 'training images of the largest class', integer(10, 100_000), 1130)
    .option('--test-images <number>', 'test images of each class in each of the ten scenes', integer(1, 1000), 12)
    .option('--all', 'do the whole job on it: import, train four methods, find contexts, compare, export, verify')
    .option('--seeds <number>', 'with --all: repeat the training under so many seeds', integer(1, 100), 1)
    .option('--epochs <number>', 'with --all: of each run, when not as many as suit the data', integer(1, 1000))
    .option('--min-probability <p>', 'with --all: accept contexts of images known at least so well', number(0, 1), 0.8)
    .addHelpText(
      'after',
      examples(
        ['sample shapes', 'class folders in ./shapes, ready to be imported'],
        ['sample --all --project sample.contexture', 'the whole job; Ctrl-C stops, the same call goes on'],
        ['sample --all --project sample.contexture --seeds 5', 'five paired seeds, and what holds over them'],
      ),
    )
    .action((folder, { seed, images, testImages, all, seeds, epochs, minProbability }) =>
      cli.perform('sample', (session) => {
        const amount = { largest: images, testPerScene: testImages };
        const training = { ...(epochs === undefined ? {} : { epochs }), acceptFrom: minProbability };
        if (all && folder === undefined) return doAll(session, seeds, { amount, ...training });
        if (!all && folder !== undefined) return draw(session, folder, { ...amount, seed });
        throw new UserError('usage', 'Give either a folder for the pictures, or --all with --project FILE.');
      }),
    );
};

async function draw(session: Session, folder: string, input: SampleInput): Promise<Outcome> {
  const { writeSample } = await import('../../services/sample-data.ts');
  const summary = await writeSample(session.path(folder), input, session);
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

async function doAll(
  session: Session,
  seeds: number,
  options: Pick<SampleOptions, 'amount' | 'epochs' | 'acceptFrom'>,
): Promise<Outcome> {
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
      ...options,
      act: await session.by(),
    },
    session.runJob,
    { emit, signal: session.signal },
  );
  return { data: report, text: sampleText(report) };
}
