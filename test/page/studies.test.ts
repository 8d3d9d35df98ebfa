/** "Did my edits help?": asked where masks are edited, watched, told with intervals, gone on with, forgotten. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { before } from 'node:test';
import type { StudyReport } from '../../core/api/studies.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { morphMasks } from '../../core/services/review-masks.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { makeTrainingProject } from '../fixtures/training.ts';
import { openCopy } from './copied-project.ts';
import { testPage, type App } from './support.ts';

const ACT = { author: 'test', at: '2026-01-01T00:00:00.000Z' };
/** Runs of one epoch on a busy machine. */
const LONG = { timeout: 240_000 };

/** Folder with a project of twelve accepted contexts, four of them edited, and its pictures. */
let reviewed: string;

before(async () => {
  const { project } = await makeTrainingProject();
  const images = [...project.store.images.iterate({ split: 'train' })].slice(0, 12).map(({ id }) => id);
  const contexts = await findSome(project, images);
  decideContexts(project, contexts, 'accepted', ACT);
  await morphMasks(project, contexts.slice(0, 4), { operation: 'grow', amount: 2 }, ACT);
  project.close();
  reviewed = dirname(project.file);
});

async function saved(app: App, button: string, entry: string): Promise<Buffer> {
  const download = app.page.waitForEvent('download');
  await app.page.getByRole('button', { name: button }).click();
  await app.page.getByRole('menuitem', { name: entry }).click();
  return readFileSync(await (await download).path());
}

testPage('edits are asked about, trained with and without, told, added to and forgotten', async (app) => {
  const { page } = app;
  const id = await openCopy(app, reviewed);
  await app.goto(`/p/${id}/contexts`);
  await page.getByRole('button', { name: 'Did my 4 edits help?' }).waitFor();
  await app.look('contexts-edits');

  // From Review, by keyboard: the dialog says what is compared, what is wrong, and what it costs.
  await app.goto(`/p/${id}/review`);
  await page.getByRole('button', { name: 'Did my 4 edits help?' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Did my edits help?' });
  await dialog.getByText('4 edited of 12 masks in the bank').waitFor();
  await dialog.getByRole('button', { name: 'Start 6 runs' }).waitFor();
  await dialog.getByText('6 runs; how long they take is not known yet.').waitFor();
  await app.look('study-dialog');
  await dialog.getByLabel('Seeds').fill('x');
  await dialog.getByText('“x” is no seed').waitFor();
  assert.ok(await dialog.getByRole('button', { name: /^Start/ }).isDisabled());
  await dialog.getByLabel('Seeds').fill('1');
  await dialog.getByLabel(/^Epochs/).fill('3');
  await dialog.getByRole('button', { name: 'Measure on this machine' }).click();
  await dialog.getByText(/^About .* for all 2 runs, one after the other, .* each\.$/).waitFor(LONG);
  await app.screenshot('study-dialog-estimate');
  await dialog.getByRole('button', { name: 'Start 2 runs' }).click();

  // Its page, while it is at work and after.
  await page.waitForURL(/\/runs\/studies\/1$/);
  await page.getByText('No pair of runs has finished yet: nothing can be said.').waitFor();
  await page.getByText(/^0 of 1 pair finished, \d+ % of all work done\.$/).waitFor();
  await app.look('study-at-work');
  await page.getByText(/^From one pair of runs /).waitFor(LONG);
  await app.look('study-one-pair');

  await page.getByRole('button', { name: 'Add seeds…' }).click();
  const adding = page.getByRole('dialog', { name: 'Add seeds' });
  assert.equal(await adding.getByLabel('Seeds').inputValue(), '2');
  await adding.getByLabel('Seeds').fill('1');
  await page.keyboard.press('Enter');
  await adding.getByText('Seed 1 is in study 1 already: name seeds that are not.').waitFor();
  await adding.getByLabel('Seeds').fill('2');
  await adding.getByText(/^About .* for 2 runs/).waitFor();
  await app.screenshot('study-add-seeds');
  await page.keyboard.press('Enter');
  await adding.waitFor({ state: 'detached' });
  await page.getByText(/^Over 2 seeds /).waitFor(LONG);
  await page.getByRole('row', { name: /^Macro recall/ }).waitFor();
  await app.look('study-two-pairs');

  // What is saved is what the service says.
  const report = await app.api<StudyReport>('GET', `/api/projects/${id}/studies/1`);
  const csv = (await saved(app, 'Save differences of study 1, percentage points', 'Save as CSV')).toString();
  assert.match(csv, /^figure,without,with,difference,low,high,verdict\r\n/);
  const { a, b, value, low, high, verdict } = report.overSeeds!.macroRecall!;
  assert.ok(csv.includes(`\r\nmacroRecall,${[a, b, value, low, high, verdict].join(',')}\r\n`), csv);
  const classes = (await saved(app, 'Save recall by class, study 1', 'Save as JSON')).toString();
  assert.equal((JSON.parse(classes) as unknown[]).length, 10);
  for (const chart of ['differences of study 1, percentage points', 'recall by class, study 1']) {
    const png = await saved(app, `Save ${chart}`, 'Save chart as PNG');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
  }

  // Its runs lead back, and one without edits is not made again with the bank of now.
  await page.getByRole('link', { name: 'Compare the runs of seed 2' }).click();
  await page.getByRole('heading', { name: 'Compare runs' }).waitFor();
  await page.goBack();
  await page.getByRole('link', { name: '#1', exact: true }).click();
  await page.getByRole('link', { name: 'Study 1' }).waitFor();
  app.allow(/400/);
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByRole('menuitem', { name: 'With the same settings' }).click();
  await page.getByText('Run 1 was trained for study 1 on the bank without your edits').waitFor();

  await app.goto(`/p/${id}/runs`);
  await page.getByRole('button', { name: 'Did my 4 edits help?' }).waitFor();
  await app.look('runs-with-studies');
  await page.getByRole('link', { name: 'Studies' }).click();
  await page.getByRole('link', { name: 'Study 1: did my edits help?' }).waitFor();
  await page.getByText('2 of 2 pairs finished').waitFor();
  await app.look('studies');
  await page.getByRole('link', { name: 'Study 1: did my edits help?' }).click();
  await page.getByRole('button', { name: 'Forget…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('heading', { name: 'No studies yet' }).waitFor();
  await app.look('studies-none');
  const { runs } = await app.api<{ runs: unknown[] }>('GET', `/api/projects/${id}/runs`);
  assert.equal(runs.length, 4);
});
