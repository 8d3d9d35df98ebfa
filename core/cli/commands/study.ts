import { Option } from '@commander-js/extra-typings';
import type { StudyReport } from '../../api/studies.ts';
import { UserError } from '../../base/errors.ts';
import { GROUPS } from '../../data/groups.ts';
import type { Difference } from '../../evaluation/compare.ts';
import type { SeedDifference } from '../../evaluation/seeds.ts';
import { percent, points } from '../../evaluation/sentences.ts';
import { TrainConfig } from '../../training/config.ts';
import { PRESETS } from '../../training/presets.ts';
import { integer, number, seedList } from '../arguments.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { count, localTime, plural } from '../format.ts';
import { examples } from '../help.ts';
import { epochLine } from '../run-text.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export const addStudy: AddCommand = (parent, cli) => {
  const study = parent
    .command('study')
    .description('Runs that are made together to answer a question.')
    .addHelpText(
      'after',
      examples(
        ['study edits --seeds 3', 'did my edits of masks help?'],
        ['study run 1', 'go on with study 1 where it was stopped'],
        ['study add 1 --seeds 4-6', 'more pairs for study 1'],
        ['study show 1', 'what it says so far'],
      ),
    );

  study
    .command('edits')
    .description(
      'Did my edits help? Trains CSA on the bank as it is and with each mask that you edited as the model made it, both ' +
        'by the same seeds, and compares them.',
    )
    .option('--seeds <number>', 'pairs of runs, by seeds 1, 2, …', integer(1, 20), 3)
    .addOption(
      new Option('--preset <name>', 'settings to begin with (default: by the size of pictures and classes)').choices(
        PRESETS,
      ),
    )
    .option('--epochs <number>', 'the schedule is scaled to it', integer(1, 1000))
    .option('--curated <share>', 'share of contexts from the bank (default: 1)', number(0, 1))
    .option('--threads <number>', 'inside an operation; 0 is all cores', integer(0, 256))
    .addHelpText('after', examples(['study edits --seeds 5 --preset small', 'ten short runs']))
    .action(({ seeds, preset, epochs, curated, threads }) =>
      cli.perform('study edits', async (session) => {
        const { settleInterrupted } = await import('../../services/runs.ts');
        const { startEditStudy } = await import('../../services/studies.ts');
        const { proposePreset, trainingFacts } = await import('../../services/training-plan.ts');
        const project = await session.project();
        settleInterrupted(project);
        const { id } = await startEditStudy(project, {
          preset: preset ?? proposePreset(trainingFacts(project.store)),
          seeds: Array.from({ length: seeds }, (_, i) => i + 1),
          settings: {
            ...(epochs === undefined ? {} : { epochs }),
            ...(curated === undefined ? {} : { curatedShare: curated }),
            ...(threads === undefined ? {} : { threads }),
          },
        });
        return performed(session, id);
      }),
    );

  study
    .command('run')
    .description('Go on with a study: trains those of its runs that have not finished.')
    .argument('<study>', 'its number', integer(1))
    .addHelpText('after', examples(['study run 1', 'go on where it stopped']))
    .action((id) => cli.perform('study run', async (session) => performed(session, id)));

  study
    .command('add')
    .description(
      'Add pairs of runs to a study by other seeds, on the data, the settings and the banks that were frozen for it.',
    )
    .argument('<study>', 'its number', integer(1))
    .requiredOption('--seeds <list>', 'such as 4, 5 or 4-6', seedList)
    .addHelpText('after', examples(['study add 1 --seeds 4-6', 'three more pairs']))
    .action((id, { seeds }) =>
      cli.perform('study add', async (session) => {
        const { settleInterrupted } = await import('../../services/runs.ts');
        const { addStudySeeds } = await import('../../services/studies.ts');
        const project = await session.project();
        settleInterrupted(project);
        addStudySeeds(project, id, seeds);
        return performed(session, id);
      }),
    );

  study
    .command('show')
    .description('What a study says so far.')
    .argument('<study>', 'its number', integer(1))
    .addHelpText('after', examples(['study show 1', 'by class and group, with intervals']))
    .action((id) =>
      cli.perform('study show', async (session) => {
        const { studyReport } = await import('../../services/studies.ts');
        return outcome(await studyReport(await session.project(), id));
      }),
    );

  study
    .command('list')
    .description('All studies, newest first.')
    .addHelpText('after', examples(['study list', 'with what each says so far']))
    .action(() =>
      cli.perform('study list', async (session) => {
        const { listStudies } = await import('../../services/studies.ts');
        const studies = await listStudies(await session.project());
        const rows = studies.map(({ id, createdAt, finished, pairs, sentence }) => [
          String(id),
          localTime(createdAt),
          `${finished} of ${pairs}`,
          sentence,
        ]);
        const text = rows.length === 0 ? 'No studies.' : table(['>study', 'made', '>pairs', 'so far'], rows);
        return { data: { studies }, text };
      }),
    );

  study
    .command('delete')
    .description('Forget a study. Its runs stay.')
    .argument('<study>', 'its number', integer(1))
    .addHelpText('after', examples(['study delete 1', 'its runs stay']))
    .action((id) =>
      cli.perform('study delete', async (session) => {
        const { deleteStudy } = await import('../../services/studies.ts');
        deleteStudy(await session.project(), id);
        return { data: { deleted: id }, text: `Study ${id} is forgotten; its runs stay.` };
      }),
    );
};

