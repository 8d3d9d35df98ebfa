import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MenuItemConstructorOptions } from 'electron/main';
import { isOwnAddress } from '../../electron/address.ts';
import { openLog } from '../../electron/log.ts';
import { type MenuActions, menuTemplate } from '../../electron/menu.ts';
import { pathsAmong } from '../../electron/open-paths.ts';
import { placesInClone, placesInPackage } from '../../electron/places.ts';
import { isFromPage } from '../../electron/sender.ts';
import { ShellMemory } from '../../electron/stored.ts';
import { windowPlace } from '../../electron/window-place.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

for (const [address, own] of [
  ['contexture://app/', true],
  ['contexture://app/p/1/explore?x=y#z', true],
  ['contexture://app.example/', false],
  ['contexture://other/', false],
  ['contexture://app:81/', false],
  ['https://app/', false],
  ['https://example.com/contexture://app/', false],
  ['file:///contexture://app/', false],
  ['javascript:contexture://app/', false],
  ['', false],
] as const) {
  test(`"${address}" ${own ? 'is' : 'is not'} the page's address`, () => assert.equal(isOwnAddress(address), own));
}

test('a message counts from the top frame of the window at its own address, and from nobody else', () => {
  const contents = {};
  const frame = { url: 'contexture://app/', parent: null };
  const good = { sender: contents, senderFrame: frame };
  assert.ok(isFromPage(good, contents));
  assert.ok(!isFromPage(good, undefined), 'there is no window');
  assert.ok(!isFromPage(good, {}), 'another window');
  assert.ok(!isFromPage({ ...good, senderFrame: null }, contents), 'the frame has gone');
  assert.ok(!isFromPage({ ...good, senderFrame: { ...frame, parent: {} } }, contents), 'a frame within');
  assert.ok(!isFromPage({ ...good, senderFrame: { ...frame, url: 'https://app/' } }, contents), 'another address');
});

const SCREEN = { x: 0, y: 25, width: 1920, height: 1055 };
const LEFT = { x: -1280, y: 0, width: 1280, height: 1024 };

for (const [what, saved, displays, expected] of [
  ['never saved', null, [SCREEN], { width: 1280, height: 800 }],
  ['on a small display', null, [{ ...SCREEN, width: 1024, height: 600 }], { width: 1024, height: 600 }],
  ['as it was', { x: 5, y: 30, width: 900, height: 600 }, [SCREEN], { x: 5, y: 30, width: 900, height: 600 }],
  [
    'partly outside',
    { x: 1700, y: 900, width: 900, height: 600 },
    [SCREEN],
    { x: 1700, y: 900, width: 900, height: 600 },
  ],
  [
    'on a second one',
    { x: -900, y: 9, width: 800, height: 600 },
    [SCREEN, LEFT],
    { x: -900, y: 9, width: 800, height: 600 },
  ],
  ['on one that is gone', { x: -900, y: 9, width: 800, height: 600 }, [SCREEN], { width: 1280, height: 800 }],
  ['title above the edge', { x: 5, y: -90, width: 900, height: 600 }, [SCREEN], { width: 1280, height: 800 }],
  ['title below the edge', { x: 5, y: 1070, width: 900, height: 600 }, [SCREEN], { width: 1280, height: 800 }],
  ['a corner to the right', { x: 1850, y: 30, width: 900, height: 600 }, [SCREEN], { width: 1280, height: 800 }],
  ['larger than now', { x: 0, y: 25, width: 3000, height: 2000 }, [SCREEN], { x: 0, y: 25, width: 1920, height: 1055 }],
] as const) {
  test(`the window's place: ${what}`, () => assert.deepEqual(windowPlace(saved, displays), expected));
}

test('memory survives a start; a file that makes no sense is as if it were not there', () => {
  const file = join(temporaryFolder(), 'shell.json');
  const first = new ShellMemory(file);
  assert.deepEqual(first.value.recent, []);
  assert.ok(first.update({ recent: [{ file: '/a.contexture', name: 'A' }], maximized: true }));
  const second = new ShellMemory(file);
  assert.deepEqual(second.value.recent, [{ file: '/a.contexture', name: 'A' }]);
  assert.equal(second.value.maximized, true);
  writeFileSync(file, '{"maximized": "yes", "recent": [{}], "lastFolder": "/here"}');
  const third = new ShellMemory(file);
  assert.equal(third.value.maximized, false);
  assert.deepEqual(third.value.recent, []);
  assert.equal(third.value.lastFolder, '/here');
  writeFileSync(file, '{"maximized"');
  assert.equal(new ShellMemory(file).value.lastFolder, null);
});

test('memory that cannot be written says so and goes on', () => {
  const memory = new ShellMemory('/nowhere/shell.json');
  assert.equal(memory.update({ maximized: true }), false);
  assert.equal(memory.value.maximized, true);
});

test('of a command line, what can be opened is taken', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'pictures'));
  for (const name of ['a.contexture', 'b.ZIP', 'c.csv', 'd.png', 'loader.js']) writeFileSync(join(folder, name), '');
  const words = [
    '--flag',
    '.',
    'pictures',
    'a.contexture',
    'b.ZIP',
    'c.csv',
    'd.png',
    'loader.js',
    'none.zip',
    '',
    '-r',
  ];
  const expected = ['pictures', 'a.contexture', 'b.ZIP', 'c.csv'].map((name) => join(folder, name));
  assert.deepEqual(pathsAmong(words, folder, folder), expected);
});

