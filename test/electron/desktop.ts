/** The real app under a real Electron, driven by Playwright, on a display of its own where there is none. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Socket } from 'node:net';
import { after } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { findElectron } from '../../build/electron/program.ts';
import { ensureBuilt } from '../../build/outputs.ts';
import { alone, missing, succeeds } from '../fixtures/debian.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Puts an older Electron with the interfaces of the current one into a folder, where the current one cannot be had. */
const TEST_ELECTRON = join(ROOT, '..', 'shared', 'tools', 'electron', 'get.sh');

/** Longest wait for what the app is to do, milliseconds: other tests may be training on the same cores. */
const PATIENCE = 180_000;

/** Debian's packages that Electron needs and that a bare machine lacks. */
const LIBRARIES = ['xvfb', 'libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1'];

/** Electron's program, or why there is none. */
async function electronProgram(): Promise<{ program: string } | { reason: string }> {
  const found = findElectron({ fetch: false });
  if ('program' in found || !existsSync(TEST_ELECTRON)) return found;
  const folder = join(ROOT, '.cache', 'electron');
  if (!(await alone('electron', () => succeeds(TEST_ELECTRON, [folder])))) {
    return { reason: `${found.reason}, and no other could be fetched` };
  }
  return { program: join(folder, 'electron') };
}

/** Make sure of a display and of the libraries; returns why there is none. */
async function displayReason(): Promise<string | false> {
  if (process.platform !== 'linux') return false;
  return missing('Xvfb', LIBRARIES, () => !spawnSync('Xvfb', ['-help']).error);
}

const found = await electronProgram();
const reason = 'reason' in found ? found.reason : await displayReason();

/** Why no test of this layer that needs a window runs, or false: they do. */
export const skip: string | false = reason === false ? false : `desktop tests not run: ${reason}`;

/** The folder of the Electron that tests run on. */
export function electronFolder(): string {
  return 'program' in found ? dirname(found.program) : '';
}

/** Everything that one start of the app leaves behind is below these folders. */
export interface Folders {
  /** The user's home. */
  readonly home: string;
  /** Electron's folder for the user. */
  readonly data: string;
}

export const newFolders = (): Folders => ({ home: temporaryFolder(), data: temporaryFolder() });

/** The environment of a start: the caches are shared, everything else is the test's own. */
function environment({ home }: Folders, display: string): Record<string, string> {
  const env = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(env),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    DISPLAY: display,
  };
}

/** Switches for a container: its root may not start Chromium's sandbox, and it has no GPU. */
const SWITCHES = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--force-color-profile=srgb',
  '--force-device-scale-factor=1',
];

const APP = join(ROOT, 'out', 'electron');

let display: Promise<string> | undefined;
let server: ChildProcess | undefined;
const started: ChildProcess[] = [];
after(() => {
  // Where a test failed before it quit.
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  server?.kill();
});

/** A display for this file's tests. */
async function openDisplay(): Promise<string> {
  if (process.platform !== 'linux') return '';
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  server = child;
  const numbers = child.stdio[3] as Socket;
  const [number] = await once(numbers, 'data');
  // A test file that fails must not wait for its display; closing the pipe would end it at its next word.
  numbers.unref();
  child.unref();
  return `:${String(number).trim()}`;
}

/** A started app. */
export interface Desktop {
  readonly app: ElectronApplication;
  /** Electron's main process. */
  readonly main: ChildProcess;
  readonly page: Page;
  readonly folders: Folders;
  /** Errors of the page: what was thrown, and what its policy refused. */
  readonly errors: string[];
  /** Answers every question of the shell with this button from now on; the questions are kept. */
  answer(button: number): Promise<void>;
  /** Messages of the questions so far. */
  asked(): Promise<string[]>;
  /** Ask the service by the page. @throws Error with the service's sentence */
  readonly api: <Result>(key: string, body?: unknown) => Promise<Result>;
  /** End it as a person does, and wait until it has ended. */
  quit(): Promise<void>;
}

