/** Entry of the command line: wires the database and the job processes to it. */
import { runJob } from '../jobs/runner.ts';
import { runCommandLine } from './program.ts';

await runCommandLine(process.argv.slice(2), {
  loadStorage: async () => (await import('../../db/index.ts')).sqliteStorage,
  runJob,
});
