/** Electron's own list of what an app must do (https://www.electronjs.org/docs/latest/tutorial/security), item by item. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { CHANNELS } from '../../electron/channels.ts';
import { EXTERNAL_ADDRESSES } from '../../electron/external-addresses.ts';
import { type Desktop, launch, skip } from './desktop.ts';

let desktop: Desktop;
/** A server on this machine that no page of ours may reach, and what it was asked. */
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.setHeader('access-control-allow-origin', '*');
  response.end('hello');
});
let foreign: string;

before(async () => {
  if (skip) return;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  foreign = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  desktop = await launch();
});
after(async () => {
  server.close();
  if (!skip) await desktop.quit();
});

/** Evaluate an expression in the page; what it throws is the text of the error. */
const inPage = (expression: string): Promise<unknown> =>
  desktop.page.evaluate(
    `(async () => { try { return await (${expression}); } catch (error) { return String(error); } })()`,
  );

const log = (): string => readFileSync(join(desktop.folders.data, 'logs', 'contexture.log'), 'utf8');

test('1, 7: the page is ours alone, and every answer carries the policy', { skip }, async () => {
  assert.equal(desktop.page.url().split('/').slice(0, 3).join('/'), 'contexture://app');
  for (const path of ['/', '/p/x/explore', '/api/about', '/api/none']) {
    const policy = await inPage(`fetch('${path}').then((answer) => answer.headers.get('content-security-policy'))`);
    assert.match(String(policy), /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/, path);
    assert.doesNotMatch(String(policy), /unsafe|\*|https?:/);
  }
});