/** Train what is left of a study and tell what it says. */
async function performed(session: Session, id: number): Promise<Outcome> {
  const { performStudy, studyReport } = await import('../../services/studies.ts');
  const project = await session.project();
  try {
    await performStudy(project, id, session.runJob, {
      signal: session.signal,
      onEvent: (event, run) => {
        session.emit(event);
        if (event.type === 'epoch') {
          session.note(`${run.name}: ${epochLine(event, TrainConfig.parse(run.config).epochs)}`);
        }
      },
    });
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'cancelled') throw error;
    throw new UserError('cancelled', `${error.message} Go on with: contexture study run ${id}`, { cause: error });
  }
  return outcome(await studyReport(project, id));
}

function outcome(report: StudyReport): Outcome {
  return { data: { study: report }, text: textOf(report) };
}

function textOf(report: StudyReport): string {
  const { id, bank, replaced, unmatched, curatedShare, overSeeds, bySeed, runs } = report;
  const kept =
    unmatched === 0 ? '' : `\n${plural(unmatched, 'edited mask')} had none by a model and stayed the same in both.`;
  const heading =
    `Study ${id}: did my edits help? ${plural(replaced, 'edited mask')} of ${count(bank)} in the bank, ` +
    `${percent(curatedShare)} of contexts from it.${kept}`;
  const states = table(
    ['>run', 'edits', '>seed', 'state'],
    runs.map(({ run, arm, seed, state }) => [String(run), arm, String(seed), state]),
  );
  const seeds =
    overSeeds === null
      ? ''
      : table(
          ['over seeds', '>without', '>with', '>points', '95 % interval', 'verdict'],
          [
            row('macro recall', overSeeds.macroRecall),
            row('top-1', overSeeds.top1),
            ...GROUPS.map((group) => row(group, overSeeds.groups[group])),
            ...overSeeds.classes.map(({ name, trained, recall }) => row(`${name} (${count(trained)})`, recall)),
          ],
        );
  const pairs = bySeed.map(({ seed, without, with: edited, overall, macroRecall, groups }) =>
    table(
      [`seed ${seed}: runs ${without}, ${edited}`, '>without', '>with', '>points', '95 % interval', 'verdict'],
      [row('macro recall', macroRecall), row('top-1', overall), ...GROUPS.map((group) => row(group, groups[group]))],
    ),
  );
  return [heading, states, seeds, ...pairs, report.sentence].filter((part) => part !== '').join('\n\n');
}

function row(title: string, difference: Difference | SeedDifference | null): string[] {
  if (difference === null) return [title, '-', '-', '-', '-', 'no test images'];
  const { a, b, value, low, high, verdict } = difference;
  const interval = low === null || high === null ? '-' : `${points(low)} to ${points(high)}`;
  return [title, percent(a), percent(b), points(value), interval, low === null ? '-' : verdict];
}