test('the log keeps to its size, with the one before beside it', () => {
  const folder = join(temporaryFolder(), 'logs');
  const log = openLog(folder);
  log.write('test', 'hello');
  assert.match(readFileSync(log.file, 'utf8'), /^\d{4}-\S+Z test: hello\n$/);
  for (let line = 0; line < 30; line++) log.write('test', 'x'.repeat(100_000));
  assert.match(readFileSync(log.previous, 'utf8').slice(0, 100), /test: hello/);
  assert.ok(readFileSync(log.file).length < 2_200_000);
});

test('a log that cannot be written is lost, and nothing else', () => {
  openLog('/dev/null/none').write('test', 'hello');
});

const actions = (): MenuActions & { said: string[] } => {
  const said: string[] = [];
  const say = (word: string) => () => void said.push(word);
  return {
    said,
    command: (command) => said.push(command),
    openRecent: (file) => said.push(file),
    documentation: say('documentation'),
    log: say('log'),
    diagnostics: say('diagnostics'),
    licences: say('licences'),
    about: say('about'),
  };
};

/** Every entry of a menu, whatever its depth. */
function entries(items: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
  return items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? entries(item.submenu) : [])]);
}

for (const platform of ['linux', 'win32', 'darwin'] as const) {
  test(`the menu on ${platform}: accelerators are unique, and roles and own entries are where people look`, () => {
    const options = { platform, name: 'Contexture', recent: [], development: false };
    const said = actions();
    const menu = menuTemplate(options, said);
    const all = entries(menu);
    const keys = all.flatMap(({ accelerator }) => (accelerator === undefined ? [] : [accelerator]));
    assert.equal(new Set(keys).size, keys.length);
    const roles = all.flatMap(({ role }) => (role === undefined ? [] : [role]));
    for (const role of ['editMenu', 'quit', 'zoomIn', 'zoomOut', 'resetZoom', 'togglefullscreen', 'help'] as const) {
      assert.ok(roles.includes(role), role);
    }
    assert.ok(!roles.includes('toggleDevTools'), 'only developers get the tools');
    const first = menu[0].label;
    assert.equal(first, platform === 'darwin' ? 'Contexture' : '&File');
    // Each of our own entries does something.
    for (const { click } of all) click?.(undefined!, undefined, undefined!);
    for (const word of ['new-project', 'open-project', 'import-folder', 'import-file', 'close-project', 'settings'])
      assert.ok(said.said.includes(word), word);
    for (const word of ['theme-dark', 'pause-queue', 'resume-queue', 'keys', 'about', 'diagnostics', 'licences', 'log'])
      assert.ok(said.said.includes(word), word);
  });
}

test('recent projects are listed by name and place, ten at most', () => {
  const recent = Array.from({ length: 12 }, (_, index) => ({ file: `/p/${index}.contexture`, name: `A & B ${index}` }));
  const said = actions();
  const menu = menuTemplate({ platform: 'linux', name: 'Contexture', recent, development: true }, said);
  const list = entries(menu).find(({ id }) => id === 'recent')!.submenu as MenuItemConstructorOptions[];
  assert.equal(list.length, 10);
  assert.equal(list[3].label, 'A && B 3 – /p/3.contexture');
  list[3].click!(undefined!, undefined, undefined!);
  assert.deepEqual(said.said, ['/p/3.contexture']);
});

test('in a clone the Node of set-up is used; without set-up it says what to do', () => {
  const root = temporaryFolder();
  const app = join(root, 'out', 'electron');
  assert.throws(() => placesInClone(app), /npm run setup/);
  mkdirSync(join(root, '.cache'));
  const engine = { pack: 'cpu', folder: '/f', binding: '/b', node: '/n/node', libraryPath: [], tensorflow: '2.21.0' };
  writeFileSync(join(root, '.cache', 'engine.json'), JSON.stringify(engine));
  const places = placesInClone(app);
  assert.equal(places.node, '/n/node');
  assert.equal(places.root, root);
});

test('in a package the engine beside the app is written down where the service finds it, and a chosen GPU pack stays', () => {
  const resources = temporaryFolder();
  const data = join(temporaryFolder(), 'Contexture');
  assert.throws(() => placesInPackage(resources, data), /install it again/);
  mkdirSync(join(resources, 'engine'));
  const engine = {
    pack: 'cpu',
    tensorflow: '2.21.0',
    folder: 'tf',
    binding: 'b/binding.node',
    libraryPath: [],
    node: 'node/node',
  };
  writeFileSync(join(resources, 'engine', 'engine.json'), JSON.stringify(engine));
  const places = placesInPackage(resources, data);
  assert.equal(places.node, join(resources, 'node', 'node'));
  assert.equal(places.root, join(resources, 'contexture'));
  const file = places.env.CONTEXTURE_ENGINE;
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    ...engine,
    folder: join(resources, 'engine', 'tf'),
    binding: join(resources, 'engine', 'b', 'binding.node'),
    node: join(resources, 'node', 'node'),
  });
  writeFileSync(file, JSON.stringify({ ...engine, pack: 'gpu' }));
  placesInPackage(resources, data);
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).pack, 'gpu');
});
