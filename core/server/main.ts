/**
 * Entry of the service under the desktop shell: `node core/server/main.ts --socket`. Prints one line of JSON when it
 * listens, or why it does not; ends when its stdin does. Logs go to stderr.
 */
import { sqliteStorage } from '../../db/index.ts';
import { errorToData } from '../base/errors.ts';
import { CODE_VERSION } from '../base/version.ts';
import { runJob } from '../jobs/runner.ts';
import { startService } from './serve.ts';

const log = (line: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
};
const tell = (message: object): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

process.on('unhandledRejection', (reason) => {
  // A defect in one request or task must not take the others with it.
  log(`unhandled: ${errorToData(reason).stack ?? String(reason)}`);
});

try {
  const running = await startService({ storage: sqliteStorage, runJob, log });
  const end = async (): Promise<void> => {
    await running.close();
    process.exit(0);
  };
  process.stdin.resume().once('end', () => void end());
  process.once('SIGTERM', () => void end());
  process.once('SIGINT', () => void end());
  const { socket, token } = running;
  tell({ type: 'ready', socket, token, pid: process.pid, version: CODE_VERSION });
} catch (error) {
  const { message, stack } = errorToData(error);
  if (stack !== undefined) log(stack);
  tell({ type: 'failed', message });
  process.exit(1);
}
