/** Running other programs. */
import { spawn } from 'node:child_process';
import { Interrupted } from './failure.mjs';

/**
 * @typedef {object} Outcome
 * @property {number | null} code exit code, not 0 where the program did not start; null when a signal ended it
 * @property {boolean} missing the program is not on this machine
 * @property {string} output what it printed, both streams
 */

/**
 * Run a program to its end and collect what it prints.
 * @param {string} program
 * @param {string[]} args
 * @param {{ signal: AbortSignal, cwd?: string, env?: Record<string, string> }} options `env` comes on top of ours
 * @returns {Promise<Outcome>}
 * @throws {Interrupted} when the signal is aborted; the program has ended then
 */
export function runProgram(program, args, { signal, cwd, env }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Interrupted());
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    let output = '';
    let missing = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ text) => (output += text));
    }
    child.on('error', (error) => {
      missing = 'code' in error && error.code === 'ENOENT';
      output += error.message;
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(new Interrupted());
      else resolve({ code, missing, output });
    });
  });
}
