/** The app as a person meets it: start, drop, open, dialogs, menu, crashes, the question before it quits. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ProjectEntry } from '../../core/api/projects.ts';
import type { Task } from '../../core/api/tasks.ts';
import { tinyPng } from '../fixtures/images.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { type Desktop, drop, ended, launch, newFolders, skip, startAgain, until } from './desktop.ts';

/** Class folders with three pictures each. */
function classFolders(): string {
  const folder = join(temporaryFolder(), 'birds');
  const names = ['crow', 'dove'].flatMap((name) => [0, 1, 2].map((number) => `${name}/${number}.png`));
  writeTree(folder, Object.fromEntries(names.map((name, index) => [name, tinyPng(index)])));
  return folder;
}

/** Process of the service. */
const servicePid = async ({ api }: Desktop): Promise<number> => (await api<{ pid: number }>('GET /api/about')).pid;

/** Projects that are open, by file. */
async function openFiles({ api }: Desktop): Promise<string[]> {
  return (await api<ProjectEntry[]>('GET /api/projects')).filter(({ open }) => open).map(({ file }) => file);
}

/** What the doctor does is the shortest work of the engine: some seconds. */
async function startWork(desktop: Desktop): Promise<void> {
  // The doctor looks at the disk of the folder for projects.
  mkdirSync(join(desktop.folders.home, 'Contexture'), { recursive: true });
  const { id } = await desktop.api<Task>('POST /api/doctor');
  await until(async () => (await desktop.api<Task>(`GET /api/tasks/${id}`)).state === 'running');
}

test('a folder dropped onto the window asks for a project, which is made', { skip }, async () => {
  const desktop = await launch();
  const { page } = desktop;
  const folder = classFolders();
  await drop(desktop, [folder]);
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.waitFor();
  assert.match(await dialog.innerText(), new RegExp(basename(folder)));
  await dialog.getByRole('button', { name: 'Create' }).click();
  await until(async () => (await openFiles(desktop)).length === 1);
  await until(async () =>
    /birds/.test(await desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].getTitle())),
  );
  await desktop.quit();
  assert.deepEqual(desktop.errors, []);
});

test('a project named at the start opens; one named at a second start opens in the first', { skip }, async () => {
  const first = join(temporaryFolder(), 'first.contexture');
  const second = join(temporaryFolder(), 'second.contexture');
  const folders = newFolders();
  const before = await launch({ folders });
  for (const file of [first, second]) {
    const { id } = await before.api<{ id: string }>('POST /api/projects', { file, create: true });
    await before.api(`POST /api/projects/${id}/close`);
  }
  await before.quit();

  const desktop = await launch({ folders, paths: [first] });
  await until(async () => (await openFiles(desktop)).includes(first));
  assert.equal(await startAgain(desktop, [second]), 0);
  await until(async () => (await openFiles(desktop)).includes(second));
  assert.equal(await desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length), 1);
  await desktop.quit();
});

test('dialogs give the page paths, and remember the folder', { skip }, async () => {
  const desktop = await launch();
  const folder = classFolders();
  await desktop.app.evaluate(({ dialog }, path) => {
    const global = globalThis as { shown?: object[] };
    global.shown = [];
    const replace = (result: object) => (_window: unknown, options: object) => {
      global.shown!.push(options);
      return Promise.resolve(result);
    };
    dialog.showOpenDialog = replace({ canceled: false, filePaths: [path] }) as unknown as typeof dialog.showOpenDialog;
    dialog.showSaveDialog = replace({
      canceled: false,
      filePath: `${path}/mine`,
    }) as unknown as typeof dialog.showSaveDialog;
  }, folder);
  assert.equal(await desktop.page.evaluate(`window.contexture.chooseFolder('Images')`), folder);
  assert.deepEqual(await desktop.page.evaluate(`window.contexture.chooseFiles('Lists', { extensions: ['csv'] })`), [
    folder,
  ]);
  const made = await desktop.page.evaluate(`window.contexture.newProjectPath('a/b: c?')`);
  assert.equal(made, join(folder, 'mine.contexture'));
  const shown = await desktop.app.evaluate(() => (globalThis as { shown?: Record<string, unknown>[] }).shown!);
  assert.deepEqual(shown[0].properties, ['openDirectory']);
  assert.deepEqual(shown[1].filters, [{ name: 'Lists', extensions: ['csv'] }]);
  assert.equal(shown[1].defaultPath, join(folder, '..'));
  assert.equal(basename(String(shown[2].defaultPath)), 'a b  c.contexture');
  await desktop.app.evaluate(({ dialog }) => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- this function is sent to Electron
    const closed = () => Promise.resolve({ canceled: true, filePaths: [], filePath: '' });
    dialog.showOpenDialog = closed as unknown as typeof dialog.showOpenDialog;
    dialog.showSaveDialog = closed as unknown as typeof dialog.showSaveDialog;
  });
  assert.equal(await desktop.page.evaluate(`window.contexture.chooseProject()`), null);
  assert.equal(await desktop.page.evaluate(`window.contexture.newProjectPath('x')`), null);
  await desktop.quit();
});

