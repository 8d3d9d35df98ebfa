/** The built page in Chromium, with a service of its own, for measurements. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { ensureBuilt } from '../../build/outputs.ts';

const ROOT = join(import.meta.dirname, '../..');
const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage'];

export interface ServedPage {
  page: Page;
  origin: string;
  /** Ask the service as the page does. */
  api: <T>(method: string, path: string, body?: unknown) => Promise<T>;
}

/**
 * Open the page and close everything after `use`.
 * @param root folder that the service may use
 */
export async function withServedPage<T>(root: string, use: (served: ServedPage) => Promise<T>): Promise<T> {
  await ensureBuilt('page');
  const state = mkdtempSync(join(tmpdir(), 'contexture-bench-state-'));
  const service = spawn(process.execPath, ['core/cli/main.ts', 'serve', '--root', root], {
    cwd: ROOT,
    env: { ...process.env, CONTEXTURE_STATE: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    const address = await new Promise<string>((resolve, reject) => {
      service.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(said);
        if (found) resolve(found[0]);
      });
      service.once('exit', () => reject(new Error(`the service ended: ${said}`)));
    });
    const isRoot = process.getuid?.() === 0;
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: isRoot ? ['--no-sandbox', ...FLAGS] : FLAGS,
    });
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
    service.kill('SIGTERM');
  }
}
