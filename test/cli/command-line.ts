/** The real command line as a child process, and pictures for it. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patternPixels, pngFile } from '../fixtures/images.ts';

const MAIN = fileURLToPath(new URL('../../core/cli/main.ts', import.meta.url));

export interface CallOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What stands on its stdin; nothing by default. */
  stdin?: string;
  /** Another script than the command line's entry. */
  main?: string;
}

export interface Call {
  child: ChildProcess;
  /** What was printed up to now. */
  stdout: string;
  stderr: string;
  /** Resolves once stdout or stderr holds the text. @throws Error when the process ends without it */
  until(text: string): Promise<void>;
  /** Resolves with the exit code (null after a signal) when the process has ended and all of its output is here. */
  ended: Promise<number | null>;
}

/** Start a command. */
export function start(args: readonly string[], { cwd, env, stdin, main = MAIN }: CallOptions = {}): Call {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    // The colours and the debug output of whoever runs the tests are not part of them.
    env: { ...process.env, CONTEXTURE_DEBUG: '', FORCE_COLOR: '', ...env },
    stdio: 'pipe',
  });
  // A command that has ended takes no more.
  child.stdin.on('error', () => {}).end(stdin);
  const call: Call = {
    child,
    stdout: '',
    stderr: '',
    until: async (text) => {
      while (!call.stdout.includes(text) && !call.stderr.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`ended without "${text}": ${call.stdout}${call.stderr}`);
        }
        await sleep(5);
      }
    },
    ended: once(child, 'close').then(([code]: (number | null)[]) => code),
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (call.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (call.stderr += text));
  return call;
}

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Run a command to its end. */
export async function run(args: readonly string[], options?: CallOptions): Promise<Result> {
  const call = start(args, options);
  const code = await call.ended;
  return { code, stdout: call.stdout, stderr: call.stderr };
}

/** Run a command that must succeed with `--json`. @returns its last line */
export async function runJson(args: readonly string[], options?: CallOptions): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run([...args, '--json', '--quiet'], options);
  assert.equal(code, 0, stdout + stderr);
  return lastJson(stdout);
}

/** Every line of stdout as JSON, with `--json`. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

/** The last line of stdout as JSON. */
export function lastJson(stdout: string): Record<string, unknown> {
  return jsonLines(stdout).at(-1) ?? {};
}

/**
 * Make class folders of small PNG pictures, all different.
 * @param counts pictures of each folder, by its path inside `folder`
 */
export function makePictures(folder: string, counts: Readonly<Record<string, number>>): void {
  let seed = 0;
  for (const [name, count] of Object.entries(counts)) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let index = 0; index < count; index++) {
      const { width, height, data } = patternPixels(20, 16, seed);
      // The pattern repeats after 256 seeds.
      data[0] = seed >> 8;
      seed++;
      const file = join(folder, name, `${String(index).padStart(4, '0')}.png`);
      writeFileSync(file, pngFile({ width, height, colourType: 2, data }));
    }
  }
}
