/** The command line while a service has its project open. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '../../core/api/tasks.ts';
import { lockFile } from '../../core/storage/project-lock.ts';
import { startServiceProcess, type ServiceProcess } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { jsonLines, lastJson, makePictures, run, start, type Result } from './command-line.ts';

const TINY = '--preset small --epochs 2 --batch-size 8 --blocks 1 --input-size 32 --threads 1 --min-steps 2'.split(' ');

const folder = temporaryFolder();
const file = join(folder, 'birds.contexture');
let service: ServiceProcess;
let project = '';

before(async () => {
  makePictures(join(folder, 'pictures'), { 'train/owl': 12, 'train/finch': 6, 'test/owl': 4, 'test/finch': 4 });
  service = await startServiceProcess();
  ({ id: project } = await service.json<{ id: string }>('POST', '/api/projects', { file, create: true }));
});

/** What differs from one call to the next. */
function timeless(line: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(line, (key, value: unknown) => (/^(seconds|.*At)$/.test(key) ? '' : value)),
  ) as Record<string, unknown>;
}

test('an import is done by the service: progress, result, and the pages are told', async () => {
  const listening = await service.listen();
  const { code, stdout, stderr } = await run(['import', 'pictures'], { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^26 images \(26 new\) in 2 classes from .*pictures/);
  assert.match(stderr, /Reading pictures: 26 files/);
  const change = await listening.until((event) => event.type === 'data');
  assert.ok(change.type === 'data' && change.project === project && change.topics.includes('images'));
  listening.stop();
});

test('--json gives the same lines as it does without a service', async () => {
  const calls = [
    ['stats'],
    ['stats', '--duplicates', '--problems'],
    ['source', 'list'],
    ['runs'],
    ['bank', 'list'],
    ['edit', 'history'],
    ['edit', 'exclude', 'pictures/train/owl/0000.png', '--reason', 'blurred'],
    ['edit', 'undo'],
  ];
  const through: Result[] = [];
  for (const call of calls) through.push(await run([...call, '--json'], { cwd: folder }));
  await service.json('POST', `/api/projects/${project}/close`);
  for (const [index, call] of calls.entries()) {
    const local = await run([...call, '--json'], { cwd: folder });
    const { code, stdout, stderr } = through[index];
    assert.deepEqual([code, stderr], [local.code, local.stderr], call.join(' '));
    assert.equal(code, 0, stdout);
    // The second exclusion and its undoing are two more steps of the history.
    if (call[0] === 'edit') continue;
    assert.deepEqual(jsonLines(stdout).map(timeless), jsonLines(local.stdout).map(timeless), call.join(' '));
  }
  await service.json('POST', '/api/projects', { file });
});

test('text is laid out for the terminal of the caller', async () => {
  const { stdout } = await run(['stats', '--project', '../birds.contexture'], { cwd: join(folder, 'pictures') });
  assert.match(stdout, /^Images +26 usable/);
  const widthOf = async (columns: number): Promise<number> => {
    const { text } = await service.call('POST', '/api/command', {
      project: file,
      argv: ['stats'],
      cwd: folder,
      stdout: { columns },
      stderr: { columns, isTTY: true, colour: false },
      debug: false,
    });
    const lines = jsonLines(text);
    assert.deepEqual([lines[0].type, lines.at(-1)], ['command', { type: 'exit', code: 0 }]);
    const bars = String(lines.find(({ type }) => type === 'stdout')?.text).split('\n\n')[1];
    return Math.max(...bars.split('\n').map((line) => line.length));
  };
  // "medium" would fill the line; these classes are few.
  assert.equal(await widthOf(60), 57);
  assert.equal(await widthOf(90), 87);
});

test('refusals are those of the command, with their exit codes', async () => {
  const cwd = folder;
  const lost = await run(['import', 'nowhere'], { cwd });
  assert.equal(lost.code, 3);
  assert.match(lost.stderr, /^contexture: .*nowhere.*\n$/);
  assert.equal((await run(['show', '7'], { cwd })).code, 3);
  assert.equal((await run(['bank', 'accept'], { cwd })).code, 7);
  const data = await run(['show', '7', '--json'], { cwd });
  assert.deepEqual([data.code, lastJson(data.stdout).code], [3, 'not-found']);
  assert.equal((await run(['train', 'csa', '--epochs', '0'], { cwd })).code, 2);
});

test('a short training: epochs as they come, run and model in the project, pages told of each epoch', async () => {
  const listening = await service.listen();
  const call = start(['train', 'csa', ...TINY, '--json'], { cwd: folder });
  assert.equal(await call.ended, 0, call.stdout + call.stderr);
  const lines = jsonLines(call.stdout);
  assert.deepEqual(
    lines.filter(({ type }) => type === 'epoch').map(({ epoch }) => epoch),
    [0, 1],
  );
  assert.equal(lines.at(-1)?.ok, true);
  await listening.until((event) => event.type === 'run-epoch' && event.project === project && event.epoch === 1);
  await listening.until((event) => event.type === 'run-step' && event.project === project);
  // It was a task as long as it lasted, and has gone.
  const shown = await listening.until((event) => event.type === 'task' && event.task.state === 'running');
  assert.ok(shown.type === 'task' && shown.task.kind === 'command' && shown.task.title.startsWith('train csa'));
  await listening.until((event) => event.type === 'task-gone');
  assert.deepEqual(await service.json('GET', '/api/tasks'), []);
  listening.stop();
});

test('predict: the answers come on stdout, and files lie where the caller is', async () => {
  const cwd = join(folder, 'pictures');
  const { code, stdout } = await run(['predict', 'test', '--project', file, '--quiet'], { cwd });
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split('\n').length, 9);
  const written = await run(['predict', 'test', '--out', 'answers.csv', '--project', file], { cwd });
  assert.match(written.stdout, /^8 answers in .*answers\.csv/);
  assert.equal(readFileSync(join(cwd, 'answers.csv'), 'utf8'), stdout);
});

