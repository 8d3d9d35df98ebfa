/** What goes into a package: whole, nothing more, and able to work with nothing of the clone in reach. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import type { Task } from '../../core/api/tasks.ts';
import { ensureBuilt } from '../../build/outputs.ts';
import { packageConfig, PACKAGES, RESOURCES } from '../../build/package/config.ts';
import { makeIcons } from '../../build/package/icons.ts';
import { makePackage } from '../../build/package/main.ts';
import { isNeeded } from '../../build/package/packages.ts';
import { bytesOf, stage } from '../../build/package/stage.ts';
import { serviceEnvironment } from '../../electron/environment.ts';
import { placesInPackage } from '../../electron/places.ts';
import { ask } from '../../electron/requests.ts';
import { selfCheck } from '../../electron/self-check.ts';
import { Service } from '../../electron/service-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { electronFolder, newFolders, skip, startProgram, until } from './desktop.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The folder of resources of a package, outside the clone: nothing of it can be found by walking up. */
const resources = join(temporaryFolder(), 'resources');
before(async () => {
  await ensureBuilt('page');
  await ensureBuilt('shell');
  stage(resources, electronFolder());
});

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/** The service of the package as the packaged shell starts it, for a user without anything. */
function packagedService(): { service: Service; lines: string[] } {
  const home = temporaryFolder();
  const lines: string[] = [];
  const places = placesInPackage(resources, join(home, 'data'));
  const env = { PATH: '/usr/bin:/bin', HOME: home };
  const service = new Service({
    node: places.node,
    command: [join(places.root, 'core', 'server', 'main.ts'), '--socket'],
    cwd: places.root,
    env: serviceEnvironment(env, places.env),
    log: (line) => lines.push(line),
    onGivenUp: (sentence) => lines.push(sentence),
  });
  return { service, lines };
}

test('the layout is what the shell looks for', () => {
  assert.deepEqual(readdirSync(resources).toSorted(), RESOURCES.toSorted());
  for (const path of [
    'core/server/main.ts',
    'core/cli/main.ts',
    'core/jobs/entry.ts',
    'db/index.ts',
    'out/page/index.html',
  ]) {
    assert.ok(existsSync(join(resources, 'contexture', path)), path);
  }
});

test('of TensorFlow there are its two libraries, our binding, and nothing else', () => {
  const files = filesBelow(join(resources, 'engine')).map((path) => basename(path));
  assert.deepEqual(files.toSorted(), [
    'binding.node',
    'engine.json',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so.2',
  ]);
});

test('no tool of developers, no types, no maps, no sources in C, no foreign binaries', () => {
  const files = filesBelow(join(resources, 'contexture'));
  const modules = files.filter((path) => path.startsWith('node_modules/'));
  assert.deepEqual(
    modules.filter((path) => /\.(?:ts|mts|cts|map|cc|cpp|h)$/.test(path)),
    [],
  );
  assert.deepEqual(
    files.filter((path) => /native\/.*\.(?:cc|h)$/.test(path)),
    [],
  );
  for (const name of ['electron', 'vite', 'svelte', 'typescript', 'playwright-core', 'prettier', 'oxlint', '@types']) {
    assert.ok(!existsSync(join(resources, 'contexture', 'node_modules', name)), name);
  }
  const binaries = files.filter((path) => /\.(?:node|so|dylib|dll)(?:\.[\d.]+)?$/.test(path));
  const here = new RegExp(`${process.platform}[-/]${process.arch}`);
  for (const path of binaries) assert.match(path, here, path);
});

test('it is as large as README says: under 900 MB', (context) => {
  const parts = readdirSync(resources).map((name): [string, number] => {
    const path = join(resources, name);
    return [name, name.includes('.') ? readFileSync(path).length : bytesOf(path)];
  });
  for (const [name, bytes] of parts) context.diagnostic(`${name}: ${(bytes / 1e6).toFixed(1)} MB`);
  assert.ok(bytesOf(resources) < 900e6);
});

