/** Runs in the real app: one is run again, tables and charts are saved as files, files are shown in their folder. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunHistory } from '../../core/api/runs.ts';
import type { Task } from '../../core/api/tasks.ts';
import { trainedProject } from '../fixtures/runs.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { type Desktop, drop, launch, skip, until } from './desktop.ts';

/** Let the shell save what is downloaded into a folder, where a person would be asked for a place. */
async function saveInto({ app }: Desktop, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await app.evaluate(({ session }, to) => {
    session.defaultSession.on('will-download', (_event, item) => item.setSavePath(`${to}/${item.getFilename()}`));
  }, folder);
}

/** What was saved under that name, once it is whole. */
async function saved(folder: string, name: string): Promise<Buffer> {
  return until(async () => {
    const before = readFileSync(join(folder, name));
    await wait(200);
    return before.length > 0 && readFileSync(join(folder, name)).equals(before) && before;
  });
}

/** Paths that the shell was asked to show from now on, instead of showing them. */
async function watchReveals({ app }: Desktop): Promise<() => Promise<string[]>> {
  await app.evaluate(({ shell }) => {
    const global = globalThis as { revealed?: string[] };
    global.revealed = [];
    shell.showItemInFolder = (path) => void global.revealed!.push(path);
  });
  return () => app.evaluate(() => (globalThis as { revealed?: string[] }).revealed ?? []);
}

test(
  'a dropped project opens; a run is run again, saved as table and chart, and its project shown in its folder',
  { skip, timeout: 400_000 },
  async () => {
    const { project } = await trainedProject();
    project.close();
    const desktop = await launch();
    const { page } = desktop;
    const folder = join(temporaryFolder(), 'saved');
    await saveInto(desktop, folder);
    const revealed = await watchReveals(desktop);

    await drop(desktop, [project.file]);
    const [{ id }] = await until(async () => {
      const projects = await desktop.api<{ id: string; open: boolean }[]>('GET /api/projects');
      return projects.some(({ open }) => open) && projects;
    });

    await page.getByRole('link', { name: 'Runs' }).click();
    await page.getByRole('button', { name: 'More for run 2' }).click();
    await page.getByRole('menuitem', { name: 'Run again', exact: true }).click();
    await page.getByText('Run 2 is queued again with the same settings.').waitFor();
    const history = (): Promise<RunHistory> => desktop.api(`GET /api/projects/${id}/runs`);
    await until(async () => {
      const failed = (await desktop.api<Task[]>('GET /api/tasks')).find(({ state }) => state === 'failed');
      assert.equal(failed?.error, undefined);
      return (await history()).runs.some((run) => run.id === 4 && run.state === 'finished');
    });
    const { runs } = await history();
    const figuresOf = (run: number) => runs.find((row) => row.id === run)?.figures;
    assert.deepEqual(figuresOf(4), figuresOf(2), 'the same run again');
    await page
      .getByRole('row', { name: /#4.*finished/ })
      .first()
      .waitFor();

    const save = async (menu: string | RegExp, item: string): Promise<void> => {
      await page.getByRole('button', { name: menu }).first().click();
      await page.getByRole('menuitem', { name: item }).click();
    };
    await save('Save runs', 'Save as CSV');
    const [heading, ...lines] = (await saved(folder, 'Runs.csv')).toString().trim().split(/\r?\n/);
    assert.match(heading, /^run,name,method,state,seed/);
    assert.deepEqual(
      lines.map((line) => line.split(',')[0]),
      ['4', '3', '2', '1'],
    );
    await save('Save runs', 'Save as JSON');
    const rows: { run: number }[] = JSON.parse((await saved(folder, 'Runs.json')).toString());
    assert.deepEqual(
      rows.map(({ run }) => run),
      [4, 3, 2, 1],
    );

    await page.getByRole('checkbox', { name: /^Choose run 1,/ }).check();
    await page.getByRole('checkbox', { name: /^Choose run 2,/ }).check();
    await page.getByRole('button', { name: 'Compare 2' }).click();
    await page.getByRole('tab', { name: 'Classes' }).click();
    await page.getByRole('application', { name: /^Recall by class/ }).waitFor();
    await save(/^Save recall by class/, 'Save chart as PNG');
    const picture = await saved(folder, 'Recall-by-class-run-2-against-1.png');
    assert.deepEqual([...picture.subarray(1, 4)], [...Buffer.from('PNG')]);
    assert.ok(picture.readUInt32BE(16) > 300 && picture.readUInt32BE(20) > 100, 'a chart, not a dot');

    await page.getByRole('link', { name: 'Library' }).click();
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Show in its folder' }).click();
    await until(async () => (await revealed()).length === 1);
    // What is not there is not shown, and what is no path is refused.
    await page.evaluate(`window.contexture.reveal('/nowhere/at/all')`);
    await assert.rejects(page.evaluate(`window.contexture.reveal({ path: '/' })`));
    assert.deepEqual(await revealed(), [project.file]);
    await desktop.quit();
    assert.deepEqual(desktop.errors, []);
  },
);