test('predict: names on stdin go along, a pattern and a picture lie where the caller is', async () => {
  const args = ['predict', '-', 'test/finch/0000.png', 'test/*/0001.png', '--project', file, '--top', '1', '--json'];
  const options = { cwd: join(folder, 'pictures'), stdin: 'test/owl/0003.png\0gone.png\0' };
  const through = await run(args, options);
  assert.equal(through.code, 0, through.stderr);
  const { pictures } = lastJson(through.stdout) as { pictures: { file: string; problem?: string }[] };
  assert.deepEqual(
    pictures.map((picture) => [picture.file, picture.problem ?? null]),
    [
      ['test/owl/0003.png', null],
      ['gone.png', 'It is gone, or it is a link to nothing.'],
      ['test/finch/0000.png', null],
      ['test/finch/0001.png', null],
      ['test/owl/0001.png', null],
    ],
  );
  await service.json('POST', `/api/projects/${project}/close`);
  const local = await run(args, options);
  assert.deepEqual(lastJson(local.stdout).pictures, pictures);
  ({ id: project } = await service.json<{ id: string }>('POST', '/api/projects', { file }));
  const none = await run(['predict', '-', '--project', file, '--json'], { ...options, stdin: '' });
  assert.deepEqual([none.code, lastJson(none.stdout).code], [7, 'empty']);
});

test('model export: the files lie where the caller is; a second time they are in the way', async () => {
  const args = ['model', 'export', '1', '--to', 'model', '--project', file, '--json'];
  const { code, stdout, stderr } = await run(args, { cwd: folder });
  assert.equal(code, 0, stdout + stderr);
  const { files, onnx } = lastJson(stdout) as {
    files: { kind: string; path: string; bytes: number }[];
    onnx: { checked: { difference: number } };
  };
  for (const { path, bytes } of files) assert.equal(readFileSync(path).length, bytes);
  assert.deepEqual(
    files.map(({ path }) => path),
    ['model.onnx', 'model.safetensors', 'README.md'].map((name) => join(folder, 'model', name)),
  );
  assert.ok(onnx.checked.difference <= 1e-4);
  const again = await run(args, { cwd: folder });
  assert.deepEqual([again.code, lastJson(again.stdout).code], [6, 'exists']);
  const text = await run(['model', 'export', '1', '--to', 'model', '--onnx', '--overwrite', '--project', file], {
    cwd: folder,
  });
  assert.match(text.stdout, /model\.onnx +[\d.]+ kB\n\nChecked in ONNX Runtime on \d+ pictures: largest difference/);
  // A model file says enough to be used without the project.
  const used = await run(['predict', 'pictures/test', '--model', 'model/model.safetensors', '--quiet'], {
    cwd: folder,
  });
  assert.equal(used.stdout.trimEnd().split('\n').length, 9);
});

test('Ctrl-C stops a training in the service, which keeps its state; it can be resumed', async () => {
  const call = start(['train', 'control', ...TINY, '--epochs', '500', '--json'], { cwd: folder });
  await call.until('"epoch"');
  call.child.kill('SIGINT');
  assert.equal(await call.ended, 130, call.stderr);
  const {
    ok,
    code,
    message,
    run: kept,
  } = lastJson(call.stdout) as { run: { id: number; state: string } } & Record<string, unknown>;
  assert.deepEqual([ok, code, kept.state], [false, 'cancelled', 'stopped']);
  assert.match(String(message), new RegExp(`contexture resume ${kept.id}`));
  assert.deepEqual(await service.json('GET', '/api/tasks'), []);
});