test('the licences of all parts are there, those of the page and of native libraries too', () => {
  const text = readFileSync(join(resources, 'licences.txt'), 'utf8');
  for (const part of [
    'Contexture\n',
    'Node\n',
    'better-sqlite3 13',
    'sharp 0.35',
    '@img/sharp-libvips',
    'hono 4',
    'svelte',
    'bits-ui',
    'zod',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.match(text, /Apache License/);
  assert.match(text, /LGPL/);
});

test('unpacked and far from the clone, the service starts and the engine trains', { timeout: 240_000 }, async () => {
  const { service, lines } = packagedService();
  const { line, ok } = await selfCheck(service);
  assert.ok(ok, `${line}\n${lines.join('\n')}`);
  assert.match(line, /All is well/);
});

test('unpacked, the page is served and pictures are made and imported', { timeout: 240_000 }, async () => {
  const { service, lines } = packagedService();
  service.start();
  try {
    const { id } = await ask(service, 'POST /api/sample', { body: {}, timeoutMs: 60_000 });
    let task: Task | undefined;
    do {
      await wait(300);
      task = (await ask(service, 'GET /api/tasks', { timeoutMs: 60_000 })).find((one) => one.id === id);
    } while (task?.state === 'queued' || task?.state === 'running');
    assert.equal(task?.state, 'done', `${task?.error?.message}\n${lines.join('\n')}`);
  } finally {
    await service.stop();
  }
});

test('a self-check of a package with a part missing names it', async () => {
  const service = new Service({
    node: join(resources, 'node', 'node'),
    command: [join(resources, 'contexture', 'core', 'server', 'gone.ts')],
    cwd: resources,
    env: {},
    log: () => {},
    onGivenUp: () => {},
  });
  const { line, ok } = await selfCheck(service);
  assert.equal(ok, false);
  assert.match(JSON.parse(line).message, /stopped 4 times/);
});

/** Names in an archive's directory. */
function archiveNames(file: string): string[] {
  const bytes = readFileSync(file);
  const directory: { files: object } = JSON.parse(bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12)));
  return Object.keys(directory.files);
}

/** States of the fuses in a program: '0' off, '1' on, 'r' removed, in the order of Electron's list. */
function fuses(program: string): string {
  const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
  const bytes = readFileSync(program);
  const start = bytes.indexOf(sentinel) + sentinel.length;
  return bytes.toString('latin1', start + 2, start + 2 + bytes[start + 1]);
}

const folder = electronFolder();
const electronVersion = existsSync(join(folder, 'version')) ? readFileSync(join(folder, 'version'), 'utf8').trim() : '';
const current = electronVersion.startsWith('45.');
const noPackage =
  electronVersion !== '' && process.platform === 'linux'
    ? false
    : 'package not built: there is no Electron to put into it';
/** The shell in a package has only what its own Electron offers; that of tests lacks `protocol.handle`. */
const noWindow =
  skip || noPackage || (current ? false : `packaged window not run: Electron ${electronVersion} is no current one`);
const unpacked = join(PACKAGES, 'linux-unpacked');

test(
  'electron-builder packs it: the archive has the shell alone, the fuses are set',
  { skip: noPackage, timeout: 600_000 },
  async (context) => {
    // The older Electron of tests knows no fuse for file: addresses.
    const { grantFileProtocolExtraPrivileges, ...older } = packageConfig(folder).electronFuses!;
    assert.equal(grantFileProtocolExtraPrivileges, false);
    await makePackage({ dir: true, electronDist: folder, ...(current ? {} : { change: { electronFuses: older } }) });
    assert.deepEqual(archiveNames(join(unpacked, 'resources', 'app.asar')).toSorted(), [
      'main.cjs',
      'package.json',
      'preload.cjs',
    ]);
    for (const name of RESOURCES) assert.ok(existsSync(join(unpacked, 'resources', name)), name);
    // runAsNode, cookies, NODE_OPTIONS, --inspect, integrity, only from the archive, own snapshot.
    assert.match(fuses(join(unpacked, 'contexture')), /^0000110/);
    context.diagnostic(`unpacked: ${(bytesOf(unpacked) / 1e6).toFixed(0)} MB`);
  },
);

