import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { before } from 'node:test';
import type { AdjustmentCurve, Variant } from '../../core/api/variants.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { manyClasses } from '../fixtures/many-classes.ts';
import { addMadeRun, trainedProject } from '../fixtures/runs.ts';
import { openCopy } from './copied-project.ts';
import { testPage } from './support.ts';

/** Folder with a project of three finished runs and its pictures. */
let trained: string;

before(async () => {
  const { project } = await trainedProject();
  project.close();
  trained = dirname(project.file);
});

testPage('a run is moved between head and tail, and kept as a variant that is renamed and deleted', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  await app.goto(`/p/${id}/runs/2`);
  await page.getByRole('tab', { name: 'Head and tail' }).click();
  await page.getByRole('figure', { name: 'Figures over tau' }).waitFor();
  const slider = page.getByRole('slider', { name: 'Between head and tail' });

  // By keyboard from the run itself, two steps.
  await page.getByRole('button', { name: 'The run itself: 0' }).click();
  await page.getByText('At tau 0', { exact: true }).first().waitFor();
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.getByText('tau 0.1', { exact: true }).waitFor();
  assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /^tau 0\.1, top-1 [\d.]+ %, macro recall/);
  await page.waitForURL(/tau=0\.1/);
  await page
    .getByText(/no clear difference|better|worse/)
    .first()
    .waitFor();
  // By mouse, to the end of the tail.
  const line = (await slider.locator('..').boundingBox())!;
  const thumb = (await slider.boundingBox())!;
  await page.mouse.move(thumb.x + thumb.width / 2, thumb.y + thumb.height / 2);
  await page.mouse.down();
  await page.mouse.move(line.x + line.width, thumb.y + 4, { steps: 8 });
  await page.mouse.up();
  await page.waitForURL(/tau=3/);
  const curve = await app.api<AdjustmentCurve>('GET', `/api/projects/${id}/runs/2/adjustment`);
  const last = curve.points.at(-1)!.figures.macroRecall!;
  const row = page.getByRole('row', { name: /^Macro recall/ });
  await row
    .getByText(`${(100 * last.value).toFixed(1)} %`)
    .first()
    .waitFor();

  // The chart as a table.
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await page.getByRole('grid', { name: 'Figures over tau' }).waitFor();
  await page.getByRole('button', { name: 'Table', exact: true }).click();

  await page.getByLabel('What tau takes out').click();
  await page.getByRole('option', { name: /^Tau-normalisation/ }).click();
  await page.waitForURL(/kind=tau-norm/);
  await page.getByRole('button', { name: /^Suggested: / }).waitFor();
  await page.getByRole('img', { name: /^Reliability of all answers: calibration error/ }).waitFor();

  await page.getByRole('button', { name: 'Save as variant…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('For the tail');
  await app.screenshot('head-tail-save');
  assert.deepEqual(await app.faults(), []);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('For the tail', { exact: true }).waitFor();
  // A name that is taken is refused where it was given.
  app.allow(/409|422/);
  await page.getByRole('button', { name: 'Save as variant…' }).click();
  await dialog.getByLabel('Name').fill('For the tail');
  await page.keyboard.press('Enter');
  await dialog.getByText(/has a variant "For the tail" already/).waitFor();
  await dialog.getByLabel('Name').fill('Second');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'More for the variant Second' }).click();
  await page.getByRole('menuitem', { name: 'Rename…' }).click();
  await dialog.getByLabel('Name').fill('Third');
  await page.keyboard.press('Enter');
  await page.getByText('Third', { exact: true }).waitFor();
  await app.look('head-tail');

  await page.getByRole('button', { name: 'More for the variant Third' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Third', { exact: true }).waitFor({ state: 'detached' });
  const left = await app.api<Variant[]>('GET', `/api/projects/${id}/runs/2/variants`);
  assert.deepEqual(
    left.map(({ name, kind, runId }) => [name, kind, runId]),
    [['For the tail', 'tau-norm', 2]],
  );
});

testPage('three classes and a thousand; a run that has not finished says what is missing', async (app) => {
  const { page } = app;
  for (const classes of [3, 1000]) {
    const file = join(app.root, `${classes}.contexture`);
    const project = manyClasses(file, app.root, classes, 300);
    const snapshot = takeSnapshot(project.store);
    addMadeRun(project, snapshot, { skill: 0.7, epochs: 1 });
    addMadeRun(project, snapshot, { finished: false, epochs: 1 });
    project.close();
    const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
    await app.goto(`/p/${id}/runs/1?part=head-tail`);
    await page.getByRole('figure', { name: 'Figures over tau' }).waitFor();
    await page.getByRole('img', { name: /^Reliability of all answers/ }).waitFor();
    await app.look(`head-tail-${classes}`);
    await app.goto(`/p/${id}/runs/2?part=head-tail`);
    await page.getByRole('heading', { name: 'No answers yet' }).waitFor();
  }
});
