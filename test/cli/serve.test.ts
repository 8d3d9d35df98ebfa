/** `contexture serve`, as a browser sees it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile } from '../../core/storage/project-lock.ts';
import { ask, failureOf } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { jsonLines, lastJson, makePictures, run, start, type Call } from './command-line.ts';

/** The environment of a service that knows nothing yet. */
const fresh = (): Record<string, string> => ({ CONTEXTURE_STATE: temporaryFolder() });

/** Port and token of a service that has just been started. */
async function addressOf(call: Call): Promise<{ port: number; token: string }> {
  await call.until('?token=');
  const [, port, token] = /http:\\?\/\\?\/127\.0\.0\.1:(\d+)\/\?token=([\w-]+)/.exec(call.stdout)!;
  return { port: Number(port), token };
}

test('prints its address; without --root this folder is the root, and it says so; Ctrl-C closes it', async () => {
  const folder = temporaryFolder();
  const call = start(['serve'], { cwd: folder, env: fresh() });
  const where = await addressOf(call);
  assert.match(call.stdout, /^Contexture is at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43} until Ctrl-C\.\n$/);
  assert.ok(call.stderr.includes(`No --root is given: the page may use what lies below ${folder}.`));
  const headers = { host: `127.0.0.1:${where.port}`, authorization: `Bearer ${where.token}` };
  const about = await ask(where, 'GET', '/api/about', { headers });
  const { access, roots } = JSON.parse(about.text) as { access: string; roots: string[] };
  assert.deepEqual([access, roots], ['loopback', [folder]]);
  call.child.kill('SIGINT');
  assert.equal(await call.ended, 0);
  await assert.rejects(ask(where, 'GET', '/api/about', { headers }), { code: 'ECONNREFUSED' });
});

test('--port, --root more than once, projects; with --json the address is data', async () => {
  const folder = temporaryFolder();
  const roots = ['pictures', 'projects'].map((name) => join(folder, name));
  makePictures(join(folder, 'pictures'), { owl: 2 });
  mkdirSync(join(folder, 'projects'));
  const file = join(folder, 'projects', 'birds.contexture');
  assert.equal((await run(['import', 'pictures', '--project', file], { cwd: folder })).code, 0);
  const args = ['serve', file, '--root', 'pictures', '--root', 'projects', '--json', '--quiet'];
  const call = start(args, { cwd: folder, env: fresh() });
  const { port, token } = await addressOf(call);
  const [ready] = jsonLines(call.stdout);
  assert.deepEqual([ready.type, ready.roots], ['ready', roots]);
  const headers = { host: `localhost:${port}`, authorization: `Bearer ${token}` };
  const projects = await ask({ port }, 'GET', '/api/projects', { headers });
  assert.equal((JSON.parse(projects.text) as { file: string; open: boolean }[])[0].file, file);
  // Another one does not get the port.
  const second = await run(['serve', '--port', String(port)], { cwd: folder, env: fresh() });
  assert.equal(second.code, 2);
  assert.equal(second.stderr.split('\n').at(-2), `contexture: Port ${port} is in use: choose another one with --port.`);
  // A browser gives no command lines; the command line reaches the same service by its private socket.
  const order = { project: file, argv: ['stats'], cwd: '/', debug: false };
  const refused = await ask({ port }, 'POST', '/api/command', {
    headers,
    body: { ...order, stdout: { columns: null }, stderr: { columns: null, isTTY: false, colour: false } },
  });
  assert.deepEqual([refused.status, failureOf(refused).code], [403, 'no-permission']);
  assert.equal((await run(['stats', '--project', file], { cwd: folder })).code, 0);
  call.child.kill('SIGTERM');
  assert.equal(await call.ended, 0);
  assert.deepEqual(lastJson(call.stdout), { ok: true, command: 'serve' });
  assert.throws(() => readFileSync(lockFile(file)), { code: 'ENOENT' });
});

test('a root that is not there, and a project outside the roots, are refused by name', async () => {
  const folder = temporaryFolder();
  const lost = await run(['serve', '--root', 'nowhere'], { cwd: folder, env: fresh() });
  assert.equal(lost.code, 3);
  assert.match(lost.stderr, /Cannot serve the folder: .*nowhere does not exist/);
  const outside = await run(['serve', join(temporaryFolder(), 'a.contexture')], { cwd: folder, env: fresh() });
  assert.equal(outside.code, 6);
  assert.match(outside.stderr, /lies outside the folders .* --root/);
});
