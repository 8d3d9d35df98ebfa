import { UserError } from '../../base/errors.ts';
import type { VerifyReport } from '../../export/verify-report.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { table } from '../table.ts';

/** Problems that are printed; --json has all. */
const SHOWN = 20;

export const addVerify: AddCommand = (parent, cli) => {
  parent
    .command('verify')
    .description(
      'Check an export: every picture by its hash, nothing else there, counts, and that only training images were used.',
    )
    .argument('<folder>', 'the export')
    .option('--rebuild', 'make every picture again and compare')
    .option('--alone', 'check without the project what the folder alone can tell')
    .addHelpText(
      'after',
      examples(
        ['verify augmented', 'against the only project in this folder'],
        ['verify augmented --rebuild --project birds.contexture', 'bit for bit'],
        ['verify augmented --alone', 'on a machine that has only the export'],
      ),
    )
    .action((folder, { rebuild, alone }) =>
      cli.perform('verify', async (session): Promise<Outcome> => {
        const { verifyExport } = await import('../../services/export.ts');
        const { VerifyError } = await import('../../export/verify-report.ts');
        if (alone && rebuild) throw new UserError('usage', '--rebuild needs the project: leave --alone out.');
        const project = alone ? null : await session.projectIfAny();
        const { emit: onEvent, signal } = session;
        try {
          const options = { rebuild: rebuild ?? false };
          const report = await verifyExport(project, session.path(folder), options, session.runJob, {
            onEvent,
            signal,
          });
          return { data: report, text: verifyText(report) };
        } catch (error) {
          if (!(error instanceof VerifyError)) throw error;
          return { data: error.report, text: verifyText(error.report), error };
        }
      }),
    );
};

/** What a check found. */
export function verifyText({ ok, problems, notes, pictures, proven, rebuilt }: VerifyReport): string {
  const verdict = ok
    ? `Verified: ${plural(pictures, 'picture')}, ${count(proven)} proven to come from training images` +
      (rebuilt > 0 ? `, ${count(rebuilt)} made again bit for bit.` : '.')
    : `Not verified: ${plural(problems.length, 'problem')} in ${plural(pictures, 'picture')}.`;
  const rows = problems.slice(0, SHOWN).map(({ kind, file, message }) => [kind, file || '(the export)', message]);
  const more = problems.length - rows.length;
  return [
    verdict,
    ...(rows.length > 0 ? [table(['problem', 'file', 'what'], rows)] : []),
    ...(more > 0 ? [`and ${plural(more, 'more problem')} (--json lists all)`] : []),
    ...notes.map((note) => `Note: ${note}`),
  ].join('\n');
}
