/** Projects: made, opened, closed, forgotten; locks, copies, damage, crashes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import type { OpenedProject, ProjectEntry } from '../../core/api/projects.ts';
import type { Task } from '../../core/api/tasks.ts';
import { lockFile } from '../../core/storage/project-lock.ts';
import { makePictures } from '../cli/command-line.ts';
import { startContract } from '../fixtures/contract.ts';
import { failureOf, startServiceProcess } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const HOLD = fileURLToPath(new URL('../fixtures/open-project.ts', import.meta.url));

const contract = startContract();
const openFile = (file: string, more: object = {}): Promise<OpenedProject> =>
  contract.get<OpenedProject>('POST /api/projects', { body: { file, ...more } });
const refusedFile = (file: string, code: string, more: object = {}): Promise<string> =>
  contract.refused('POST /api/projects', code, { body: { file, ...more } });
const listed = (): Promise<ProjectEntry[]> => contract.get<ProjectEntry[]>('GET /api/projects');
/** Order of what `opened` tells below. */
const byFile = ([a]: [string, boolean], [b]: [string, boolean]): number => (a < b ? -1 : 1);

const close = (project: string): Promise<object> =>
  contract.get('POST /api/projects/{project}/close', { params: { project } });

test('made with its folder, opened again, closed: list, lock and events follow', async () => {
  const file = join(temporaryFolder(), 'deep', 'er', 'birds.contexture');
  contract.events.length = 0;
  const made = await openFile(file, { create: true, name: 'Birds of 2026' });
  assert.deepEqual([made.name, made.file, made.lostSources], ['Birds of 2026', file, []]);
  assert.match(made.id, /^[0-9a-f-]{36}$/);
  assert.ok(existsSync(lockFile(file)));
  assert.deepEqual(
    contract.events.map(({ type }) => type),
    ['projects'],
  );
  // Opening it once more, by whatever path, changes nothing.
  const link = join(temporaryFolder(), 'link.contexture');
  symlinkSync(file, link);
  for (const again of [file, link, `${join(file, '..')}/./birds.contexture`])
    assert.deepEqual(await openFile(again), made);
  assert.deepEqual(await contract.get('GET /api/projects/{project}', { params: { project: made.id } }), made);
  const [entry] = await listed();
  assert.deepEqual([entry.id, entry.open, entry.missing], [made.id, true, false]);
  await close(made.id);
  assert.ok(!existsSync(lockFile(file)));
  assert.equal((await listed())[0].open, false);
  await contract.refused('POST /api/projects/{project}/close', 'not-found', { params: { project: made.id } });
  await contract.refused('GET /api/projects/{project}', 'not-found', { params: { project: made.id } });
  // "create" opens what is there.
  assert.equal((await openFile(file, { create: true, name: 'Another' })).name, 'Birds of 2026');
  await close(made.id);
});

test('two pages open, and two close, the same project at the same moment', async () => {
  const file = join(temporaryFolder(), 'a.contexture');
  const opened = await Promise.all([1, 2, 3].map(() => openFile(file, { create: true })));
  assert.equal(new Set(opened.map(({ id }) => id)).size, 1);
  const [{ id }] = opened;
  const closing = Promise.all([close(id), close(id)]);
  const reopened = openFile(file);
  await closing;
  assert.equal((await reopened).id, id);
  assert.equal((await listed()).filter((entry) => entry.file === file).length, 1);
  assert.equal((await contract.get<OpenedProject>('GET /api/projects/{project}', { params: { project: id } })).id, id);
  await close(id);
});

