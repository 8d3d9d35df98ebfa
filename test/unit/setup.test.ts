import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Interrupted } from '../../build/setup/failure.mjs';
import { makeFolder, requireSpace, withLock } from '../../build/setup/folders.mjs';
import { gpuAdvice, gpuRefusal, haveBfloat16, parseGpus } from '../../core/engine/gpu-support.mjs';
import { nodeFits, npmSentence, packagesMatch } from '../../build/setup/npm.mjs';
import { cacheFolder } from '../../build/setup/places.mjs';
import { runProgram } from '../../build/setup/program.mjs';
import { tellingLine } from '../../core/base/pip.mjs';
import { pythonSentence } from '../../build/setup/python.mjs';
import { temporaryFolder } from '../fixtures/temporary.ts';

const { signal } = new AbortController();

test('Node 24.12 up to 26 fits, others do not', () => {
  for (const version of ['24.12.0', '24.21.0', '25.0.0', '26.10.0']) assert.equal(nodeFits(version), true, version);
  for (const version of ['18.19.1', '20.20.2', '23.9.0', '24.11.1', '27.0.0']) {
    assert.equal(nodeFits(version), false, version);
  }
});

test('the cache: our variable before the XDG one before ~/.cache; an empty variable is none', () => {
  assert.equal(cacheFolder({ CONTEXTURE_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/home/x'), '/a/contexture');
  assert.equal(cacheFolder({ CONTEXTURE_CACHE: '', XDG_CACHE_HOME: '/b' }, '/home/x'), '/b/contexture');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '' }, '/home/x'), '/home/x/.cache/contexture');
});

// --- npm packages

const linux = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const zod = { version: '4.0.0', integrity: 'sha512-z' };
const native = {
  version: '1.0.0',
  integrity: 'sha512-n',
  optional: true,
  os: ['linux'],
  cpu: ['x64'],
  libc: ['glibc'],
};
const wanted = { '': {}, 'node_modules/zod': zod, 'node_modules/native': native };
const installed = { 'node_modules/zod': zod, 'node_modules/native': native };

test('installed packages match the lock file', () => {
  assert.equal(packagesMatch(wanted, installed, linux), true);
});

test('a missing, another or a superfluous package does not match', () => {
  assert.equal(packagesMatch(wanted, { 'node_modules/native': native }, linux), false);
  const newer = { ...installed, 'node_modules/zod': { ...zod, version: '4.0.1' } };
  assert.equal(packagesMatch(wanted, newer, linux), false);
  const other = { ...installed, 'node_modules/zod': { ...zod, integrity: 'sha512-y' } };
  assert.equal(packagesMatch(wanted, other, linux), false);
  assert.equal(packagesMatch(wanted, { ...installed, 'node_modules/more': zod }, linux), false);
});

test('an optional native package is needed on its own system only', () => {
  const without = { 'node_modules/zod': zod };
  assert.equal(packagesMatch(wanted, without, linux), false);
  assert.equal(packagesMatch(wanted, without, { ...linux, cpu: 'arm64' }), true);
  assert.equal(packagesMatch(wanted, without, { ...linux, libc: 'musl' }), true);
  assert.equal(packagesMatch(wanted, without, { ...linux, os: 'darwin' }), true);
});

// --- what went wrong, in words

test('failures of npm in words', () => {
  const say = npmSentence.bind(null, 'the npm packages');
  assert.match(say('npm error code ENOTFOUND\nnpm error network'), /could not reach its registry.*check the network/);
  assert.match(say('npm error code EAI_AGAIN'), /check the network/);
  assert.match(say('npm error code EINTEGRITY\nnpm error sha512-a integrity checksum failed'), /expected hash/);
  assert.match(say('npm error code ENOSPC'), /disk is full/);
  assert.equal(
    say('npm error 404 Not Found - GET https://registry.example/zod - Not found.'),
    'npm could not get the npm packages: npm error 404 Not Found - GET (an address) - Not found.',
  );
});