test('a killed command line stops what it began', async () => {
  const call = start(['train', 'control', ...TINY, '--epochs', '500', '--json'], { cwd: folder });
  await call.until('"epoch"');
  call.child.kill('SIGKILL');
  await call.ended;
  while ((await service.json<Task[]>('GET', '/api/tasks')).length > 0) await sleep(20);
  const { runs } = lastJson((await run(['runs', '--json'], { cwd: folder })).stdout) as { runs: { state: string }[] };
  assert.equal(runs[0].state, 'stopped');
});

test('engine work takes its turn: the second training waits, is shown as a task, and can be taken out of the queue', async () => {
  const first = start(['train', 'control', ...TINY, '--epochs', '500', '--json'], { cwd: folder });
  await first.until('"epoch"');
  const second = start(['train', 'ce', ...TINY, '--json'], { cwd: folder });
  await second.until('Waiting for its turn');
  const tasks = await service.json<Task[]>('GET', '/api/tasks');
  assert.deepEqual(
    tasks.map(({ kind, state }) => [kind, state]),
    [
      ['command', 'running'],
      ['command', 'queued'],
    ],
  );
  // Pages show the first one's run while it is at work; the second one's run comes with its turn.
  const { runs } = lastJson((await run(['runs', '--json'], { cwd: folder })).stdout) as { runs: { id: number }[] };
  assert.deepEqual([tasks[0].runId, tasks[1].runId], [runs.find(({ id }) => id === tasks[0].runId)?.id ?? NaN, null]);
  assert.equal(tasks[1].command, `contexture train ce ${TINY.join(' ')} --json`);
  // What needs no turn does not wait.
  assert.equal((await run(['stats', '--json'], { cwd: folder })).code, 0);
  await service.json('POST', `/api/tasks/${tasks[1].id}/cancel`);
  assert.equal(await second.ended, 130);
  // Stopped from the page, the first one says what Ctrl-C would have made it say.
  await service.json('POST', `/api/tasks/${tasks[0].id}/pause`);
  assert.equal(await first.ended, 130);
  assert.match(String(lastJson(first.stdout).message), /contexture resume \d+/);
  assert.deepEqual(await service.json('GET', '/api/tasks'), []);
});

test('the service is killed in the midst: the command says so, and the next one opens the project itself', async () => {
  const call = start(['train', 'control', ...TINY, '--epochs', '500', '--json'], { cwd: folder });
  await call.until('"epoch"');
  const state = service.state;
  await service.kill();
  assert.equal(await call.ended, 130);
  assert.match(String(lastJson(call.stdout).message), /ended before the command was done/);
  // The lock file still names the dead socket.
  assert.match(readFileSync(lockFile(file), 'utf8'), /"socket"/);
  const { code, stdout } = await run(['runs', '--json'], { cwd: folder });
  assert.equal(code, 0);
  assert.equal((lastJson(stdout) as { runs: { state: string }[] }).runs[0].state, 'stopped');
  service = await startServiceProcess({ state });
  const projects = await service.json<{ id: string; open: boolean }[]>('GET', '/api/projects');
  assert.deepEqual([projects[0].id, projects[0].open], [project, true]);
  // What the dead command left is on no list.
  assert.deepEqual(await service.json('GET', '/api/tasks'), []);
});

test('closing the project in the service stops the commands at work in it', async () => {
  const call = start(['train', 'control', ...TINY, '--epochs', '500', '--json'], { cwd: folder });
  await call.until('"epoch"');
  await service.json('POST', `/api/projects/${project}/close`);
  assert.equal(await call.ended, 130);
  assert.match(String(lastJson(call.stdout).message), /contexture resume/);
  await service.json('POST', '/api/projects', { file });
});

test('a lock that names no service of ours, or one that is gone, is refused as ever', async () => {
  const lock = readFileSync(lockFile(file), 'utf8');
  const holder = JSON.parse(lock) as Record<string, unknown>;
  for (const change of [{ socket: '/nowhere/s' }, { socket: join(folder, 's') }, { host: 'another-machine' }]) {
    writeFileSync(lockFile(file), JSON.stringify({ ...holder, ...change }));
    const { code, stderr } = await run(['stats'], { cwd: folder });
    assert.equal(code, 5, stderr);
    assert.match(stderr, /is open in Contexture \(process \d+/);
  }
  writeFileSync(lockFile(file), lock);
  assert.equal((await run(['stats'], { cwd: folder })).code, 0);
});
