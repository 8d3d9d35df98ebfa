/**
 * Set-up as a whole, in a copy of its files with an own cache and an own search path: what it says and leaves behind
 * when something cannot be had. The programs on the path are real, or scripts that fail the way the real ones do.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../fixtures/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Clone {
  folder: string;
  cache: string;
  bin: string;
}

/** A clone with packages, an empty cache, and a search path with nothing on it but a shell's basics. */
function clone(): Clone {
  const folder = join(temporaryFolder(), 'project');
  mkdirSync(join(folder, 'build'), { recursive: true });
  for (const path of [
    'build/setup.mjs',
    'build/setup',
    'core/base/pip.mjs',
    'core/engine/gpu-support.mjs',
    'core/engine/native',
    'package.json',
    'package-lock.json',
  ]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const bin = join(folder, '..', 'bin');
  mkdirSync(bin);
  return { folder, cache: join(folder, '..', 'cache', 'contexture'), bin };
}

/** Put a shell script on the clone's search path. */
function script({ bin }: Clone, name: string, ...lines: string[]): void {
  writeFileSync(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(join(bin, name), 0o755);
}

/** A compiler that is there; nothing gets as far as using it. */
function withCompiler(target: Clone): void {
  script(target, 'g++', 'echo "g++ 12"');
}

/** A python3 whose pip answers, and runs `download` for `pip download`; $dest is the folder that pip was given. */
function withPip(target: Clone, ...download: string[]): void {
  const destination = 'for word in "$@"; do case "$word" in --dest=*) dest="${word#--dest=}";; esac; done';
  script(target, 'python3', 'if [ "$3" = --version ]; then echo "pip 24.0"; exit 0; fi', destination, ...download);
}

function start({ folder, cache, bin }: Clone, args: string[]): ChildProcess {
  const env = { PATH: `${bin}:${join(folder, 'none')}`, CONTEXTURE_CACHE: join(cache, '..'), HOME: join(folder, '..') };
  return spawn(process.execPath, [join(folder, 'build', 'setup.mjs'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; out: string; error: string }> {
  let out = '';
  let error = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (error += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, error };
}

/** Run set-up, which must fail in one sentence and leave nothing half-made. */
async function failing(target: Clone, ...args: string[]): Promise<string> {
  const { code, error } = await finish(start(target, args));
  assert.equal(code, 1, error);
  assert.equal(error.trim().split('\n').length, 1, `not one sentence: ${error}`);
  assert.match(error, /^\S.*\.$/m);
  assert.doesNotMatch(error, /https?:/);
  nothingHalfMade(target);
  return error;
}

function nothingHalfMade({ folder, cache }: Clone): void {
  const left = existsSync(cache) ? readdirSync(cache) : [];
  assert.deepEqual(
    left.filter((name) => name.endsWith('.part') || name.endsWith('.lock')),
    [],
  );
  assert.equal(existsSync(join(folder, '.cache', 'engine.json')), false);
}

test('no compiler', async () => {
  assert.match(await failing(clone()), /compiles a small file with g\+\+, but there is none: install g\+\+/);
});

test('no Python, no pip', async () => {
  const target = clone();
  withCompiler(target);
  assert.match(await failing(target), /there is no python3 on this machine: install python3 and python3-pip/);
  script(target, 'python3', 'echo "/usr/bin/python3: No module named pip" >&2; exit 1');
  assert.match(await failing(target), /python3 has no pip: install/);
});

test('no network', async () => {
  const target = clone();
  withCompiler(target);
  withPip(target, 'echo "WARNING: Retrying (Retry(total=0)) https://index.example/simple" >&2', 'exit 1');
  assert.match(await failing(target), /could not reach its package index .*check the network/);
});

test('another file than the pinned one is refused and deleted', async () => {
  const target = clone();
  withCompiler(target);
  withPip(target, '/bin/mkdir -p "$dest"', 'echo other > "$dest/tensorflow.whl"');
  assert.match(await failing(target), /does not have the expected hash and was deleted/);
  assert.deepEqual(readdirSync(target.cache), []);
});

test('a cache that is not a folder', async () => {
  const target = clone();
  withCompiler(target);
  withPip(target, 'exit 0');
  writeFileSync(join(target.cache, '..'), '');
  assert.match(await failing(target), /needs a folder at .*, but a file is in the way/);
});

test('a compiler that fails: its error is quoted, what was fetched stays', async () => {
  const target = clone();
  const fetched = join(target.cache, `tensorflow-cpu-2.21.0-${process.platform}-${process.arch}`);
  mkdirSync(join(fetched, 'tensorflow'), { recursive: true });
  const complaint = 'echo "x.cc:1:1: error: this compiler is old" >&2';
  script(target, 'g++', 'if [ "$1" = --version ]; then exit 0; fi', complaint, 'exit 1');
  assert.match(await failing(target), /g\+\+ could not compile the binding \(x\.cc:1:1: error: this compiler is old\)/);
  assert.deepEqual(readdirSync(target.cache), [`tensorflow-cpu-2.21.0-${process.platform}-${process.arch}`]);
});

test('a wrong argument', async () => {
  assert.match(await failing(clone(), '--engine', 'tpu'), /does not know "--engine tpu": say/);
});

test('the GPU pack without a driver, and with one that is too old', async (t) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return t.skip('the GPU pack is refused here for the system');
  const target = clone();
  assert.match(await failing(target, '--engine', 'gpu'), /there is no NVIDIA driver on this machine/);
  script(target, 'nvidia-smi', 'echo "Tesla V100, 470.57.02, 7.0"');
  assert.match(await failing(target, '--engine=gpu'), /525\.60\.13 or newer, and this is 470\.57\.02/);
  script(target, 'nvidia-smi', 'echo "NVIDIA-SMI has failed"; exit 9');
  assert.match(await failing(target, '--engine', 'gpu'), /does not answer as it should \(NVIDIA-SMI has failed\)/);
});

test('Ctrl-C during a download ends pip, clears away and says so; the next start goes on', async () => {
  const target = clone();
  withCompiler(target);
  const pidFile = join(target.folder, 'pid');
  withPip(target, `echo $$ > ${pidFile}.new`, `/bin/mv ${pidFile}.new ${pidFile}`, 'exec /bin/sleep 600');
  const child = start(target, []);
  const finished = finish(child);
  while (!existsSync(pidFile)) await sleep(20);
  child.kill('SIGINT');
  const { code, error } = await finished;
  assert.equal(code, 130);
  assert.match(error, /^Set-up was interrupted; start it again/);
  nothingHalfMade(target);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  withPip(target, 'echo "ERROR: No matching distribution found" >&2', 'exit 1');
  assert.match(await failing(target), /pip finds no TensorFlow 2\.21\.0/);
});

test('with everything there it writes the engine file, says one line, and is quiet about it the next time', () => {
  const target = clone();
  const run = (): string =>
    execFileSync(process.execPath, [join(target.folder, 'build', 'setup.mjs')], { encoding: 'utf8' });
  assert.match(run(), /^Contexture is set up: TensorFlow 2\.21\.0 on the processor\.\n$/);
  const engine = readFileSync(join(target.folder, '.cache', 'engine.json'), 'utf8');
  const { pack, binding, folder, libraryPath } = JSON.parse(engine);
  assert.deepEqual([pack, libraryPath, existsSync(binding), existsSync(folder)], ['cpu', [], true, true]);
  assert.equal(run().split('\n').length, 2);
  assert.equal(readFileSync(join(target.folder, '.cache', 'engine.json'), 'utf8'), engine);
});
