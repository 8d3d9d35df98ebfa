import { UserError } from '../../base/errors.ts';
import { number } from '../arguments.ts';
import type { AddCommand } from '../cli.ts';
import { plural } from '../format.ts';
import { examples } from '../help.ts';

export const addDoctor: AddCommand = (parent, cli) => {
  parent
    .command('doctor')
    .description('Which engine runs on which device, why not the other one, and whether it trains: proven by training.')
    .option('--seconds <number>', 'how long to train', number(1, 600), 5)
    .addHelpText('after', examples(['doctor', 'after setting up, or when something is slow']))
    .action(({ seconds }) =>
      cli.perform('doctor', async (session) => {
        const { doctorLines, runDoctor } = await import('../../services/doctor.ts');
        const report = await runDoctor(session.runJob, session.emit, session.signal, { seconds });
        const found = `The doctor found ${plural(report.problems.length, 'problem')}.`;
        return {
          data: report,
          text: doctorLines(report).join('\n'),
          error: report.ok ? undefined : new UserError('engine', found),
        };
      }),
    );
};
