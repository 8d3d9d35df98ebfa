/** build/run.mjs: a script behaves as if it had been started directly. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../fixtures/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Says "ready", then each signal and line of input it gets; ends with 7 when told "end". */
const SCRIPT = `
console.log('args', JSON.stringify(process.argv.slice(2)));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log(signal));
process.stdin.on('data', (text) => {
  for (const line of String(text).trim().split('\\n')) {
    if (line === 'end') process.exit(7);
    if (line === 'die') process.kill(process.pid, 'SIGKILL');
    console.log('got', line);
  }
});
console.log('ready');
`;

class Running {
  readonly child: ChildProcess;
  out = '';
  error = '';
  readonly code: Promise<number | null>;

  constructor(script: string, ...args: string[]) {
    this.child = spawn(process.execPath, [script, ...args], { stdio: 'pipe' });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.error += chunk.toString()));
    this.code = new Promise((resolve) => this.child.on('close', resolve));
  }

  async until(text: string): Promise<void> {
    while (!this.out.includes(text)) await sleep(10);
  }

  write(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }
}

function start(...args: string[]): Running {
  const script = join(temporaryFolder(), 'script.mjs');
  writeFileSync(script, SCRIPT);
  return new Running(join(ROOT, 'build', 'run.mjs'), script, ...args);
}

test('arguments, input, output and exit code are passed through', async () => {
  const running = start('a b', '--json', '');
  await running.until('ready');
  assert.match(running.out, /^args \["a b","--json",""\]$/m);
  running.write('hello');
  await running.until('got hello');
  running.write('end');
  assert.equal(await running.code, 7);
});

test('a death by a signal has the exit code that a shell shows', async () => {
  const running = start();
  await running.until('ready');
  running.write('die');
  assert.equal(await running.code, 128 + 9);
});

test('Ctrl-C arrives once, though npm repeats it; a later one arrives too', async () => {
  const running = start();
  await running.until('ready');
  running.child.kill('SIGINT');
  running.child.kill('SIGINT');
  await running.until('SIGINT');
  running.child.kill('SIGTERM');
  await running.until('SIGTERM');
  // Longer than any program takes to repeat a signal.
  await sleep(400);
  running.child.kill('SIGINT');
  running.write('more');
  await running.until('got more');
  while (running.out.split('SIGINT').length < 3) await sleep(10);
  running.write('end');
  assert.equal(await running.code, 7);
  assert.deepEqual(running.out.match(/SIG\w+/g), ['SIGINT', 'SIGTERM', 'SIGINT']);
});

test('where set-up fails, its sentence goes to stderr and nothing runs', async () => {
  const folder = join(temporaryFolder(), 'project');
  mkdirSync(join(folder, 'build'), { recursive: true });
  cpSync(join(ROOT, 'build', 'run.mjs'), join(folder, 'build', 'run.mjs'));
  cpSync(join(ROOT, 'build', 'setup'), join(folder, 'build', 'setup'), { recursive: true });
  // What set-up shares with the product.
  cpSync(join(ROOT, 'core', 'base', 'pip.mjs'), join(folder, 'core', 'base', 'pip.mjs'));
  const failing = `console.log('what it does'); console.error('It failed.'); process.exit(1);`;
  writeFileSync(join(folder, 'build', 'setup.mjs'), failing);
  writeFileSync(join(folder, 'script.mjs'), SCRIPT);
  const running = new Running(join(folder, 'build', 'run.mjs'), join(folder, 'script.mjs'));
  assert.equal(await running.code, 1);
  assert.equal(running.out, '');
  assert.match(running.error, /Contexture is not set up yet[^]*what it does[^]*It failed\./);
});

test('without a file it says how it is used', async () => {
  const running = new Running(join(ROOT, 'build', 'run.mjs'));
  assert.equal(await running.code, 2);
  assert.match(running.error, /^Usage: /);
});
