import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { before } from 'node:test';
import type { RelianceCases, RelianceComparison, RelianceReport } from '../../core/api/reliance.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { trainedProject } from '../fixtures/runs.ts';
import { openCopy } from './copied-project.ts';
import { testPage } from './support.ts';

/** Folder with a project of three finished runs, its pictures, and contexts of all training images. */
let trained: string;

before(async () => {
  const { project } = await trainedProject();
  await findSome(
    project,
    [...project.store.images.iterate({ split: 'train' })].map(({ id }) => id),
  );
  project.close();
  trained = dirname(project.file);
});

/** "+5.2", as the page writes points. */
function points(difference: number): string {
  const text = (100 * difference).toFixed(1);
  return Number(text) === 0 ? '0.0' : difference > 0 ? `+${text}` : text;
}

testPage('reliance is measured on a run’s page, told, and its worst cases lead to pictures and masks', async (app) => {
  const { page } = app;
  const project = await openCopy(app, trained);
  await app.goto(`/p/${project}/runs/1`);
  await page.getByRole('tab', { name: 'Context reliance' }).click();
  await page.getByRole('heading', { name: 'Does it go by the object, or by what surrounds it?' }).waitFor();
  await app.look('reliance-none');

  // Whose masks: another run, found by its name; then this run's own again, all by keyboard.
  const masks = page.getByRole('button', { name: /^Masks of/ });
  await masks.click();
  await page.getByRole('button', { name: /^#2 / }).click();
  await page.getByRole('button', { name: 'Masks of run 2' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'This run, #1' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Masks of this run' }).waitFor();
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.getByRole('heading', { name: 'BG-gap' }).waitFor();

  const report = await app.api<RelianceReport>('GET', `/api/projects/${project}/runs/1/reliance`);
  await page.getByText(points(report.bgGap.macro!.value), { exact: true }).first().waitFor();
  const noFg = report.confidence['no-fg'].macro!;
  await page.getByText(`it gives the class that stood there ${(100 * noFg.value).toFixed(1)} %`).waitFor();
  await page
    .getByRole('article', { name: /^Image / })
    .first()
    .waitFor();
  // Before it is looked at.
  await page.evaluate(`new Promise((resolve) => {
    const look = () => ([...document.images].slice(0, 10).every(({ complete }) => complete) ? resolve() : setTimeout(look, 50));
    look();
  })`);
  await app.look('reliance');

  // Accuracy instead of probability, in the table below the chart.
  await page.getByLabel('Figure', { exact: true }).click();
  await page.getByRole('option', { name: 'Share of right answers' }).click();
  const row = page.getByRole('row', { name: /^Another class’s background/ });
  await row
    .getByText((100 * report.accuracy['mixed-rand'].macro!.value).toFixed(1))
    .first()
    .waitFor();

  // Table and chart are saved.
  for (const [entry, name] of [
    ['Save as CSV', 'Context-reliance-of-run-1.csv'],
    ['Save as JSON', 'Context-reliance-of-run-1.json'],
    ['Save chart as PNG', 'Context-reliance-of-run-1.png'],
  ] as const) {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save context reliance of run 1' }).click();
    await page.getByRole('menuitem', { name: entry }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), name);
    const bytes = readFileSync(await file.path());
    if (name.endsWith('csv'))
      assert.match(
        bytes.toString(),
        /^figure,composition,of,value,low,high,images\r\nconfidence,original,macro mean,0\.\d/,
      );
    if (name.endsWith('png')) assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
  }

  // A class of the table shows its cases; another order shows others.
  const grid = page.getByRole('grid', { name: 'Context reliance of every class' });
  const worst = report.classes.toSorted((a, b) => b.bgGap!.value - a.bgGap!.value)[0];
  await grid.getByRole('row', { name: new RegExp(`^${worst.name}`) }).click();
  await page.waitForURL(new RegExp(`truth=${worst.label}`));
  await app.screenshot('reliance-classes');
  await page.getByLabel('Order of the cases').click();
  await page.getByRole('option', { name: /^Surest of the background alone/ }).click();
  await page.waitForURL(/order=background/);
  const { cases } = await app.api<RelianceCases>(
    'GET',
    `/api/projects/${project}/runs/1/reliance/cases?order=background&truth=${worst.label}&limit=10`,
  );
  const first = page.getByRole('article', { name: `Image ${cases[0].image}, ${worst.name}` });
  await first.waitFor();
  assert.equal(await page.getByRole('article', { name: /^Image / }).count(), cases.length);

  // What was lent by a training picture leads to its mask, the picture itself to Explore.
  await first.getByRole('button', { name: 'Mask, other class' }).click();
  await page.waitForURL(/\/review\?.*context=\d+/);
  await page.goBack();
  await first.getByRole('link', { name: 'See in Explore' }).click();
  await page.waitForURL(new RegExp(`/explore\\?image=${cases[0].image}$`));
});

testPage('two runs are compared; measured by one run’s masks they are paired', async (app) => {
  const { page } = app;
  const project = await openCopy(app, trained);
  await app.goto(`/p/${project}/runs/compare?runs=1,2&part=reliance`);
  await page.getByText('Context reliance of run 1 and run 2 has not been measured.').waitFor();
  await page.getByRole('button', { name: 'Measure both by the masks of run 1' }).click();
  await page.getByRole('heading', { name: 'Reliance on context, run 2 against 1' }).waitFor();
  await page.getByText(/^Both were shown the same 100 pictures: differences are paired/).waitFor();
  const query = `baseline=1&run=2`;
  const compared = await app.api<RelianceComparison>('GET', `/api/projects/${project}/comparison/reliance?${query}`);
  assert.equal(compared.unpaired, null);
  const { macro } = compared.bgGap;
  const cell = page
    .getByRole('row', { name: /^BG-gap/ })
    .getByRole('cell')
    .first();
  await cell.locator('strong', { hasText: points(macro!.value) }).waitFor();
  await cell.getByText(`${points(macro!.low)} to ${points(macro!.high)}`).waitFor();
  await app.look('reliance-compared');

  // By other masks they are not paired, and it says why.
  await app.api('POST', `/api/projects/${project}/runs/2/reliance`, {});
  await page.getByText(/^Not paired: the foregrounds were told by different models/).waitFor();
  await page.getByText('Intervals are those of two independent measurements').waitFor();
  await page.getByRole('button', { name: 'Measure both by the masks of run 1' }).waitFor();
  assert.deepEqual(await app.faults(), []);

  // A class opens its worst cases, by keyboard.
  const chart = page.getByRole('application', { name: /^BG-gap by class/ });
  await chart.focus();
  await app.screenshot('reliance-unpaired');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/2\?part=reliance&truth=\d+/);
});