/** Start the app and wait for its page. */
export async function launch({
  folders = newFolders(),
  paths = [],
}: { folders?: Folders; paths?: string[] } = {}): Promise<Desktop> {
  if (!('program' in found)) throw new Error(found.reason);
  await ensureBuilt('page');
  await ensureBuilt('shell');
  const app = await _electron.launch({
    executablePath: found.program,
    args: [...SWITCHES, `--user-data-dir=${folders.data}`, APP, ...paths],
    env: environment(folders, await (display ??= openDisplay())),
    cwd: folders.home,
    timeout: PATIENCE,
  });
  const child = app.process();
  started.push(child);
  // Its helpers write into the test's folders and hold these streams, so the last of them has ended too.
  const ended = once(child, 'close');
  const page = await app.firstWindow();
  page.setDefaultTimeout(PATIENCE);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.waitForLoadState();
  // What is dropped on a page that is not there yet is lost.
  await page.locator('main').waitFor();
  await until(() => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].isVisible()));
  return {
    app,
    main: child,
    page,
    folders,
    errors,
    answer: (button) =>
      app.evaluate(({ dialog }, response) => {
        const global = globalThis as { asked?: string[] };
        global.asked ??= [];
        dialog.showMessageBox = ((...all: { message: string }[]) => {
          global.asked!.push(all.at(-1)!.message);
          return Promise.resolve({ response, checkboxChecked: false });
        }) as unknown as typeof dialog.showMessageBox;
      }, button),
    asked: () => app.evaluate(() => (globalThis as { asked?: string[] }).asked ?? []),
    api: (key, body) => callApi(page, key, body),
    async quit() {
      await app.evaluate(({ app: electron }) => electron.quit()).catch(() => {});
      await ended;
    },
  };
}

async function callApi<Result>(page: Page, key: string, body: unknown): Promise<Result> {
  const answer = await page.evaluate(
    async ([method, path, text]) => {
      const init = text === '' ? {} : { body: text, headers: { 'content-type': 'application/json' } };
      const response = await fetch(path, { method, ...init });
      const value = (await response.json()) as { error: { message: string } };
      return { ok: response.ok, value };
    },
    [...key.split(' '), body === undefined ? '' : JSON.stringify(body)],
  );
  if (!answer.ok) throw new Error(answer.value.error.message);
  return answer.value as unknown as Result;
}

/** Whether its process has ended, of itself or by a signal. */
export const ended = ({ main }: Desktop): boolean => main.exitCode !== null || main.signalCode !== null;

/** Wait until something is so, at most `PATIENCE`: the service may be starting, other tests may be training. */
export async function until<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  let last: unknown;
  for (const start = Date.now(); Date.now() - start < PATIENCE; await wait(100)) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`It never came: ${String(look)}`, { cause: last });
}

/** Start the app once more beside a running one, wait until it has ended. @returns its exit code */
export async function startAgain({ folders }: Desktop, paths: readonly string[]): Promise<number | null> {
  if (!('program' in found)) throw new Error(found.reason);
  const child = spawn(found.program, [...SWITCHES, `--user-data-dir=${folders.data}`, APP, ...paths], {
    env: environment(folders, await (display ??= openDisplay())),
    cwd: folders.home,
    stdio: 'ignore',
  });
  const [code] = await once(child, 'exit');
  return code as number | null;
}

/** Start a program, such as a packed app, on the display. @returns its process, and what it has said so far */
export async function startProgram(
  program: string,
  folders: Folders,
  args: readonly string[],
): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn(program, [...SWITCHES, `--user-data-dir=${folders.data}`, ...args], {
    env: environment(folders, await (display ??= openDisplay())),
    cwd: folders.home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  for (const stream of [child.stderr, child.stdout]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, said: () => said };
}

/** Files and folders dragged from the system onto the middle of the page, and dropped. */
export async function drop({ page }: Desktop, paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { x, y } = await page.evaluate<{ x: number; y: number }>('({ x: innerWidth / 2, y: innerHeight / 2 })');
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', {
      type,
      x,
      y,
      data: { items: [], files: [...paths], dragOperationsMask: 1 },
    });
  }
  await session.detach();
}