test('the menu reaches the page, and holds the projects that the page names', { skip }, async () => {
  const desktop = await launch();
  const click = (id: string): Promise<void> =>
    desktop.app.evaluate(({ Menu }, name) => Menu.getApplicationMenu()!.getMenuItemById(name)!.click(), id);
  await click('new-project');
  await desktop.page.getByRole('dialog', { name: 'New project' }).waitFor();
  await desktop.page.keyboard.press('Escape');
  await click('theme-dark');
  await until(async () => (await desktop.api<{ theme: string }>('GET /api/settings')).theme === 'dark');
  await desktop.page.evaluate(`window.contexture.setRecent([{ file: '/a/b.contexture', name: 'B' }])`);
  const labels = () =>
    desktop.app.evaluate(({ Menu }) =>
      Menu.getApplicationMenu()!
        .getMenuItemById('recent')!
        .submenu!.items.map(({ label }) => label),
    );
  await until(async () => (await labels()).includes('B – /a/b.contexture'));
  await desktop.quit();
  const again = await launch({ folders: desktop.folders });
  assert.ok(JSON.parse(readFileSync(join(desktop.folders.data, 'shell.json'), 'utf8')).recent !== undefined);
  await again.quit();
});

test('title and progress of the window are those of the page', { skip }, async () => {
  const desktop = await launch();
  await desktop.app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0].setProgressBar = (value) => {
      (globalThis as { progress?: number }).progress = value;
    };
  });
  const title = (): Promise<string> =>
    desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].getTitle());
  // What the page itself says comes first.
  await until(async () => (await title()) === 'Library – Contexture');
  await desktop.page.evaluate(`window.contexture.setTitle('Birds')`);
  await until(async () => (await title()) === 'Birds – Contexture');
  await desktop.page.evaluate(`window.contexture.setTitle('')`);
  await until(async () => (await title()) === 'Contexture');
  await desktop.page.evaluate(`window.contexture.setProgress(0.25)`);
  await until(() => desktop.app.evaluate(() => (globalThis as { progress?: number }).progress === 0.25));
  await desktop.page.evaluate(`window.contexture.setProgress(null)`);
  await until(() => desktop.app.evaluate(() => (globalThis as { progress?: number }).progress === -1));
  await desktop.quit();
});

test('the window comes back where it was', { skip }, async () => {
  const desktop = await launch();
  const bounds = { x: 130, y: 140, width: 1000, height: 650 };
  await desktop.app.evaluate(({ BrowserWindow }, to) => BrowserWindow.getAllWindows()[0].setBounds(to), bounds);
  await wait(300);
  await desktop.quit();
  const again = await launch({ folders: desktop.folders });
  assert.deepEqual(
    await again.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].getBounds()),
    bounds,
  );
  await again.quit();
});

test(
  'the service is killed: the page says so, another one takes over, and what was open is open',
  { skip },
  async () => {
    const desktop = await launch();
    const file = join(temporaryFolder(), 'mine.contexture');
    await desktop.api('POST /api/projects', { file, create: true });
    const pid = await servicePid(desktop);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await servicePid(desktop)) !== pid);
    assert.deepEqual(await openFiles(desktop), [file]);
    // The page's own stream of events is back too: it hears of a change by somebody else.
    const heard = desktop.page.evaluate(`new Promise((resolve) => {
    const source = new EventSource('/api/events');
    source.onmessage = (event) => resolve(event.data);
    source.onopen = () => fetch('/api/settings', { method: 'PATCH', body: '{"author":"Ada"}', headers: { 'content-type': 'application/json' } });
  })`);
    assert.match(String(await heard), /settings|reset/);
    await desktop.quit();
  },
);

