/**
 * `npm start`: builds the page and the shell where their sources have changed and opens the app; where that cannot be,
 * serves the page on this machine and prints its address. Paths among the arguments are opened.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { displayProblem, findElectron } from './electron/program.ts';
import { ensureBuilt } from './outputs.ts';

const ROOT = join(import.meta.dirname, '..');

/** Run a program as if it had been started instead of this one. */
function become(program: string, args: readonly string[]): void {
  const child = spawn(program, args, { stdio: 'inherit' });
  // build/run.mjs passes on what a terminal sends, to this process alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${program} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
}

const args = process.argv.slice(2);
const say = (part: string) => () => console.log(`Building the ${part}: once, and again after an update.`);
await ensureBuilt('page', say('page'));
const problem = displayProblem();
const electron = problem === undefined ? findElectron({ fetch: true }) : { reason: problem };
if ('program' in electron) {
  await ensureBuilt('shell', say('shell'));
  await ensureBuilt('licences');
  become(electron.program, [join(ROOT, 'out', 'electron'), ...args]);
} else {
  console.log(`No window, because ${electron.reason}: Contexture serves its page to a browser instead.`);
  await ensureBuilt('licences');
  become(process.execPath, [join(ROOT, 'core', 'cli', 'main.ts'), 'serve', ...args]);
}
