/**
 * `node build/run.mjs FILE ARGS…`: run FILE under the Node that set-up chose, as if it had been started directly:
 * input, output, signals and exit code are passed through. Runs set-up first where that has not been done.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { readEngineFile } from './setup/engine-file.mjs';
import { nodeFits } from './setup/npm.mjs';
import { PROJECT } from './setup/places.mjs';

/** Signals that ask a program to do something; the others cannot be caught or concern this process alone. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH']);

/** npm repeats Ctrl-C to its script, which has got it from the terminal already; a person is not this fast. */
const REPEAT_MS = 300;

/** The program of a Node that fits. */
function nodeProgram() {
  let chosen = readEngineFile()?.node;
  if (chosen === undefined || !existsSync(chosen)) {
    console.error('Contexture is not set up yet; doing that first.');
    // Set-up's lines go to stderr: stdout belongs to FILE.
    const { status } = spawnSync(process.execPath, [join(PROJECT, 'build', 'setup.mjs')], { stdio: ['ignore', 2, 2] });
    chosen = readEngineFile()?.node;
    if (status !== 0 || chosen === undefined) process.exit(status ?? 1);
  }
  return nodeFits() ? process.execPath : chosen;
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('Usage: node build/run.mjs FILE ARGS…');
  process.exit(2);
}

// A group of its own: a terminal sends Ctrl-C to a whole group, and FILE must get it once, from here.
const ownGroup = process.platform !== 'win32';
const child = spawn(nodeProgram(), [file, ...args], { stdio: 'inherit', detached: ownGroup });

let lastSignal = '';
let lastTime = -Infinity;
for (const signal of FORWARDED) {
  process.on(signal, () => {
    const now = performance.now();
    const repeated = signal === lastSignal && now - lastTime < REPEAT_MS && signal !== 'SIGWINCH';
    lastSignal = signal;
    lastTime = now;
    if (ownGroup && !repeated) child.kill(signal);
  });
}
if (ownGroup) {
  // Ctrl-Z stops FILE and what it has started as well, and "fg" wakes all of it.
  process.on('SIGTSTP', () => {
    signalGroup('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  });
  process.on('SIGCONT', () => signalGroup('SIGCONT'));
}

/** @param {NodeJS.Signals} signal */
function signalGroup(signal) {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
}

child.on('error', (error) => {
  console.error(`${file} could not be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  // A shell shows the death by a signal as 128 plus its number.
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
});
