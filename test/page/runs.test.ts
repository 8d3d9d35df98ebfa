import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before } from 'node:test';
import type { RunHistory } from '../../core/api/runs.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { manyClasses, manyRuns } from '../fixtures/many-classes.ts';
import { addMadeRun, trainedProject } from '../fixtures/runs.ts';
import { openCopy } from './copied-project.ts';
import { seen, testPage } from './support.ts';

/** Folder with a project of three finished runs and its pictures. */
let trained: string;

before(async () => {
  const { project } = await trainedProject();
  project.close();
  trained = dirname(project.file);
});

testPage('without runs the page says what to do', async (app) => {
  const { page } = app;
  const file = join(app.root, 'empty.contexture');
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file, create: true });
  await app.goto(`/p/${id}/runs`);
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
  await app.look('runs-empty');
  await app.goto(`/p/${id}/runs/try`);
  await page.getByRole('heading', { name: 'No model yet' }).waitFor();
  await app.goto(`/p/${id}/runs/compare`);
  await page.getByRole('heading', { name: 'No runs chosen' }).waitFor();
});

testPage(
  'runs are found, starred, renamed, thrown away, taken back and deleted, by mouse and keyboard',
  async (app) => {
    const { page } = app;
    const id = await openCopy(app, trained);
    await app.goto(`/p/${id}/runs`);
    const table = page.getByRole('grid', { name: 'Runs' });
    await table.getByText('#3').waitFor();
    await app.look('runs-history');

    await page.getByRole('searchbox', { name: 'Find runs' }).fill('context-shift');
    await table.getByText('#3').waitFor({ state: 'detached' });
    assert.equal(await table.getByText('#2').count(), 1);
    await page.getByRole('searchbox', { name: 'Find runs' }).fill('nothing like it');
    await page.getByRole('heading', { name: 'No run fits' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await table.getByText('#3').waitFor();

    // The keyboard: mark the first row, star it, rename it.
    await table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Take the star from run 3' }).waitFor();
    await page.keyboard.press('F2');
    await page.getByRole('dialog').getByLabel('Name').fill('A second seed');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await table.getByText('A second seed', { exact: true }).waitFor();
    await table.focus();
    await page.keyboard.press('Delete');
    await table.getByText('A second seed', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await table.getByText('A second seed', { exact: true }).waitFor();

    // The mouse: into the trash, look at it, empty it.
    await page.getByRole('button', { name: 'More for run 3' }).click();
    await page.getByRole('menuitem', { name: 'Move to the trash' }).click();
    await page.getByRole('button', { name: 'Trash (1)' }).click();
    await page.getByRole('heading', { name: 'Trash' }).waitFor();
    await page.getByText('A second seed', { exact: true }).waitFor();
    await app.look('runs-trash');
    await page.getByRole('button', { name: /^Empty the trash/ }).click();
    await page.getByText(/That frees .*; what other runs use stays\./).waitFor();
    await app.screenshot('runs-trash-question');
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('heading', { name: 'The trash is empty' }).waitFor();
    const { runs, total } = await app.api<RunHistory>('GET', `/api/projects/${id}/runs`);
    assert.deepEqual([runs.map((run) => run.id), total], [[2, 1], 2]);
  },
);

testPage('a run shows figures, classes, confusion, images with saliency, curves and its card', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  await app.goto(`/p/${id}/runs/2`);
  await page.getByRole('rowheader', { name: /Macro recall/ }).waitFor();
  await app.look('run-summary');

  await page.getByLabel('Notes on run 2').fill('Masks look right.');
  await page.getByText('Saved', { exact: true }).waitFor();
  await page.getByLabel('Add a tag').fill('paper');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Take the tag paper away' }).waitFor();
  const { notes } = await app.api<{ notes: string }>('GET', `/api/projects/${id}/runs/2`);
  assert.equal(notes, 'Masks look right.');

  await page.getByRole('tab', { name: 'Classes' }).click();
  const classes = page.getByRole('grid', { name: 'Figures of every class' });
  await classes.getByRole('row').nth(3).waitFor();
  await app.look('run-classes');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save classes of run 2' }).click();
  await page.getByRole('menuitem', { name: 'Save as CSV' }).click();
  const csv = readFileSync(await (await saved).path(), 'utf8');
  assert.match(csv, /^class,group,train_images,test_images,recall,recall_low,recall_high,precision/);
  assert.equal(csv.trim().split('\r\n').length, 11);

  await page.getByRole('tab', { name: 'Confusion' }).click();
  await page.getByRole('grid', { name: 'Pairs of classes by how often they are confused' }).waitFor();
  await app.look('run-confusion');
  const picture = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save confusion matrix of run 2' }).click();
  await page.getByRole('menuitem', { name: 'Save chart as PNG' }).click();
  const png = readFileSync(await (await picture).path());
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  // A cell by keyboard opens its images.
  await page.getByRole('application', { name: /^Confusion matrix/ }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: 'Images', selected: true }).waitFor();
  assert.match(page.url(), /truth=\d+&predicted=\d+|predicted=\d+&truth=\d+/);

  await app.goto(`/p/${id}/runs/2?part=images`);
  const grid = page.getByRole('grid', { name: 'Images with their answers' });
  await grid.getByRole('gridcell').first().waitFor();
  await page.getByRole('button', { name: 'Show saliency' }).click();
  await grid.locator('canvas').first().waitFor();
  await app.look('run-images');
  await grid.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').locator('canvas').nth(1).waitFor();
  await app.screenshot('run-image');
  assert.deepEqual(await app.faults(), []);
  const title = await page.getByRole('dialog').getByRole('heading').first().textContent();
  await page.keyboard.press('ArrowRight');
  await page.getByText('2 of').waitFor();
  assert.ok(title);
  await page.keyboard.press('Escape');
  const { length } = (await app.api<{ kind: string }[]>('GET', '/api/tasks')).filter(({ kind }) => kind === 'saliency');
  assert.equal(length, 0, 'short work leaves no rows in the list of tasks');

  await page.getByRole('tab', { name: 'Curves' }).click();
  await page.getByRole('figure', { name: 'Loss by epoch' }).waitFor();
  await page.getByText('contexture show 2 --epochs --project').waitFor();
  await app.look('run-curves');
  await page.getByRole('tab', { name: 'Reproduce' }).click();
  await page.getByText('Reproducibility card').waitFor();
  await page.getByText('contexture show 2 --config --project').waitFor();
  await app.look('run-card');
});

testPage(
  'runs are compared: figures with intervals, settings that differ, seeds, curves, classes, images',
  async (app) => {
    const { page } = app;
    const id = await openCopy(app, trained);
    await app.goto(`/p/${id}/runs`);
    for (const run of [1, 2, 3]) await page.getByRole('checkbox', { name: new RegExp(`^Choose run ${run},`) }).click();
    await page.getByRole('button', { name: 'Compare 3' }).click();
    await page.getByRole('heading', { name: 'Compare runs' }).waitFor();
    // The control among them is the baseline.
    await page.getByRole('row', { name: /^#1 .*baseline/ }).waitFor();
    await page.getByRole('rowheader', { name: 'seed', exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Over seeds' }).waitFor();
    await page.locator('td small', { hasText: 'to' }).first().waitFor();
    await app.look('compare-figures');

    // In a narrow window a table is scrolled by keyboard.
    await page.setViewportSize({ width: 640, height: 600 });
    const figures = page.getByRole('region', { name: 'Table of compared figures' });
    await figures.focus();
    await page.keyboard.press('ArrowRight');
    const scrolled = () => figures.evaluate((table: { scrollLeft: number }) => table.scrollLeft);
    await seen(scrolled, (left) => left > 0, 'the table is not scrolled');
    await app.screenshot('compare-figures-scrolled');
    await page.setViewportSize({ width: 1280, height: 800 });

    await page.getByRole('tab', { name: 'Curves' }).click();
    await page.getByRole('figure', { name: 'Macro recall by epoch' }).waitFor();
    const slider = page.getByRole('slider', { name: 'Smoothing' });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('Smoothing 0.02').waitFor();
    await app.look('compare-curves');

    await page.getByRole('tab', { name: 'Classes' }).click();
    await page.getByRole('application', { name: /^Recall by class/ }).waitFor();
    await app.look('compare-classes');
    await page.getByRole('tab', { name: 'Images' }).click();
    await page.getByRole('grid', { name: 'Images with their answers' }).or(page.getByText('No image fits')).waitFor();
    await app.look('compare-images');

    await page.getByRole('button', { name: 'as baseline' }).first().click();
    assert.match(page.url(), /baseline=2/);
    await page.getByRole('button', { name: 'Take run 3 out of the comparison' }).click();
    await page.getByRole('button', { name: 'Take run 3 out of the comparison' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add a run' }).click();
    await page.getByRole('button', { name: /^#3/ }).click();
    await page.getByRole('button', { name: 'Take run 3 out of the comparison' }).waitFor();
  },
);

testPage('a run is run again from its menu, and contexts are found with a run of choice', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  await app.goto(`/p/${id}/runs`);
  await page.getByRole('button', { name: 'More for run 2' }).click();
  await page.getByRole('menuitem', { name: 'Run again', exact: true }).click();
  await page.getByText('Run 2 is queued again with the same settings.').waitFor();
  await page
    .getByRole('grid', { name: 'Runs' })
    .getByRole('row', { name: /#4.*finished/ })
    .waitFor();
  const { runs } = await app.api<RunHistory>('GET', `/api/projects/${id}/runs`);
  const figuresOf = (run: number) => runs.find((row) => row.id === run)?.figures;
  assert.deepEqual(figuresOf(4), figuresOf(2), 'the same run again');

  await page.getByRole('link', { name: 'Contexts' }).click();
  await page.getByRole('button', { name: 'Find contexts…' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Find contexts' });
  // By mouse: a list that lay behind its dialog could not be clicked.
  await dialog.getByLabel('Run', { exact: true }).click();
  await page.getByRole('option', { name: /^2 · / }).click();
  await dialog.getByText(/contexture contexts --run 2 /).waitFor();
  await app.screenshot('contexts-find');
  assert.deepEqual(await app.faults(), []);
  await dialog.getByRole('button', { name: 'Find contexts', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('grid', { name: 'Contexts' }).getByRole('gridcell').first().waitFor();
});

testPage('pictures are tried: chosen, pasted, from the project; what is none says so', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  await app.goto(`/p/${id}/runs/try?run=2`);
  const files = page.locator('input[type=file]');
  const pictures = join(app.root, 'shapes', 'pictures', 'test');
  const [first, second] = readdirSync(pictures);
  const pictureOf = (name: string) => {
    const [file] = readdirSync(join(pictures, name));
    return { name: file, mimeType: 'image/png', buffer: readFileSync(join(pictures, name, file)) };
  };
  await files.setInputFiles([
    pictureOf(first),
    pictureOf(second),
    { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
  ]);
  app.allow(/422/);
  await page.getByText('This is not a picture that can be read').waitFor();
  const articles = page.getByRole('article');
  await articles.first().locator('ol li').nth(4).waitFor();
  await articles.first().locator('canvas').waitFor();
  await app.look('try-it');

  await page.evaluate(`(async () => {
    const image = document.querySelector('article img');
    const canvas = document.createElement('canvas');
    canvas.width = 48;
    canvas.height = 32;
    canvas.getContext('2d').drawImage(image, 0, 0, 48, 32);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    const data = new DataTransfer();
    data.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
  })()`);
  await page.getByRole('article', { name: 'pasted.png' }).locator('ol li').nth(4).waitFor();

  await page.getByRole('button', { name: 'images of this project' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('gridcell').first().click();
  await app.screenshot('try-project-images');
  await dialog.getByRole('button', { name: 'Try 1 image' }).click();
  await page
    .getByRole('article', { name: /^Image \d+/ })
    .locator('ol li')
    .nth(4)
    .waitFor();
  assert.equal(await articles.count(), 5);
  await page.getByRole('button', { name: 'Take pasted.png away' }).click();
  assert.equal(await articles.count(), 4);
});

testPage('long names of runs are read whole in a window of 1280', async (app) => {
  const { page } = app;
  const file = join(app.root, 'names.contexture');
  const project = manyClasses(file, app.root, 3, 30);
  const snapshot = takeSnapshot(project.store);
  const names = [
    'Context-shift augmentation, seed 1',
    'Pets at 224, many epochs, bank of March without grass, seed 12',
    'baseline_resnet18_cosine_lr0.05_wd0.0005_bs128_no_mixed_prec',
    'W',
  ];
  for (const name of names) addMadeRun(project, snapshot, { name });
  project.store.runs.update(1, { tags: ['paper'], notes: 'Look again.' });
  project.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/runs`);
  const table = page.getByRole('grid', { name: 'Runs' });
  for (const name of names) await table.getByRole('link', { name, exact: true }).waitFor();
  const cut = await page.evaluate<string[]>(`[...document.querySelectorAll('[role=gridcell] a')]
    .filter((link) => link.scrollHeight > link.clientHeight + 4 || link.scrollWidth > link.clientWidth)
    .map((link) => link.textContent)`);
  assert.deepEqual(cut, []);
  await app.look('runs-long-names');
});

testPage('a thousand runs and a thousand classes stay readable', async (app) => {
  const { page } = app;
  const file = join(app.root, 'many.contexture');
  const project = manyClasses(file, app.root, 1000, 60);
  manyRuns(project, 1000);
  project.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/runs`);
  const table = page.getByRole('grid', { name: 'Runs' });
  await table.getByText('#1000').waitFor();
  assert.ok((await table.getByRole('row').count()) < 60, 'rows in view only');
  await app.look('runs-thousand');
  await app.goto(`/p/${id}/runs/1?part=classes`);
  await page.getByRole('grid', { name: 'Figures of every class' }).getByRole('row').nth(3).waitFor();
  await app.look('run-classes-thousand');
  await app.goto(`/p/${id}/runs/1?part=confusion`);
  await page
    .getByRole('grid', { name: /^Pairs of classes/ })
    .getByRole('row')
    .nth(3)
    .waitFor();
  await app.look('run-confusion-thousand');
  await app.goto(`/p/${id}/runs/compare?runs=2,1&part=classes`);
  await page.getByRole('application', { name: /^Recall by class/ }).waitFor();
  await app.look('compare-classes-thousand');
});