test('7: the policy holds: no inline script, no code from text', { skip }, async () => {
  await inPage(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
  })()`);
  assert.equal(await inPage('window.ran'), undefined);
  const ran = await desktop.page.evaluate(`
    new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true });
      const image = document.createElement('img');
      image.setAttribute('onerror', 'window.ran = true');
      image.src = 'data:image/png;base64,';
      document.body.append(image);
    })`);
  assert.match(String(ran), /script-src/);
  assert.equal(await inPage('window.ran'), undefined);
});

test('2, 3, 4: no Node in the page, its own world, the sandbox asked for', { skip }, async () => {
  for (const name of ['require', 'process', 'module', 'Buffer', 'global', 'electron', 'ipcRenderer']) {
    assert.equal(await inPage(`typeof window['${name}']`), 'undefined', name);
  }
  const preferences = await desktop.app.evaluate(({ BrowserWindow }) => {
    const { webContents } = BrowserWindow.getAllWindows()[0] as unknown as {
      webContents: { getLastWebPreferences(): Record<string, unknown> };
    };
    return webContents.getLastWebPreferences();
  });
  assert.equal(preferences.sandbox, true);
  assert.equal(preferences.contextIsolation, true);
  assert.equal(preferences.nodeIntegration, false);
  assert.ok(!preferences.nodeIntegrationInWorker);
  assert.ok(!preferences.nodeIntegrationInSubFrames);
  assert.ok(!preferences.webviewTag);
  // 6, 8, 9, 10
  assert.notEqual(preferences.webSecurity, false);
  assert.ok(!preferences.allowRunningInsecureContent);
  assert.ok(!preferences.experimentalFeatures);
  assert.ok(!preferences.enableBlinkFeatures);
});

test('4: the sandbox is switched off by the test alone', { skip }, async () => {
  const off = await desktop.app.evaluate(({ app }) => app.commandLine.hasSwitch('no-sandbox'));
  assert.equal(off, process.getuid?.() === 0);
  assert.equal(log().includes('the system sandbox was switched off on the command line'), off);
});

test('the bridge has its few functions, and nothing of Electron behind them', { skip }, async () => {
  const names = await inPage('Object.keys(window.contexture).toSorted?.() ?? Object.keys(window.contexture).sort()');
  assert.deepEqual(names, [
    'chooseFiles',
    'chooseFolder',
    'chooseProject',
    'newProjectPath',
    'onMenu',
    'onOpen',
    'openExternal',
    'pathOf',
    'platform',
    'reveal',
    'setProgress',
    'setRecent',
    'setTitle',
    'setUnsaved',
  ]);
  // A page cannot put its own in the place of ours.
  await inPage(`(() => { window.contexture.reveal = () => {}; })()`);
  assert.doesNotMatch(String(await inPage('String(window.contexture.reveal)')), /^\(\) => \{\}$/);
});

test('5: every permission but that to copy text is denied', { skip }, async () => {
  assert.equal(await inPage('Notification.requestPermission()'), 'denied');
  for (const name of ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi']) {
    const state = await inPage(`navigator.permissions.query({ name: '${name}' }).then((status) => status.state)`);
    assert.equal(state, 'denied', name);
  }
  assert.match(String(await inPage('navigator.mediaDevices.getUserMedia({ audio: true })')), /Error/);
  const position = `new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, (error) => resolve(error.code)))`;
  assert.equal(await inPage(position), 1);
  // Under a display without a window manager no window has the focus that copying itself asks for.
  const copying = `navigator.permissions.query({ name: 'clipboard-write' }).then((status) => status.state)`;
  assert.equal(await inPage(copying), 'granted');
});

test('12: a webview is nothing', { skip }, async () => {
  await inPage(`(() => {
    const view = document.createElement('webview');
    view.src = '${foreign}/webview';
    document.body.append(view);
  })()`);
  await wait(300);
  assert.equal(await desktop.app.evaluate(({ webContents }) => webContents.getAllWebContents().length), 1);
});

test('13: the page goes nowhere else', { skip }, async () => {
  const start = desktop.page.url();
  for (const address of [
    `${foreign}/navigation`,
    'file:///etc/passwd',
    'contexture://other/',
    'data:text/html,hello',
  ]) {
    await inPage(`(() => { location.href = '${address}'; })()`);
    await wait(200);
    assert.equal(desktop.page.url(), start, address);
  }
  await inPage(
    `(() => { const frame = document.createElement('iframe'); frame.src = '${foreign}/frame'; document.body.append(frame); })()`,
  );
  await inPage(
    `(() => { const form = document.createElement('form'); form.action = '${foreign}/form'; document.body.append(form); form.submit(); })()`,
  );
  await wait(300);
  assert.equal(desktop.page.url(), start);
  assert.deepEqual(asked, []);
});

test('14: no new windows', { skip }, async () => {
  assert.equal(await inPage(`window.open('${foreign}/window')`), null);
  assert.equal(await inPage(`window.open('/')`), null);
  assert.equal(await desktop.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length), 1);
});

test('15: only addresses from our list are opened outside, by name', { skip }, async () => {
  await desktop.app.evaluate(({ shell }) => {
    shell.openExternal = (address) => {
      (globalThis as { opened?: string[] }).opened = [address];
      return Promise.resolve();
    };
  });
  for (const name of ['https://example.com/', 'file:///etc/passwd', '__proto__', '', 1, null]) {
    assert.match(
      String(await inPage(`window.contexture.openExternal(${JSON.stringify(name)})`)),
      /Error/,
      String(name),
    );
  }
  await inPage(`window.contexture.openExternal('method')`);
  assert.deepEqual(await desktop.app.evaluate(() => (globalThis as { opened?: string[] }).opened), [
    EXTERNAL_ADDRESSES.method,
  ]);
  for (const address of Object.values(EXTERNAL_ADDRESSES)) assert.equal(new URL(address).protocol, 'https:');
});

test('16: the packaged Electron is a current one', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));
  assert.ok(Number.parseInt(devDependencies.electron, 10) >= 45);
});

test('17: a message from another window, or with other contents, is refused', { skip }, async () => {
  const refused = await desktop.app.evaluate(async ({ app, BrowserWindow }, channel) => {
    const other = new BrowserWindow({
      show: false,
      webPreferences: { preload: `${app.getAppPath()}/preload.cjs`, sandbox: true },
    });
    await other.loadURL('data:text/html,hello');
    const run = (code: string) => other.webContents.executeJavaScript(`${code}.then(String, String)`);
    const answer = await run(`window.contexture.chooseFolder('x')`);
    other.destroy();
    return `${channel}: ${String(answer)}`;
  }, CHANNELS.chooseFolder);
  assert.match(refused, /The shell does not answer this/);
  assert.match(log(), /refused: message choose-folder from elsewhere/);
  assert.match(String(await inPage(`window.contexture.reveal('relative')`)), /does not answer/);
  assert.match(String(await inPage(`window.contexture.chooseFiles('x', { extensions: ['../x'] })`)), /does not answer/);
  // Refused without an answer: nothing happens.
  await inPage(`window.contexture.setProgress(7)`);
  await inPage(`window.contexture.setTitle({})`);
  await wait(100);
  assert.match(log(), /refused: message set-progress/);
});

test('18: nothing is read from file: addresses', { skip }, async () => {
  assert.match(String(await inPage(`fetch('file:///etc/passwd')`)), /Error/);
});

test('the network is not reached: the policy refuses, and under it so does the session', { skip }, async () => {
  assert.match(String(await inPage(`fetch('${foreign}/fetch')`)), /Error/);
  await inPage(`(() => { const image = new Image(); image.src = '${foreign}/image'; document.body.append(image); })()`);
  const failure = await desktop.app.evaluate(async ({ BrowserWindow }, address) => {
    const other = new BrowserWindow({ show: false });
    const said = await other.loadURL(address).then(
      () => 'loaded',
      (error: unknown) => String(error),
    );
    other.destroy();
    return said;
  }, `${foreign}/window`);
  assert.match(failure, /ERR_BLOCKED_BY_CLIENT/);
  assert.deepEqual(asked, []);
});

test('crash reports stay on this machine', { skip }, async () => {
  assert.equal(await desktop.app.evaluate(({ crashReporter }) => crashReporter.getUploadToServer()), false);
});

test('the page itself throws nothing and is refused nothing', { skip }, async () => {
  const other = await launch();
  await other.page.waitForTimeout(1000);
  await other.quit();
  assert.deepEqual(other.errors, []);
});
