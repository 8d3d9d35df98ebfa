/** The routes of the service itself, over its private socket, and its life as a process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { About, AppSettings, FolderEntry } from '../../core/api/app.ts';
import { CODE_VERSION } from '../../core/base/version.ts';
import { startContract } from '../fixtures/contract.ts';
import { ask, failureOf, startServiceProcess } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const contract = startContract();

interface Folder {
  path: string | null;
  parent: string | null;
  entries: FolderEntry[];
}
const folder = (path: string): Promise<Folder> => contract.get<Folder>('GET /api/folders', { query: { path } });

test('about: version, process, access', async () => {
  const about = await contract.get<About>('GET /api/about');
  assert.deepEqual([about.version, about.node, about.pid], [CODE_VERSION, process.versions.node, process.pid]);
  assert.deepEqual([about.access, about.roots], ['private', []]);
  assert.match(about.projectFolder, /Contexture$/);
});

test('settings: changed one by one, kept, told to the pages', async () => {
  const before = await contract.get<AppSettings>('GET /api/settings');
  assert.deepEqual(before, { theme: 'system', keys: {}, author: '', thumbnailSize: 128 });
  contract.events.length = 0;
  const changed = await contract.get<AppSettings>('PATCH /api/settings', {
    body: { theme: 'dark', thumbnailSize: 320 },
  });
  assert.deepEqual(changed, { ...before, theme: 'dark', thumbnailSize: 320 });
  const keys = { 'contexts.accept': 'p', __proto__: 'x' };
  const named = await contract.get<AppSettings>('PATCH /api/settings', { body: { keys, author: 'Ada 🦉\u202e' } });
  assert.deepEqual([named.theme, named.author, named.keys['contexts.accept']], ['dark', 'Ada 🦉\u202e', 'p']);
  assert.deepEqual(await contract.get('PATCH /api/settings', { body: {} }), named);
  assert.deepEqual(
    contract.events.map(({ type }) => type),
    ['settings', 'settings', 'settings'],
  );
  assert.deepEqual(await contract.get('GET /api/settings'), named);
  // What is refused changes nothing.
  for (const body of [
    { theme: 'pink' },
    { thumbnailSize: 47 },
    { thumbnailSize: 100.5 },
    { author: 'x'.repeat(201) },
    { theme: null },
  ]) {
    await contract.refused('PATCH /api/settings', 'usage', { body });
  }
  assert.deepEqual(await contract.get('GET /api/settings'), named);
});

test('folders: what can be opened or imported, by name; nothing hidden, no bytes of projects', async () => {
  const root = temporaryFolder();
  for (const name of ['b', 'a', '.hidden', 'birds.contexture.files', 'Zebra']) mkdirSync(join(root, name));
  for (const name of [
    'birds.contexture',
    'list.CSV',
    'list.tsv',
    'pictures.Zip',
    'photo.png',
    'birds.contexture.lock',
    '.x.zip',
  ]) {
    writeFileSync(join(root, name), '');
  }
  symlinkSync(join(root, 'a'), join(root, 'link'));
  symlinkSync('nowhere', join(root, 'dead.zip'));
  symlinkSync('self', join(root, 'self'));
  const { path, parent, entries } = await folder(root);
  assert.deepEqual([path, parent], [root, dirname(root)]);
  assert.deepEqual(
    entries.map(({ name, kind }) => `${name} ${kind}`),
    [
      'Zebra folder',
      'a folder',
      'b folder',
      'birds.contexture project',
      'link folder',
      'list.CSV csv',
      'list.tsv csv',
      'pictures.Zip zip',
    ],
  );
  assert.ok(entries.every((entry) => entry.path === join(root, entry.name)));
  assert.equal((await folder('/')).parent, null);
  assert.equal((await folder(`${root}/a/../b/.`)).path, join(root, 'b'));
  assert.ok((await contract.get<Folder>('GET /api/folders')).path);
});

test('folders that are none, or not to be read', async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, 'file'), '');
  await contract.refused('GET /api/folders', 'not-found', { query: { path: join(root, 'nothing') } });
  await contract.refused('GET /api/folders', 'usage', { query: { path: join(root, 'file') } });
  await contract.refused('GET /api/folders', 'usage', { query: { path: join(root, 'x'.repeat(5000)) } });
  for (const path of ['', '.', 'a/b', '~', `${root}\0`, 'https://example.org/']) {
    await contract.refused('GET /api/folders', 'usage', { query: { path } });
  }
  mkdirSync(join(root, 'closed'));
  chmodSync(join(root, 'closed'), 0);
  // Root may read it all the same.
  if (process.getuid?.() !== 0) {
    await contract.refused('GET /api/folders', 'no-permission', { query: { path: join(root, 'closed') } });
  }
});

test('addresses and methods that are none', async () => {
  for (const key of [
    'GET /api/nothing',
    'DELETE /api/about',
    'PUT /api/settings',
    'POST /api/events',
    'GET /api',
    'OPTIONS /api/about',
  ]) {
    assert.match(await contract.refused(key, 'not-found'), /GET \/api\/openapi\.json lists what there is/);
  }
  await contract.refused('POST /api/command/{command}/cancel', 'not-found', { params: { command: 999 }, body: {} });
  assert.deepEqual(contract.log, []);
});

test('paths as they are sent: dots, encoded slashes and dots, more slashes than needed', async () => {
  const service = await startServiceProcess();
  const status = async (path: string): Promise<number> => (await service.call('GET', path)).status;
  // Dots are resolved before anything is looked up, and end at the root.
  for (const path of [
    '/api/./about',
    '/api/x/../about',
    '/../../api/about',
    '/api/%2e/about',
    '/api/tasks/%2e%2e/about',
  ]) {
    assert.equal(await status(path), 200, path);
  }
  for (const path of [
    '/api//about',
    '/api/about/',
    '/api/projects/..%2fabout',
    '/api/projects/%2e%2e%2fabout',
    '/api/projects/%252e%252e%252fabout',
    '/api/projects/..%5cabout',
    '/api/tasks/%00',
    '/api/tasks/%ff',
    '/api/tasks/%zz',
    '/api/projects/{project}',
    `/api/tasks/${'x'.repeat(8000)}`,
  ]) {
    assert.equal(await status(path), 404, path);
  }
  // What does not begin as the routes do is an address of the page, if anything.
  for (const path of ['//api/about', '/api%2fabout', '/API/about']) {
    assert.doesNotMatch((await service.call('GET', path)).text, /"pid"/, path);
  }
  const long = await ask({ socket: service.socket }, 'GET', `/api/${'x'.repeat(20_000)}`);
  assert.equal(long.status, 431);
  assert.equal(await status('/api/about'), 200);
  assert.doesNotMatch(service.log, /Error|unhandled/);
  await service.end();
});

test('under the shell: one line when it listens; the end of stdin ends it and takes the socket away', async () => {
  const service = await startServiceProcess();
  assert.ok(existsSync(service.socket));
  assert.equal((await service.json<About>('GET', '/api/about')).pid, service.child.pid);
  const page = await service.listen();
  assert.equal(await service.end(), 0);
  assert.ok(!existsSync(dirname(service.socket)));
  while (!page.ended) await sleep(5);
});

test('SIGTERM ends it like the end of its parent; what a killed one left behind the next one removes', async () => {
  const killed = await startServiceProcess();
  await killed.kill();
  assert.ok(existsSync(killed.socket));
  const service = await startServiceProcess();
  assert.ok(!existsSync(dirname(killed.socket)));
  service.child.kill('SIGTERM');
  const [code] = await once(service.child, 'close');
  assert.equal(code, 0);
  assert.ok(!existsSync(dirname(service.socket)));
});

test('where it cannot start it says why, in one line', async () => {
  const main = fileURLToPath(new URL('../../core/server/main.ts', import.meta.url));
  const long = join(temporaryFolder(), 'x'.repeat(100));
  mkdirSync(long);
  const child = spawn(process.execPath, [main, '--socket'], {
    env: { ...process.env, CONTEXTURE_STATE: temporaryFolder(), XDG_RUNTIME_DIR: '', TMPDIR: long },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  const { type, message } = JSON.parse(out) as { type: string; message: string };
  assert.equal(type, 'failed');
  assert.match(message, /has too long a name for a socket: set TMPDIR to a shorter one/);
});

test('a state folder that cannot be written to: projects open, and the failure is told where something is to be kept', async () => {
  const state = join(temporaryFolder(), 'state');
  writeFileSync(state, 'in the way');
  const service = await startServiceProcess({ state });
  const answer = await service.call('PATCH', '/api/settings', { theme: 'dark' });
  assert.deepEqual([answer.status, failureOf(answer).code], [409, 'exists']);
  const file = join(temporaryFolder(), 'a.contexture');
  assert.equal((await service.call('POST', '/api/projects', { file, create: true })).status, 200);
  assert.match(service.log, /a\.contexture will not be remembered as it is: Cannot make the folder of settings/);
  assert.equal(readFileSync(state, 'utf8'), 'in the way');
  assert.equal(await service.end(), 0);
});