test('packed, it checks itself, and its window shows the page', { skip: noWindow, timeout: 600_000 }, async () => {
  const program = join(unpacked, 'contexture');
  const check = await startProgram(program, newFolders(), ['--self-check']);
  const [code] = await once(check.child, 'close');
  assert.equal(code, 0, check.said());
  assert.match(check.said(), /^\{"ok":true,/m);

  // Its fuses keep Playwright's way out of the main process, so the page is reached as a developer's tools reach it.
  const { child, said } = await startProgram(program, newFolders(), ['--remote-debugging-port=0']);
  const address = await until(async () => /DevTools listening on (ws:\S+)/.exec(said())?.[1]);
  const browser = await chromium.connectOverCDP(address);
  const page = await until(async () => browser.contexts()[0].pages()[0]);
  await page.getByRole('heading', { name: 'Train classes that have few pictures' }).waitFor({ timeout: 60_000 });
  assert.equal(page.url(), 'contexture://app/');
  await browser.close();
  const closed = once(child, 'close');
  child.kill();
  await closed;
});

test('projects, folders, zip files and lists may be dropped on the icon', () => {
  const { fileAssociations, linux, mac } = packageConfig(undefined);
  assert.deepEqual(
    [fileAssociations].flat().map((one) => one?.ext),
    ['contexture'],
  );
  for (const type of ['inode/directory', 'application/zip', 'text/csv']) assert.ok(linux?.mimeTypes?.includes(type));
  const { CFBundleDocumentTypes: types } = mac!.extendInfo as { CFBundleDocumentTypes: Record<string, unknown>[] };
  // Offered, never taken from the program that a person has for them.
  assert.deepEqual(
    types.map((one) => one.LSHandlerRank),
    ['Alternate'],
  );
  assert.ok((types[0].LSItemContentTypes as string[]).includes('public.folder'));
});

test('icons of each system hold every size', async () => {
  const icons = temporaryFolder();
  await makeIcons(join(ROOT, 'renderer', 'icon.svg'), icons);
  assert.ok(existsSync(join(icons, '512x512.png')));
  const ico = readFileSync(join(icons, 'icon.ico'));
  assert.equal(ico.readUInt16LE(4), 7);
  const last = ico.readUInt32LE(6 + 16 * 6 + 12);
  assert.equal(ico.toString('latin1', last + 1, last + 4), 'PNG');
  assert.equal(ico.readUInt32BE(last + 16), 256, 'width in the header of the picture');
  const icns = readFileSync(join(icons, 'icon.icns'));
  assert.equal(icns.readUInt32BE(4), icns.length);
  assert.equal(icns.toString('latin1', 17, 20), 'PNG');
});

test('what a package needs of its dependencies', () => {
  const tfjs = { name: '@tensorflow/tfjs', version: '4', path: 'node_modules/@tensorflow/tfjs' };
  const sqlite = { name: 'better-sqlite3', version: '13', path: 'node_modules/better-sqlite3' };
  const other = { name: 'x', version: '1', path: 'node_modules/x' };
  const needed = (one: typeof tfjs, path: string): boolean => isNeeded(one, `${one.path}/${path}`, 'linux-x64');
  assert.ok(needed(tfjs, 'dist/tf.node.js') && needed(tfjs, 'package.json') && needed(tfjs, 'LICENSE'));
  assert.ok(!needed(tfjs, 'dist/tf.es2017.js') && !needed(tfjs, 'dist/tf.node.js.map'));
  assert.ok(needed(sqlite, 'prebuilds/linux-x64.node') && needed(sqlite, 'lib/index.js'));
  assert.ok(!needed(sqlite, 'prebuilds/win32-x64.node') && !needed(sqlite, 'deps/sqlite3.c'));
  assert.ok(needed(other, 'lib/a.js') && needed(other, 'lib/LICENSE.md') && needed(other, 'testing.js'));
  assert.ok(!needed(other, 'test/a.js') && !needed(other, 'index.d.ts') && !needed(other, 'README.md'));
});

test('the caches of the user are not in a package', () => {
  const engine = readFileSync(join(resources, 'engine', 'engine.json'), 'utf8');
  assert.ok(!engine.includes(homedir()) && !engine.includes(ROOT));
});
