/** The built page in Chromium, with a service of its own, for measurements. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { ensureBuilt } from '../../build/outputs.ts';

const ROOT = join(import.meta.dirname, '../..');
const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage'];

export interface ServedPage {
  page: Page;
  origin: string;
  /** Ask the service as the page does. */
  api: <T>(method: string, path: string, body?: unknown) => Promise<T>;
}

/** A started `contexture serve`. */
export interface Served {
  /** First address, with the token. */
  address: string;
  /** End it, and throw its state away. */
  stop: () => Promise<void>;
}

/**
 * Start the service with a state folder of its own and wait for its address.
 * @param root folder that the service may use
 * @throws Error with what it said where it ends before
 */
export async function serve(root: string): Promise<Served> {
  const state = mkdtempSync(join(tmpdir(), 'contexture-bench-state-'));
  const service = spawn(process.execPath, ['core/cli/main.ts', 'serve', '--root', root], {
    cwd: ROOT,
    env: { ...process.env, CONTEXTURE_STATE: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => service.once('exit', resolve));
  let said = '';
  const address = await new Promise<string>((resolve, reject) => {
    service.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(said);
      if (found) resolve(found[0]);
    });
    service.once('exit', () => reject(new Error(`the service ended: ${said}`)));
  });
  return {
    address,
    async stop() {
      service.kill('SIGTERM');
      await ended;
      rmSync(state, { recursive: true, force: true });
    },
  };
}

/** Chromium without a window; its sandbox does not run as root. */
export function openBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: isRoot ? ['--no-sandbox', ...FLAGS] : FLAGS,
  });
}

/**
 * Open the page and close everything after `use`.
 * @param root folder that the service may use
 */
export async function withServedPage<T>(root: string, use: (served: ServedPage) => Promise<T>): Promise<T> {
  await ensureBuilt('page');
  const { address, stop } = await serve(root);
  try {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(address);
      const { origin } = new URL(address);
      return await use({
        page,
        origin,
        api: async (method, path, body) => {
          const response = await page.request.fetch(origin + path, { method, data: body });
          if (!response.ok()) throw new Error(await response.text());
          return response.json();
        },
      });
    } finally {
      await browser.close();
    }
  } finally {
    await stop();
  }
}
