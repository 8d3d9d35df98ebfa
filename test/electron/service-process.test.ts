import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { serviceEnvironment } from '../../electron/environment.ts';
import { ask } from '../../electron/requests.ts';
import { Service, ServiceGone, type ServiceOptions } from '../../electron/service-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ENTRY = [join(ROOT, 'core', 'server', 'main.ts'), '--socket'];

/** A service that ends with the test file, and what it said. */
function makeService(options: Partial<ServiceOptions> = {}): { service: Service; lines: string[]; givenUp: string[] } {
  const lines: string[] = [];
  const givenUp: string[] = [];
  const service = new Service({
    node: process.execPath,
    command: ENTRY,
    cwd: ROOT,
    env: serviceEnvironment(process.env, { CONTEXTURE_STATE: temporaryFolder() }),
    log: (line) => lines.push(line),
    onGivenUp: (sentence) => givenUp.push(sentence),
    ...options,
  });
  after(() => service.stop());
  return { service, lines, givenUp };
}

/** A script of Node in a file of its own. */
function script(text: string): string[] {
  const file = join(temporaryFolder(), 'script.mjs');
  writeFileSync(file, text);
  return [file];
}

/** Wait until something is so; half a minute at most. */
async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (what()) return;
    await wait(20);
  }
  assert.fail(`never came: ${String(what)}`);
}

test('the service answers once it is ready', async () => {
  const { service, lines } = makeService();
  service.start();
  const about = await ask(service, 'GET /api/about', { timeoutMs: 60_000 });
  assert.equal(about.access, 'private');
  assert.equal(about.pid, service.pid);
  assert.match(lines.join('\n'), /ready, process \d+/);
});

test('a refusal of the service is an error with its sentence', async () => {
  const { service } = makeService();
  service.start();
  const body = { file: join(temporaryFolder(), 'none.contexture'), create: false };
  await assert.rejects(ask(service, 'POST /api/projects', { body, timeoutMs: 60_000 }), /none\.contexture/);
});

test('killed, it is started again under another address, three times, and then a person is asked', async () => {
  const { service, givenUp } = makeService();
  service.start();
  const sockets = new Set<string>();
  for (let start = 0; start < 4; start++) {
    sockets.add((await service.address()).socket);
    const pid = service.pid!;
    process.kill(pid, 'SIGKILL');
    await until(() => service.pid !== pid);
  }
  assert.equal(sockets.size, 4);
  await assert.rejects(service.address(), ServiceGone);
  assert.deepEqual(givenUp, ['The service stopped 4 times within five minutes.']);
  service.retry();
  await service.address();
});

test('a request that comes while it is being started waits for it', async () => {
  const { service } = makeService();
  service.start();
  await service.address();
  const killed = service.pid!;
  process.kill(killed, 'SIGKILL');
  await until(() => service.pid !== killed);
  const { pid } = await ask(service, 'GET /api/about', { timeoutMs: 60_000 });
  assert.equal(pid, service.pid);
});

test('what the service says of why it does not start is passed on, and it is not started again', async () => {
  const text = `console.log(JSON.stringify({ type: 'failed', message: 'The folder is gone.' })); process.exitCode = 1;`;
  const { service, lines, givenUp } = makeService({ command: script(text) });
  service.start();
  await assert.rejects(service.address(), /The folder is gone/);
  assert.deepEqual(givenUp, ['The folder is gone.']);
  assert.equal(lines.filter((line) => line.startsWith('ended')).length, 1);
});

test('one that is never ready is ended', async () => {
  const { service, lines } = makeService({ command: script('setInterval(() => {}, 1000);'), deadlineMs: 200 });
  service.start();
  await assert.rejects(service.address(), /4 times/);
  assert.equal(lines.filter((line) => line.includes('not ready after 0.2 s')).length, 4);
});

test('a Node that is not there is one sentence', async () => {
  const { service, givenUp } = makeService({ node: '/nowhere/node' });
  service.start();
  await assert.rejects(service.address(), /could not be started/);
  assert.equal(givenUp.length, 1);
});

test('stopped, it takes its socket with it', async () => {
  const { service, lines } = makeService();
  service.start();
  const { socket } = await service.address();
  assert.ok(existsSync(socket));
  await service.stop();
  assert.ok(!existsSync(socket));
  assert.equal(lines.at(-1), 'ended, code 0');
  await assert.rejects(service.address(), ServiceGone);
});

test('one that does not end when asked is killed', async () => {
  const text = `console.log(JSON.stringify({ type: 'ready', socket: 's', token: 't' })); setInterval(() => {}, 1000);`;
  const { service, lines } = makeService({ command: script(text), graceMs: 200 });
  service.start();
  await service.address();
  await service.stop();
  assert.equal(lines.at(-1), 'ended, SIGKILL');
});

test('a killed shell leaves no service behind', async () => {
  const shell = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { Service } from ${JSON.stringify(join(ROOT, 'electron', 'service-process.ts'))};
       const service = new Service({ node: process.execPath, command: ${JSON.stringify(ENTRY)}, cwd: ${JSON.stringify(ROOT)},
         env: { ...process.env, CONTEXTURE_STATE: ${JSON.stringify(temporaryFolder())} }, log() {}, onGivenUp() {} });
       service.start();
       service.address().then(() => console.log(service.pid));`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [first] = await once(shell.stdout, 'data');
  const pid = Number(String(first));
  shell.kill('SIGKILL');
  await until(() => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the environment is built: settings, locale and paths pass, what tunes Node or Electron does not', () => {
  const env = serviceEnvironment(
    {
      PATH: '/bin',
      Path: 'C:\\',
      LC_ALL: 'de_DE',
      CONTEXTURE_CACHE: '/c',
      CUDA_VISIBLE_DEVICES: '1',
      NODE_OPTIONS: '--require x',
      ELECTRON_RUN_AS_NODE: '1',
      LD_LIBRARY_PATH: '/mount/usr/lib',
      LD_PRELOAD: 'x.so',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
    { CONTEXTURE_ENGINE: '/e' },
  );
  assert.deepEqual(env, {
    PATH: '/bin',
    Path: 'C:\\',
    LC_ALL: 'de_DE',
    CONTEXTURE_CACHE: '/c',
    CUDA_VISIBLE_DEVICES: '1',
    CONTEXTURE_ENGINE: '/e',
  });
});