test('a service that keeps dying is given up with a question, and tried again when asked to', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(0);
  for (let death = 0; death < 4; death++) {
    const pid = await servicePid(desktop);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await servicePid(desktop)) !== pid);
  }
  assert.deepEqual(await desktop.asked(), ['Contexture cannot go on']);
  await desktop.quit();
});

test('a page that crashes is offered again, and comes back', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(0);
  await desktop.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0].webContents.forcefullyCrashRenderer(),
  );
  await until(async () => (await desktop.asked()).length === 1);
  await until(() =>
    desktop.app.evaluate(({ BrowserWindow }) => {
      const { webContents } = BrowserWindow.getAllWindows()[0];
      return !webContents.isCrashed() && !webContents.isLoading() && webContents.getURL() !== '';
    }),
  );
  const there = await desktop.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0].webContents.executeJavaScript(`'contexture' in window`),
  );
  assert.equal(there, true);
  const [message] = await desktop.asked();
  assert.match(message, /The page has crashed/);
  await desktop.quit();
});

test('diagnostics hold versions, the doctor and the log, and no name of the home folder', { skip }, async () => {
  const desktop = await launch();
  await startWork(desktop);
  await until(async () => (await desktop.api<Task[]>('GET /api/tasks')).every(({ state }) => state === 'done'));
  const file = join(temporaryFolder(), 'diagnostics.txt');
  await desktop.app.evaluate(({ dialog, shell, Menu }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath }) as never;
    shell.showItemInFolder = () => {};
    Menu.getApplicationMenu()!.getMenuItemById('diagnostics')!.click();
  }, file);
  const text = await until(() => Promise.resolve().then(() => readFileSync(file, 'utf8')));
  for (const part of [/Contexture 0\./, /Electron \d+/, /All is well\./, /service: ready/, /doctor: done/]) {
    assert.match(text, part);
  }
  assert.ok(!text.includes(desktop.folders.home));
  await desktop.quit();
});

test('nothing at work: it quits without a question, and its service with it', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(3);
  const pid = await servicePid(desktop);
  await desktop.quit();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('something at work: the question; cancelled, everything stays as it is', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(3);
  await startWork(desktop);
  await desktop.app.evaluate(({ app }) => app.quit());
  await until(async () => (await desktop.asked()).length === 1);
  assert.match((await desktop.asked())[0], /^Still at work: /);
  // Closing the window is the same question.
  await desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].close());
  await until(async () => (await desktop.asked()).length === 2);
  assert.ok(!ended(desktop));
  assert.equal(await desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length), 1);
  // "Pause and quit": it ends before the doctor could.
  await desktop.answer(1);
  await desktop.quit();
});

test('kept running without a window, it ends by itself when the work is done', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(0);
  await startWork(desktop);
  await desktop.app.evaluate(({ app }) => app.quit());
  await until(() => desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length === 0));
  assert.ok(!ended(desktop));
  await until(() => Promise.resolve(ended(desktop)));
  assert.equal(desktop.main.exitCode, 0);
});

test('kept running without a window, a second start brings the window back', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(0);
  await startWork(desktop);
  await desktop.app.evaluate(({ app }) => app.quit());
  await until(() => desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length === 0));
  assert.equal(await startAgain(desktop, []), 0);
  await until(() => desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length === 1));
  // Work that ends now ends nothing else.
  await wait(10_000);
  assert.ok(!ended(desktop));
  await desktop.answer(1);
  await desktop.quit();
});

test('stopped and quit: the work is cancelled before the service ends', { skip }, async () => {
  const desktop = await launch();
  await desktop.answer(2);
  await startWork(desktop);
  const pid = await servicePid(desktop);
  await desktop.quit();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  const log = readFileSync(join(desktop.folders.data, 'logs', 'contexture.log'), 'utf8');
  assert.match(log, /quitting while 1 tasks are active: stop/);
});
