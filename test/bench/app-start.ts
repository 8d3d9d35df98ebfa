/**
 * How long the app takes to start: `startMs`, milliseconds from the start of the first process until the first screen can
 * be used (its button answers). `serve` is `contexture serve` and a tab in a Chromium that is open; `desktop` the Electron
 * app, or why it was not run. Each has the first start (`cold`: new state; the files may be in the machine's memory all the
 * same) and the median of those after it (`warm`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ensureBuilt } from '../../build/outputs.ts';
import { openBrowser, serve } from './served-page.ts';

/** A start and its moments, milliseconds since it began, by name. */
type Start = Record<string, number>;

/** @param options.starts counted after the first */
export async function startBench({ starts = 5 }): Promise<object> {
  await ensureBuilt('page');
  const served: Start[] = [];
  const browser = await openBrowser();
  try {
    for (let i = 0; i <= starts; i++) served.push(await startServed(browser));
  } finally {
    await browser.close();
  }
  return { startMs: { serve: summary(served), desktop: await desktop(starts) } };
}

/** `ready`: the service has said its address; `loaded`: the page's load event; `usable`. */
async function startServed(browser: Browser): Promise<Start> {
  const root = mkdtempSync(join(tmpdir(), 'contexture-bench-start-'));
  const began = performance.now();
  const { address, stop } = await serve(root);
  try {
    const ready = performance.now() - began;
    const tab = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await tab.newPage();
    await page.goto(address);
    const loaded = performance.now() - began;
    await page.getByRole('button', { name: 'Make the sample' }).click({ trial: true });
    const usable = performance.now() - began;
    await tab.close();
    return { ready, loaded, usable };
  } finally {
    await stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** In a process of its own: what drives Electron is part of the tests and speaks on stdout. */
async function desktop(starts: number): Promise<unknown> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'app-start-desktop.ts'), String(starts)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let said: { starts: Start[] } | { reason: string } | undefined;
  child.on('message', (message: typeof said) => {
    said = message;
  });
  const [code] = await once(child, 'exit');
  if (said === undefined) throw new Error(`the measurement of the desktop app ended with ${String(code)}`);
  return 'reason' in said ? `not run: ${said.reason}` : summary(said.starts);
}

function summary([cold, ...warm]: readonly Start[]): { cold: Start; warm: Start } {
  const median = (name: string): number => {
    const values = warm.map((start) => start[name]).toSorted((a, b) => a - b);
    return values[Math.floor(values.length / 2)];
  };
  const rounded = (of: (name: string) => number): Start =>
    Object.fromEntries(Object.keys(cold).map((name) => [name, Math.round(of(name))]));
  return { cold: rounded((name) => cold[name]), warm: rounded(median) };
}
