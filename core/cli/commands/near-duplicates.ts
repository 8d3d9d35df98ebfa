import type { NearReport } from '../../api/near-duplicates.ts';
import { Option } from '@commander-js/extra-typings';
import { DuplicateKind } from '../../api/stats.ts';
import { integer, number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { count, localTime, oneLine, plural } from '../format.ts';
import { examples } from '../help.ts';

export const addNearDuplicates: AddCommand = (parent, cli) => {
  parent
    .command('near-duplicates')
    .description(
      'Pictures that are nearly the same: frames of a burst, copies that were resized, cropped, brightened, mirrored. ' +
        'What is in more than one split makes figures look better than they are.',
    )
    .option('--find', 'look for them first (without it, what was found before is listed)')
    .option('--by <name>', '"pixels", or a backbone that is here (default: the best one); with --find')
    .option('--threshold <cosine>', 'keep this as the least cosine of near-duplicates', number(0, 1))
    .addOption(new Option('--kind <kind>', 'which are listed (default: all)').choices(DuplicateKind.options))
    .option('--limit <number>', 'show so many groups', integer(1, 100_000), 50)
    .addHelpText(
      'after',
      examples(
        ['near-duplicates --find', 'look for them by the best that is here'],
        ['near-duplicates --kind leak', 'those of the last look that are in more than one split'],
        ['near-duplicates --threshold 0.9', 'count only what is more alike'],
      ),
    )
    .action(({ find, by, threshold, kind, limit }) =>
      cli.perform('near-duplicates', async (session) => {
        const { findNearDuplicates, nearReport, requireScan, setNearThreshold } =
          await import('../../services/near-duplicates.ts');
        const { describeNear, findNear } = await import('../../services/duplicates.ts');
        const { duplicateLine, isOfKind } = await import('../../data/duplicates.ts');
        const { descriptorTitle } = await import('../../near/descriptors.ts');
        const project = await session.project();
        const { store } = project;
        const unread: string[] = [];
        if (find || by !== undefined) {
          const { emit: onEvent, signal } = session;
          const options = by === undefined ? {} : { by };
          const { unreadable } = await findNearDuplicates(project, options, session.runJob, { onEvent, signal });
          unread.push(...unreadable.map(({ reason }) => reason));
        }
        requireScan(store);
        if (threshold !== undefined) setNearThreshold(store, threshold);
        const report = nearReport(store)!;
        const groups = findNear(store)!.groups.filter((group) => kind === undefined || isOfKind(group, kind));
        const shown = describeNear(store, groups.slice(0, limit));
        const lines = shown.map((group) => oneLine(`${group.weakest.toFixed(2)} ${duplicateLine(group, ' ~ ')}`));
        if (groups.length > limit) lines.push(`and ${count(groups.length - limit)} more`);
        return {
          data: { near: report, total: groups.length, groups: shown, unread },
          text: [overview(report, descriptorTitle(report.by)), lines.join('\n'), unread.join('\n')]
            .filter((part) => part !== '')
            .join('\n\n'),
        };
      }),
    );
};

function overview(report: NearReport, title: string): string {
  const { pictures, lookedAt, threshold, floor, groups, surplus, leaks, conflicts, unseen, unreadable } = report;
  return [
    `${plural(pictures, 'picture')} compared by ${title}, ${localTime(lookedAt)}; alike from a cosine of ${threshold} on (it can be set from ${floor} to 1).`,
    `${plural(groups, 'group')} of near-duplicates: ${count(surplus)} beyond the first of their kind; ${plural(leaks, 'leak')} between splits, ${plural(conflicts, 'conflict')} between classes.`,
    unreadable > 0 ? `${plural(unreadable, 'picture')} could not be read.` : '',
    unseen > 0
      ? `${plural(unseen, 'picture')} came since and ${unseen === 1 ? 'was' : 'were'} not compared: add --find.`
      : '',
    surplus > 0 ? 'To keep one of each: contexture edit exclude --near-duplicates.' : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
}