test('a project that another program holds is refused by its name', async () => {
  const file = join(temporaryFolder(), 'held.contexture');
  const child = spawn(process.execPath, [HOLD, file, '--create'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.match(await refusedFile(file, 'locked'), new RegExp(`contexture train \\(process ${child.pid}`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Its lock file is still there, its lock is not.
  assert.ok(existsSync(lockFile(file)));
  await close((await openFile(file)).id);
});

test('a copy of an open project is refused, and opens when the other one is closed', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.contexture');
  await openFile(file, { create: true });
  await close((await openFile(file)).id);
  const copy = join(folder, 'copy.contexture');
  copyFileSync(file, copy);
  const { id } = await openFile(file);
  assert.match(await refusedFile(copy, 'exists'), /copy\.contexture is a copy of .*a\.contexture, which is open/);
  assert.ok(!existsSync(lockFile(copy)));
  await close(id);
  const other = await openFile(copy);
  assert.deepEqual([other.id, other.file], [id, copy]);
  assert.match(await refusedFile(file, 'exists'), /is a copy of/);
  await close(id);
});

test('what is not there, no project, damaged or newer is refused, and stays as it is', async () => {
  const folder = temporaryFolder();
  assert.match(await refusedFile(join(folder, 'none.contexture'), 'not-found'), /no project at .*none\.contexture/);
  assert.match(await refusedFile(folder, 'usage'), /./);
  const text = join(folder, 'text.contexture');
  writeFileSync(text, 'not a database at all, but long enough to be looked at '.repeat(100));
  await refusedFile(text, 'damaged');
  await refusedFile(text, 'damaged', { create: true });
  writeFileSync(join(folder, 'empty.contexture'), '');
  await refusedFile(join(folder, 'empty.contexture'), 'damaged');
  const newer = join(folder, 'newer.contexture');
  await close((await openFile(newer, { create: true })).id);
  const database = new Database(newer);
  database.pragma('user_version = 9999');
  database.close();
  const bytes = readFileSync(newer);
  assert.match(await refusedFile(newer, 'newer'), /newer/);
  assert.ok(bytes.equals(readFileSync(newer)));
  const cut = join(folder, 'cut.contexture');
  writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
  await refusedFile(cut, 'newer');
  for (const path of ['birds.contexture', './a', '', ' ', 'a\0b', '~/a.contexture'])
    await refusedFile(path, 'usage', { create: true });
  await refusedFile(join(folder, 'x'.repeat(300), 'a.contexture'), 'usage', { create: true });
  await refusedFile(join(folder, ' spaces .contexture '), 'usage', { create: true });
  await refusedFile(join(text, 'below.contexture'), 'exists', { create: true });
  for (const name of ['', 'x'.repeat(201), 7])
    await refusedFile(join(folder, 'n.contexture'), 'usage', { create: true, name });
  assert.ok(!existsSync(join(folder, 'n.contexture')));
});

test('a project file that has gone is told as missing; it can be forgotten, an open one cannot', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'gone.contexture');
  const { id } = await openFile(file, { create: true });
  assert.match(
    await contract.refused('POST /api/projects/forget', 'usage', { body: { file } }),
    /is open: close it first/,
  );
  await close(id);
  renameSync(file, `${file}.moved`);
  const entry = (await listed()).find((one) => one.file === file)!;
  assert.deepEqual([entry.open, entry.missing], [false, true]);
  await refusedFile(file, 'not-found');
  await contract.get('POST /api/projects/forget', { body: { file } });
  assert.ok(!(await listed()).some((one) => one.file === file));
  // Forgetting what is not known is done already.
  await contract.get('POST /api/projects/forget', { body: { file } });
  assert.ok(existsSync(`${file}.moved`));
});

test('sources that are not where they were are told when a project is opened', async () => {
  const folder = temporaryFolder();
  const elsewhere = temporaryFolder();
  makePictures(join(elsewhere, 'pictures'), { owl: 3 });
  const { id, file } = await openFile(join(folder, 'a.contexture'), { create: true });
  const task = await contract.get<Task>('POST /api/projects/{project}/imports', {
    params: { project: id },
    body: { path: join(elsewhere, 'pictures') },
  });
  assert.equal((await contract.ended(task)).state, 'done');
  await close(id);
  rmSync(join(elsewhere, 'pictures'), { recursive: true });
  const { lostSources } = await openFile(file);
  assert.deepEqual(
    lostSources.map(({ path }) => path),
    [join(elsewhere, 'pictures')],
  );
  await close(id);
});

test('the sample: a project with pictures, in a folder of its own each time', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'Sample'));
  const tasks = [];
  for (let i = 0; i < 2; i++) tasks.push(await contract.get<Task>('POST /api/sample', { body: { folder } }));
  await contract.get('POST /api/tasks/{task}/cancel', { params: { task: tasks[0].id } });
  const [first] = tasks;
  assert.match(first.command, /Sample 2/);
  assert.equal(first.kind, 'sample');
  await contract.refused('POST /api/sample', 'usage', { body: { folder: 'here' } });
  const state = (await contract.ended(first)).state;
  assert.equal(state, 'cancelled');
  await contract.get('POST /api/tasks/cancel-all');
});

test('after a crash what was open is open again; after a clean end too; what cannot be opened is left out', async () => {
  const folder = temporaryFolder();
  const files = ['a', 'b', 'c'].map((name) => join(folder, `${name}.contexture`));
  let service = await startServiceProcess();
  const { state } = service;
  for (const file of files) await service.json('POST', '/api/projects', { file, create: true });
  const opened = async (): Promise<[string, boolean][]> =>
    (await service.json<ProjectEntry[]>('GET', '/api/projects')).map(({ file, open }) => [file, open]);
  await service.kill();
  service = await startServiceProcess({ state });
  assert.deepEqual(
    (await opened()).toSorted(byFile),
    files.map((file) => [file, true]),
  );
  const { id } = await service.json<OpenedProject>('POST', '/api/projects', { file: files[0] });
  await service.json('POST', `/api/projects/${id}/close`);
  assert.equal(await service.end(), 0);
  for (const file of files) assert.ok(!existsSync(lockFile(file)));
  rmSync(files[1]);
  service = await startServiceProcess({ state });
  assert.deepEqual((await opened()).toSorted(byFile), [
    [files[0], false],
    [files[1], false],
    [files[2], true],
  ]);
  assert.match(service.log, /b\.contexture was not opened again: There is no project at/);
  // A second service leaves what this one has open alone, and does not take it off the list of open ones.
  const second = await startServiceProcess({ state });
  assert.match(second.log, /c\.contexture was not opened again: .* is open in Contexture/);
  const refused = await second.call('POST', '/api/projects', { file: files[2] });
  assert.deepEqual([refused.status, failureOf(refused).code], [409, 'locked']);
  await second.json('POST', '/api/projects', { file: files[0] });
  await second.json('PATCH', '/api/settings', { theme: 'dark' });
  // Each keeps what the other has written.
  await service.json('PATCH', '/api/settings', { author: 'Ada' });
  assert.equal(await second.end(), 0);
  await service.kill();
  service = await startServiceProcess({ state });
  assert.deepEqual((await opened()).toSorted(byFile), [
    [files[0], true],
    [files[1], false],
    [files[2], true],
  ]);
  const settings = await service.json<{ theme: string; author: string }>('GET', '/api/settings');
  assert.deepEqual([settings.theme, settings.author], ['dark', 'Ada']);
  await service.end();
});

test('a library that cannot be read is an empty one, and the log says so', async () => {
  const state = temporaryFolder();
  writeFileSync(join(state, 'library.json'), '{"projects":[{"id":7}]}');
  const service = await startServiceProcess({ state });
  assert.deepEqual(await service.json('GET', '/api/projects'), []);
  assert.match(service.log, /library\.json cannot be read/);
  await service.end();
});

test('nothing of this was a defect', () => {
  assert.deepEqual(contract.log, []);
});
