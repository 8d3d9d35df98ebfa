import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { createProgram } from '../../core/cli/program.ts';
import { findProject } from '../../core/cli/find-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { lastJson, run, start } from './command-line.ts';

const WORK = fileURLToPath(new URL('../fixtures/cli-work.ts', import.meta.url));

test('help names every exit code', async () => {
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  for (const exit of new Set([0, 1, ...Object.values(EXIT_CODES)]))
    assert.match(stdout, new RegExp(`^ +${exit}  `, 'm'));
});

test('every command is there, and its help has examples that call it', () => {
  const { program } = createProgram(
    {
      loadStorage: () => Promise.reject(new Error('no project here')),
      runJob: () => Promise.reject(new Error('no job here')),
    },
    {
      argv: [],
      cwd: '/',
      stdin: { read: async () => '', text: null },
      stdout: { write: () => {} },
      stderr: { write: () => {} },
      colour: false,
      debug: false,
      signal: new AbortController().signal,
      exitCode: 0,
    },
  );
  const names = program.commands.map((command) => command.name());
  const asked =
    'sample import stats near-duplicates contexts bank masks train runs show compare adjust reliance study resume export verify predict model backbone doctor edit source exports serve';
  assert.deepEqual(names.toSorted(), asked.split(' ').toSorted());
  const check = (command: CommandUnknownOpts, path: string): void => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    assert.match(help, new RegExp(`\nExamples:\n(.*\n)*? +contexture ${path}`), path);
    for (const child of command.commands) check(child, `${path} ${child.name()}`);
  };
  for (const command of program.commands) check(command, command.name());
});

test('a wrong call says whose help tells more', async () => {
  for (const [argv, hint] of [
    [['bank', 'show'], /'context' \(see contexture bank show --help\)$/m],
    [['--project', 'birds.contexture', 'train'], /'method' \(see contexture train --help\)$/m],
    [['frobnicate'], /'frobnicate' \(see contexture --help\)$/m],
  ] as const) {
    const { code, stderr } = await run([...argv]);
    assert.equal(code, 2);
    assert.match(stderr, hint);
  }
});

test('no command shows help and is a wrong use', async () => {
  const { code, stdout, stderr } = await run([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^Usage: contexture/);
});

test('a misspelt command or option is answered with a suggestion, exit code 2', async () => {
  assert.deepEqual(await run(['smaple']), {
    code: 2,
    stdout: '',
    stderr: "contexture: unknown command 'smaple' (Did you mean sample?)\n",
  });
  assert.deepEqual(await run(['sample', 'x', '--sede', '4']), {
    code: 2,
    stdout: '',
    stderr: "contexture: unknown option '--sede' (Did you mean --seed?)\n",
  });
});

test('with --json a wrong use is data too', async () => {
  const { code, stdout, stderr } = await run(['sample', 'x', '--seed', '1.5', '--json']);
  assert.deepEqual([code, stderr], [2, '']);
  const { ok, code: name, message } = lastJson(stdout);
  assert.deepEqual([ok, name], [false, 'usage']);
  assert.match(String(message), /--seed.*1\.5.*whole number/);
});

test('a refusal is one line on stderr', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mine.txt'), '');
  const { code, stdout, stderr } = await run(['sample', folder, '--quiet']);
  assert.deepEqual([code, stdout], [EXIT_CODES.exists, '']);
  assert.match(stderr, /^contexture: .*\n$/);
  assert.ok(stderr.includes(folder));
});

test('Ctrl-C cancels cleanly', async () => {
  const parent = temporaryFolder();
  const call = start(['sample', join(parent, 'shapes'), '--json']);
  await call.until('"progress"');
  call.child.kill('SIGINT');
  assert.equal(await call.ended, EXIT_CODES.cancelled);
  assert.equal(lastJson(call.stdout).code, 'cancelled');
  assert.deepEqual(readdirSync(parent), []);
});

test('a command that keeps its state when stopped says how to go on, exit code 130', async () => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const call = start(['patient', '--json'], { main: WORK });
    await call.until('working');
    call.child.kill(name);
    assert.equal(await call.ended, EXIT_CODES.cancelled);
    assert.deepEqual(lastJson(call.stdout), {
      ok: false,
      code: 'cancelled',
      message: 'Stopped after 3 steps: call it again to go on.',
      command: 'patient',
      steps: 3,
    });
  }
});

test('a second Ctrl-C ends at once', async () => {
  const call = start(['hang', '--json'], { main: WORK });
  await call.until('working');
  call.child.kill('SIGINT');
  const seen = call.stdout.length;
  // Still at work: the first one is only a request.
  while (call.stdout.length === seen) await sleep(10);
  call.child.kill('SIGINT');
  assert.equal(await call.ended, EXIT_CODES.cancelled);
});

test('a closed pipe ends the command quietly', async () => {
  const parent = temporaryFolder();
  const call = start(['sample', join(parent, 'shapes'), '--json']);
  await call.until('"progress"');
  call.child.stdout?.destroy();
  await call.ended;
  assert.equal(call.stderr, '');
  assert.deepEqual(readdirSync(parent), []);
});

test('a defect is told from a refusal, and its stack is kept in a log', async () => {
  const env = { CONTEXTURE_CACHE: temporaryFolder() };
  const folder = join(env.CONTEXTURE_CACHE, 'contexture', 'logs');
  const { code, stdout, stderr } = await run(['defect'], { main: WORK, env });
  assert.deepEqual([code, stdout], [1, '']);
  const [file] = readdirSync(folder);
  assert.equal(stderr, `contexture: defect of Contexture: x is not a function (details: ${join(folder, file)})\n`);
  assert.match(readFileSync(join(folder, file), 'utf8'), /TypeError: x is not a function\n.*cli-work\.ts/);

  const stray = await run(['stray', '--json'], { main: WORK, env });
  assert.equal(stray.code, 1);
  const { ok, code: name, message, log } = lastJson(stray.stdout);
  assert.deepEqual([ok, name, message], [false, 'defect', 'y is not a function']);
  assert.match(readFileSync(String(log), 'utf8'), /y is not a function/);

  const debug = await run(['defect'], { main: WORK, env: { ...env, CONTEXTURE_DEBUG: '1' } });
  assert.match(debug.stderr, /\n {4}at .*cli-work\.ts/);
});

test('the only project of a folder needs no name', () => {
  const folder = temporaryFolder();
  assert.throws(() => findProject(undefined, folder), { code: 'usage', message: /no project .* --project FILE/ });
  writeFileSync(join(folder, 'a.contexture'), '');
  writeFileSync(join(folder, 'a.contexture.lock'), '');
  assert.equal(findProject(undefined, folder), join(folder, 'a.contexture'));
  writeFileSync(join(folder, 'b.contexture'), '');
  assert.throws(() => findProject(undefined, folder), {
    code: 'usage',
    message: /2 projects .*a\.contexture, b\.contexture/,
  });
  assert.equal(findProject('c', folder), join(folder, 'c'));
});