test('failures of pip in words', () => {
  const say = pythonSentence.bind(null, 'TensorFlow');
  const retries = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'";
  const none = 'ERROR: No matching distribution found for tensorflow-cpu==2.21.0';
  assert.match(say(`${retries}\n${none}`), /could not reach its package index.*check the network/);
  assert.match(say(none), /finds no TensorFlow for this system: update pip/);
  assert.match(say('OSError: [Errno 28] No space left on device'), /disk is full/);
  assert.equal(say('Traceback\nERROR: it broke.'), 'pip could not get TensorFlow: ERROR: it broke.');
});

test('the telling line is the last error, else the last line', () => {
  assert.equal(tellingLine('a\nx.cc:1: error: one\nx.cc:2: error: two\nnote: b\n'), 'x.cc:2: error: two');
  assert.equal(tellingLine('a\nb\n\n'), 'b');
  assert.equal(tellingLine(''), 'it said nothing');
});

test('too little space is refused with both sizes and the folder', async () => {
  const folder = temporaryFolder();
  await assert.rejects(
    requireSpace(folder, 2e9, 'TensorFlow', () => Promise.resolve(300e6)),
    {
      name: 'SetupFailure',
      message: `TensorFlow needs 2.0 GB in ${folder}, but only 300 MB are free there: free some space.`,
    },
  );
  await requireSpace(folder, 1, 'TensorFlow');
});

// --- shared folders

test('a folder appears whole, and is filled once by several at a time', async () => {
  const target = join(temporaryFolder(), 'deep', 'part');
  let filled = 0;
  const fill = async (folder: string): Promise<void> => {
    assert.equal(existsSync(target), false);
    filled++;
    await mkdir(join(folder, 'inner'));
    await writeFile(join(folder, 'inner', 'file'), 'content');
  };
  await Promise.all([makeFolder(target, signal, fill), makeFolder(target, signal, fill)]);
  await makeFolder(target, signal, fill);
  assert.equal(filled, 1);
  assert.equal(readFileSync(join(target, 'inner', 'file'), 'utf8'), 'content');
  assert.deepEqual(readdirSync(join(target, '..')), ['part']);
});

test('a failed filling leaves nothing, and the next one makes it', async () => {
  const parent = temporaryFolder();
  const target = join(parent, 'part');
  const failing = makeFolder(target, signal, async (folder) => {
    await writeFile(join(folder, 'half'), '');
    throw new Error('no more');
  });
  await assert.rejects(failing, /no more/);
  assert.deepEqual(readdirSync(parent), []);
  await makeFolder(target, signal, (folder) => writeFile(join(folder, 'whole'), ''));
  assert.deepEqual(readdirSync(target), ['whole']);
});

test('what a killed set-up left is cleared away, what belongs to others stays', async () => {
  const parent = temporaryFolder();
  const target = join(parent, 'part');
  for (const name of ['part.1234.part', 'part2.1234.part']) {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, 'half'), '');
  }
  // Its lock was last touched a minute ago: nobody holds it.
  const lock = `${target}.lock`;
  writeFileSync(lock, 'gone');
  const past = new Date(Date.now() - 60_000);
  utimesSync(lock, past, past);
  await makeFolder(target, signal, (folder) => writeFile(join(folder, 'whole'), ''));
  assert.deepEqual(readdirSync(parent).toSorted(), ['part', 'part2.1234.part']);
});

test('a lock is held by one at a time, and waiting for it can be interrupted', async () => {
  const lock = join(temporaryFolder(), 'lock');
  const interrupt = new AbortController();
  await withLock(lock, signal, async () => {
    const waiting = withLock(lock, interrupt.signal, () => Promise.resolve('never'));
    interrupt.abort();
    await assert.rejects(waiting, Interrupted);
  });
  assert.equal(existsSync(lock), false);
});

// --- programs

test('a program that is not there is told from one that fails', async () => {
  assert.deepEqual((await runProgram('no-such-program-x', [], { signal })).missing, true);
  const failed = await runProgram(process.execPath, ['-e', 'console.log(1); console.error(2); process.exit(3)'], {
    signal,
  });
  assert.equal(failed.missing, false);
  assert.equal(failed.code, 3);
  assert.deepEqual(failed.output.trim().split('\n').toSorted(), ['1', '2']);
});

