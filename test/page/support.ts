/**
 * The built page in Debian's Chromium against the real service. `testPage` is `test` with an application: its own state,
 * its own folder, no error on the console, no break of the content security policy.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { missing } from '../fixtures/debian.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
const CHROMIUM = '/usr/bin/chromium';
/** Pictures of screens for people to look at. */
const SCREENSHOTS = join(ROOT, '.cache', 'screenshots');

/** Sizes of a window that every page is looked at in. */
export const SIZES = [
  [1280, 800],
  [1920, 1080],
  [900, 600],
] as const;

/** Longest wait for what a page is to show, milliseconds: other tests may be training on the same cores. */
const PATIENCE = 120_000;

/** Two frames: the first lays out what has changed, the second what watched the sizes of it. */
const FRAMES = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))';

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--force-color-profile=srgb',
];

/** Why there is no browser, or false: there is one. */
export const skip = await missing(CHROMIUM, ['chromium', 'fonts-noto-core'], () => existsSync(CHROMIUM));

let browser: Promise<Browser> | undefined;
after(async () => {
  if (browser !== undefined) await (await browser).close();
});

/** One browser for a test file. */
function theBrowser(): Promise<Browser> {
  const root = process.getuid?.() === 0;
  // Its sandbox does not run as root; what is tested here is the page, not Chromium.
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: root ? ['--no-sandbox', ...FLAGS] : FLAGS });
  return browser;
}

export interface ServiceProcess {
  /** First address, with the token. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Start `contexture serve` (or another script that prints such an address) and wait for its address.
 * @param within a program that becomes the one it is given, such as one that changes what the service sees
 */
export async function startServe(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  within: readonly string[] = [],
): Promise<ServiceProcess> {
  const [program, ...words] = [...within, process.execPath, ...args];
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  const address = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(said);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}: ${said}`)));
  });
  return { address, pid: child.pid!, stop: () => stopProcess(child) };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

export interface AppOptions {
  /** Address to open instead of a service of its own. */
  address?: string;
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
}

/** A page in a browser, and the service that it talks to. */
export class App {
  readonly page: Page;
  /** Origin of the page. */
  readonly origin: string;
  /** Folder that the service may use. */
  readonly root: string;
  /** The service's state folder, by which a command line finds it. */
  readonly state: string;
  /** What the console said that was wrong. */
  readonly #problems: string[] = [];
  readonly #allowed: RegExp[] = [];

  constructor(page: Page, origin: string, { root, state }: { root: string; state: string }) {
    this.page = page;
    this.origin = origin;
    this.root = root;
    this.state = state;
    page.on('console', (message) => {
      if (message.type() === 'error') this.#problems.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.#problems.push(error.stack ?? error.message));
  }

  /** Errors that a test provokes. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** What the console said that no test asked for. */
  problems(): string[] {
    return this.#problems.filter((problem) => !this.#allowed.some((pattern) => pattern.test(problem)));
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(this.origin + path);
  }

  /** Ask the service as the page does. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.page.request.fetch(this.origin + path, { method, data: body });
    const text = await response.text();
    assert.ok(response.ok(), `${method} ${path}: ${response.status()} ${text}`);
    const parsed: T = JSON.parse(text);
    return parsed;
  }

  /** Serious faults that axe finds, one line each. */
  async faults(): Promise<string[]> {
    if (!(await this.page.evaluate<boolean>(`'axe' in window`))) await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<{ violations: AxeViolation[] }>(
      `axe.run(document, { resultTypes: ['violations'] })`,
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
  }

  /** What has changed is laid out and drawn. */
  async drawn(): Promise<void> {
    await this.page.evaluate(FRAMES);
  }

  /** A picture of the window under .cache/screenshots. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** Look at what is shown in all sizes, light and dark: no serious fault, no sideways scrolling, a picture of each. */
  async look(name: string): Promise<void> {
    for (const scheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme: scheme });
      for (const [width, height] of SIZES) {
        await this.page.setViewportSize({ width, height });
        await this.drawn();
        await this.screenshot(`${name}-${width}x${height}-${scheme}`);
        const wider = await this.page.evaluate<number>(
          `(() => { const main = document.querySelector('main'); return main.scrollWidth - main.clientWidth; })()`,
        );
        assert.ok(wider <= 0, `${name} at ${width}x${height} scrolls sideways by ${wider} px`);
      }
      assert.deepEqual(await this.faults(), [], `axe on ${name}, ${scheme}`);
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize({ width: SIZES[0][0], height: SIZES[0][1] });
  }
}

interface AxeViolation {
  id: string;
  help: string;
  impact: string | null;
  nodes: { html: string }[];
}

/** Open a page, with a service of its own unless an address is given; closes both after `use`. */
export async function withApp(use: (app: App) => Promise<void>, options: AppOptions = {}): Promise<void> {
  const root = temporaryFolder();
  const state = temporaryFolder();
  const service =
    options.address === undefined
      ? await startServe(['core/cli/main.ts', 'serve', '--root', root], { CONTEXTURE_STATE: state, HOME: root })
      : undefined;
  const address = options.address ?? service?.address ?? '';
  const context: BrowserContextOptions = {
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.scheme ?? 'light',
    reducedMotion: 'reduce',
  };
  const tab = await (await theBrowser()).newContext(context);
  try {
    tab.setDefaultTimeout(PATIENCE);
    const app = new App(await tab.newPage(), new URL(address).origin, { root, state });
    await app.page.goto(address);
    await use(app);
    assert.deepEqual(app.problems(), [], 'errors on the console');
  } finally {
    await tab.close();
    await service?.stop();
  }
}

/**
 * Look again and again until what is seen fits.
 * @param what is said where it never does
 * @returns what was seen then
 */
export async function seen<Value>(
  look: () => Promise<Value>,
  fits: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  for (const start = Date.now(); Date.now() - start < PATIENCE; await wait(50)) {
    const value = await look();
    if (fits(value)) return value;
  }
  assert.fail(what);
}

/** A picture once two in a row are the same: nothing moves any more. */
export async function atRest(look: () => Promise<Buffer>): Promise<Buffer> {
  let before = await look();
  const same = (picture: Buffer): boolean => {
    const rests = picture.equals(before);
    before = picture;
    return rests;
  };
  return seen(look, same, 'what is shown never comes to rest');
}

/** A test with an application of its own; skipped, with the reason, where there is no browser. */
export function testPage(name: string, use: (app: App) => Promise<void>, options?: AppOptions): void {
  test(name, { skip }, () => withApp(use, options));
}

/** A file below the root of the project, as text. */
export function source(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
