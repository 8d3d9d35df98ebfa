/** The whole way in the real app: drop a folder, import, look, train with a service that dies in the midst, compare, export. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExportTaskResult } from '../../core/api/exports.ts';
import type { ProjectEntry } from '../../core/api/projects.ts';
import type { Task } from '../../core/api/tasks.ts';
import type { LiveRun } from '../../core/api/training.ts';
import { writeSample } from '../../core/services/sample-data.ts';
import { SAMPLE, TINY } from '../fixtures/training.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { type Desktop, drop, launch, skip, until } from './desktop.ts';

/** Screenshots to look at, git-ignored. */
const SHOTS = join(import.meta.dirname, '..', '..', '.cache', 'dev', 'desktop');

async function look({ page }: Desktop, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** Wait until a task is as wanted; three minutes at most. */
async function taskWith(desktop: Desktop, wanted: (task: Task) => boolean): Promise<Task> {
  for (const start = Date.now(); Date.now() - start < 180_000; await wait(100)) {
    // The service may be on its way back.
    const tasks = await desktop.api<Task[]>('GET /api/tasks').catch(() => []);
    const task = tasks.find(wanted);
    if (task) return task;
    const failed = tasks.find(({ state }) => state === 'failed');
    if (failed) throw new Error(`${failed.title}: ${failed.error?.message}`);
  }
  throw new Error(`No task ever was so: ${String(wanted)}`);
}

test(
  'drop, import, explore, train while the service is killed, compare, export, quit',
  { skip, timeout: 600_000 },
  async () => {
    const desktop = await launch();
    const { page } = desktop;
    const pictures = join(temporaryFolder(), 'shapes');
    await writeSample(pictures, SAMPLE, { emit: () => {}, signal: new AbortController().signal });

    await drop(desktop, [pictures]);
    const dialog = page.getByRole('dialog', { name: 'New project' });
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await taskWith(desktop, ({ kind, state }) => kind === 'import' && state === 'done');
    await look(desktop, 'imported');
    const [{ id: project }] = await desktop.api<ProjectEntry[]>('GET /api/projects');

    await page.getByRole('link', { name: 'Explore' }).click();
    await page.waitForURL(/\/explore/);
    const grid = page.getByRole('grid').first();
    await grid.waitFor();
    // Thumbnails come through the shell and are decoded.
    const decoded = `[...document.querySelectorAll('[role=grid] img')].filter((one) => one.naturalWidth > 0).length`;
    await until(async () => (await page.evaluate<number>(decoded)) >= 10);
    await look(desktop, 'explore');

    const request = {
      preset: 'small',
      methods: ['csa', 'control'],
      seeds: [1],
      settings: { ...TINY, epochs: 15, delta: 0, startBalanced: 0 },
    };
    await desktop.api(`POST /api/projects/${project}/runs`, request);
    const first = await taskWith(desktop, ({ kind, state }) => kind === 'train' && state === 'running');
    await page.goto(`contexture://app/p/${project}/train/live`).catch(() => {});
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    const live = `GET /api/projects/${project}/runs/${first.runId}/live`;
    const epochsDone = async (): Promise<number> => (await desktop.api<LiveRun>(live)).epochsDone;
    while ((await epochsDone()) < 3) await wait(100);
    // Curves and what the balanced branch sees are drawn while it trains.
    await page.getByText('Classes in the bank').waitFor();
    await page.locator('figure.curves canvas').first().waitFor();
    await page
      .getByRole('img', { name: /lambda/ })
      .first()
      .waitFor();
    await look(desktop, 'live');

    const trained = await epochsDone();
    const { pid } = await desktop.api<{ pid: number }>('GET /api/about');
    process.kill(pid, 'SIGKILL');
    await taskWith(desktop, ({ id, state }) => id === first.id && state === 'running');
    const after = await desktop.api<{ pid: number }>('GET /api/about');
    assert.notEqual(after.pid, pid);
    // The page has come back by itself, where it was.
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    assert.match(page.url(), /\/train\/live/);
    // The run is taken up again and passes where it was.
    await until(async () => (await epochsDone()) > trained);
    await look(desktop, 'after-kill');
    await taskWith(desktop, ({ id, state }) => id === first.id && state === 'done');
    await taskWith(desktop, ({ id, kind, state }) => id !== first.id && kind === 'train' && state === 'done');

    await page.getByRole('link', { name: 'Runs' }).click();
    await page.waitForURL(/\/runs/);
    await page.getByRole('row').nth(2).waitFor();
    await look(desktop, 'runs');
    await page.getByRole('checkbox').nth(0).check();
    await page.getByRole('checkbox').nth(1).check();
    await page.getByRole('button', { name: 'Compare 2' }).click();
    await page
      .getByRole('heading', { name: /Compar/ })
      .first()
      .waitFor();
    await page.getByText('Macro recall').first().waitFor();
    await look(desktop, 'compare');

    const { recipe } = await desktop.api<{ recipe: object }>(`GET /api/projects/${project}/exports/defaults`);
    const folder = join(temporaryFolder(), 'augmented');
    // No context has been accepted yet.
    const body = { folder, recipe: { ...recipe, arm: 'no-paste' } };
    await desktop.api(`POST /api/projects/${project}/exports`, body);
    const written = await taskWith(desktop, ({ kind, state }) => kind === 'export' && state === 'done');
    const { state, report } = written.result as unknown as ExportTaskResult;
    assert.equal(state, 'finished');
    assert.equal(report?.ok, true);
    await desktop.quit();
  },
);