test('an interrupted program has ended when the promise has', async () => {
  const interrupt = new AbortController();
  const running = runProgram(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { signal: interrupt.signal });
  setImmediate(() => interrupt.abort());
  await assert.rejects(running, Interrupted);
});

// --- the GPU pack

const machine = (...gpus: [string, string, string][]): Parameters<typeof gpuRefusal>[0] => ({
  platform: 'linux',
  arch: 'x64',
  gpus: gpus.map(([name, driver, capability]) => ({ name, driver, capability })),
});

test('nvidia-smi is read', () => {
  assert.deepEqual(parseGpus('NVIDIA H100 80GB HBM3, 550.54.15, 9.0\nTesla T4, 550.54.15, 7.5\n\n'), [
    { name: 'NVIDIA H100 80GB HBM3', driver: '550.54.15', capability: '9.0' },
    { name: 'Tesla T4', driver: '550.54.15', capability: '7.5' },
  ]);
});

test('the GPU pack is refused with the reason', () => {
  const cases: [ReturnType<typeof machine>, RegExp][] = [
    [{ ...machine(), platform: 'darwin', arch: 'arm64' }, /macOS/],
    [{ ...machine(['T4', '550.54.15', '7.5']), platform: 'win32' }, /inside WSL2/],
    [{ ...machine(['T4', '550.54.15', '7.5']), arch: 'arm64' }, /made for Linux on x86-64, and this is linux on arm64/],
    [
      { ...machine(), gpus: 'there is no NVIDIA driver on this machine (no nvidia-smi)' },
      /525\.60\.13 or newer, but there is no NVIDIA driver/,
    ],
    [machine(), /names none/],
    [machine(['T4', '525.60.12', '7.5']), /525\.60\.13 or newer, and this is 525\.60\.12: update/],
    [machine(['T4', '470.256', '7.5']), /and this is 470\.256/],
    [machine(['GTX 980', '550.54.15', '5.2']), /GTX 980 has 5\.2/],
    [machine(['RTX 5090', '580.10', '12.0']), /RTX 5090 has 12\.0/],
    [machine(['B200', '580.10', '10.0']), /B200 has 10\.0/],
    [machine(['Odd', '580.10', '[N/A]']), /Odd has \[N\/A\]/],
    [machine(['Odd', '[N/A]', '8.0']), /and this is \[N\/A\]/],
    [machine(['B200', '580.10', '10.0'], ['K80', '580.10', '3.7']), /B200 has 10\.0/],
  ];
  for (const [found, expected] of cases) assert.match(gpuRefusal(found) ?? 'not refused', expected);
});

test('the GPU pack is allowed where driver and capability fit', () => {
  for (const [driver, capability] of [
    ['525.60.13', '6.0'],
    ['525.60.14', '6.1'],
    ['526.1', '7.5'],
    ['550.54.15', '8.9'],
    ['580', '9.0'],
  ]) {
    assert.equal(gpuRefusal(machine(['GPU', driver, capability])), undefined, `${driver} ${capability}`);
  }
});

test('beside a GPU that fits, one that does not is left out by name', () => {
  const gpus = parseGpus('RTX 5090, 580.10, 12.0\nRTX 3090, 580.10, 8.6\nA100, 580.10, 8.0\n');
  assert.equal(gpuRefusal({ platform: 'linux', arch: 'x64', gpus }), undefined);
  assert.match(gpuAdvice(gpus) ?? '', /Only GPU 1, 2 of 3 .*CUDA_VISIBLE_DEVICES=1,2 /);
  assert.equal(gpuAdvice(gpus.slice(1)), undefined);
  // The one that cannot be used does not count.
  assert.equal(haveBfloat16(gpus), true);
  assert.equal(haveBfloat16([...gpus, ...parseGpus('Tesla T4, 580.10, 7.5')]), false);
  assert.equal(haveBfloat16([]), false);
});
