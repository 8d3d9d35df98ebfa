import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { Tail } from '../../core/api/stats.ts';
import type { Task } from '../../core/api/tasks.ts';
import { patternPixels, rgbPng, tinyPng } from '../fixtures/images.ts';
import { nearTree } from '../fixtures/near-copies.ts';
import { writeTree } from '../fixtures/sources.ts';
import { testPage, type App } from './support.ts';

const SIXTY = 'A class whose name has sixty letters, which is rather a lot';

/** A project with these files imported, shown in Explore. */
async function served(app: App, files: Record<string, Uint8Array>, address = ''): Promise<string> {
  const folder = join(app.root, 'pictures');
  writeTree(folder, files);
  const body = { file: join(app.root, 'birds.contexture'), create: true, name: 'birds' };
  const { id } = await app.api<OpenedProject>('POST', '/api/projects', body);
  let task = await app.api<Task>('POST', `/api/projects/${id}/imports`, { path: folder });
  while (task.state === 'queued' || task.state === 'running') {
    await new Promise((resolve) => setTimeout(resolve, 100));
    task = await app.api<Task>('GET', `/api/tasks/${encodeURIComponent(task.id)}`);
  }
  assert.equal(task.state, 'done', JSON.stringify(task.error));
  await app.goto(`/p/${id}/explore${address}`);
  return id;
}

/** Three classes with 30, 8 and 3 training pictures, and a test picture that leaks. */
function birds(): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 30; i++) files[`train/owl/${i}.png`] = rgbPng(patternPixels(90, 60, i));
  for (let i = 0; i < 8; i++) files[`train/${SIXTY}/${i}.png`] = rgbPng(patternPixels(60, 90, 50 + i));
  for (let i = 0; i < 3; i++) files[`train/ant/${i}.png`] = tinyPng(80 + i, 40);
  files['test/owl/leak.png'] = rgbPng(patternPixels(90, 60, 0));
  return files;
}

const status = (app: App, text: string) => app.page.getByRole('status').getByText(text, { exact: true });
const cell = (app: App, name: string | RegExp) => app.page.getByRole('gridcell', { name });

testPage('balance, filters, views: by pointer, in the address, and after a reload', async (app) => {
  const { page } = app;
  const id = await served(app, birds());
  await status(app, '42 images').waitFor();
  await page.getByText('41 training images in 3 classes').waitFor();
  await cell(app, /^leak\.png, owl, test/)
    .locator('img')
    .waitFor();
  await app.look('explore');

  const chart = page.getByRole('listbox', { name: /^Classes by number of training images/ });
  await chart.focus();
  await page.keyboard.press('End');
  await page.getByRole('option', { name: /ant/ }).waitFor();
  await page.keyboard.press('Enter');
  await status(app, '3 images').waitFor();
  assert.match(page.url(), /class=\d+/);
  await page.reload();
  await status(app, '3 images').waitFor();
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByLabel('Name of this view').fill('Ants only');
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await status(app, '42 images').waitFor();
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('button', { name: 'Ants only', exact: true }).click();
  await status(app, '3 images').waitFor();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();

  await page.keyboard.press('/');
  await page.keyboard.type('leak');
  await status(app, '1 image').waitFor();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await page.getByRole('button', { name: 'Split', exact: true }).click();
  await page.getByRole('checkbox', { name: 'test' }).check();
  await status(app, '1 image').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();

  const few = page.getByRole('slider', { name: 'Classes with fewer images are few' });
  await few.focus();
  await page.keyboard.press('Home');
  await few.press('ArrowUp');
  await page.waitForFunction(`fetch('/api/projects/${id}/tail').then(r => r.json()).then(t => t.thresholds.few === 2)`);
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  const table = page.getByRole('grid', { name: 'Classes' });
  await table.getByRole('row', { name: /^owl/ }).waitFor();
  await app.look('explore-table');
  await table.getByText('ant', { exact: true }).click();
  await status(app, '3 images').waitFor();
});

testPage('exclude, relabel, merge and undo, by keyboard', async (app) => {
  const { page } = app;
  const id = await served(app, birds(), '?class=1');
  const tail = () => app.api<Tail>('GET', `/api/projects/${id}/tail`);
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await status(app, '42 images').waitFor();
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.getByText('2 chosen').waitFor();
  await page.keyboard.press('x');
  await status(app, '40 images').waitFor();
  await page.getByText('Excluded 2 images.').waitFor();
  assert.equal((await tail()).images.excluded, 2);
  await page.keyboard.press('Control+z');
  await status(app, '42 images').waitFor();
  await page.keyboard.press('Control+Shift+z');
  await page.getByText('Made again: Excluded 2 images.').waitFor();
  await status(app, '40 images').waitFor();
  await page.getByRole('button', { name: 'Undo: Excluded 2 images.' }).click();
  await status(app, '42 images').waitFor();

  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('r');
  const relabel = page.getByRole('dialog', { name: 'Relabel 1 image' });
  await relabel.getByLabel('Class', { exact: true }).fill('eagle');
  await relabel.getByText('There is no class “eagle” yet: it will be made.').waitFor();
  await app.screenshot('explore-relabel');
  assert.deepEqual(await app.faults(), []);
  await page.keyboard.press('Enter');
  await relabel.waitFor({ state: 'detached' });
  await page.getByText('Moved 1 image to class eagle.').waitFor();
  await cell(app, /^leak\.png, eagle, test/).waitFor();

  await page.getByRole('button', { name: 'Class', exact: true }).click();
  for (const name of ['ant', 'eagle']) await page.getByRole('checkbox', { name, exact: true }).check();
  await page.keyboard.press('Escape');
  await status(app, '4 images').waitFor();
  await page.getByRole('button', { name: 'Merge…' }).click();
  const merge = page.getByRole('dialog', { name: 'Merge 2 classes' });
  await merge.getByLabel('Count as').fill('owl');
  await page.keyboard.press('ArrowDown');
  await app.screenshot('explore-merge');
  await merge.getByRole('button', { name: 'Merge', exact: true }).click();
  await merge.waitFor({ state: 'detached' });
  assert.deepEqual(
    (await tail()).classes.map(({ name, train, merged }) => [name, train, merged]),
    [
      [SIXTY, 8, []],
      ['owl', 33, ['ant', 'eagle']],
    ],
  );
  for (const text of [/^Taken back: Merged/, /^Taken back: Moved/]) {
    await page.keyboard.press('Control+z');
    await page.getByText(text).waitFor();
  }
  assert.deepEqual((await tail()).classes.filter(({ train }) => train > 0).length, 3);
  await page.getByRole('button', { name: 'History of changes' }).click();
  await page.getByRole('heading', { name: 'Changes' }).waitFor();
  assert.equal(await page.getByRole('listitem').filter({ hasText: 'taken back' }).count(), 3);
  assert.deepEqual(await app.faults(), []);
});

testPage('a picture is looked at closely; one that changed or vanished says so', async (app) => {
  const { page } = app;
  app.allow(/Failed to load resource.*40[49]/);
  await served(app, birds());
  await status(app, '42 images').waitFor();
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('Enter');
  const view = page.getByRole('dialog', { name: 'test/owl/leak.png' });
  await view.locator('img').first().waitFor();
  await view.getByText('1 of 42').waitFor();
  await view.getByText('90 × 60 pixels, PNG').waitFor();
  await view.getByText('The same picture elsewhere').waitFor();
  await view.getByRole('button', { name: /train\/owl\/0\.png/ }).waitFor();
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [width, height] of [
      [1280, 800],
      [1920, 1080],
      [900, 600],
    ]) {
      await page.setViewportSize({ width, height });
      await app.drawn();
      await app.screenshot(`picture-${width}x${height}-${scheme}`);
    }
    assert.deepEqual(await app.faults(), []);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await app.screenshot('picture-enlarged');
  await page.keyboard.press('0');
  await page.keyboard.press('ArrowRight');
  await page.getByText('2 of 42').waitFor();
  await page.keyboard.press('x');
  await page.getByText('Excluded 1 image.').waitFor();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await status(app, '42 images').waitFor();

  appendFileSync(join(app.root, 'pictures/train/owl/7.png'), 'x');
  rmSync(join(app.root, 'pictures/train/owl/8.png'));
  await page.goto(`${page.url().split('?')[0]}?text=owl/7.`);
  await status(app, '1 image').waitFor();
  await page.getByRole('button', { name: 'Large view' }).click();
  await page.getByText('train/owl/7.png is not the file that was imported. Scan its source again.').waitFor();
  await app.screenshot('picture-changed');
  await page.keyboard.press('Escape');
  await page.goto(`${page.url().split('?')[0]}?text=owl/8.`);
  await status(app, '1 image').waitFor();
  await page.getByRole('button', { name: 'Large view' }).click();
  await page.getByText(/train\/owl\/8\.png of .* cannot be read: it is gone/).waitFor();
});

testPage('duplicates: one is kept, in the test', async (app) => {
  const { page } = app;
  const id = await served(app, { ...birds(), 'train/ant/again.png': tinyPng(80, 40) });
  await page.getByRole('link', { name: 'Duplicates (2)' }).click();
  await page.getByRole('heading', { name: 'Duplicates and leaks' }).waitFor();
  const leak = page.getByRole('article', { name: '2 times leak.png' });
  await leak.getByText('leak between splits').waitFor();
  await app.look('duplicates');
  await page.getByRole('button', { name: 'Leaks (1)' }).click();
  await page.getByText('figures look better than they are').waitFor();
  await leak.getByRole('button', { name: 'Keep one' }).click();
  await page.getByText('None of this kind').waitFor();
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await page.getByRole('button', { name: 'Keep one of each…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Keep one of each' }).click();
  await page.getByText('No duplicates', { exact: true }).waitFor();
  const { splits, duplicates } = await app.api<Tail>('GET', `/api/projects/${id}/tail`);
  assert.deepEqual([splits.test, duplicates.surplus], [1, 0], 'the picture of the test stays');
});

testPage('near-duplicates are looked for, told apart by a threshold, and one is kept, by keyboard', async (app) => {
  const { page } = app;
  const id = await served(app, await nearTree(), '/duplicates');
  await page.getByText('Files with the same bytes.').waitFor();
  await page.getByRole('link', { name: 'Nearly the same' }).click();
  await page.getByRole('heading', { name: 'Near-duplicates and leaks' }).waitFor();
  await page.getByText('Is the same picture in train and test?').waitFor();
  await app.look('near-duplicates-empty');
  await page.getByLabel('What pictures are compared by').getByText('By pixels').waitFor();
  await page.getByRole('button', { name: 'Find near-duplicates' }).focus();
  await page.keyboard.press('Enter');
  const leak = page.getByRole('article', { name: /^2 times (0\.png|0 cropped\.jpg)$/ });
  await leak.getByText('leak between splits').waitFor({ timeout: 60_000 });
  await page.getByRole('status').getByText('25 pictures compared').waitFor();
  await page.getByRole('article', { name: /^3 times 2/ }).waitFor();
  await app.look('near-duplicates');

  const slider = page.getByRole('slider', { name: 'Least likeness of near-duplicates' });
  await slider.focus();
  await page.keyboard.press('End');
  await page.getByText('No near-duplicates', { exact: true }).waitFor();
  await slider.focus();
  for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowLeft');
  await leak.waitFor();
  await page.reload();
  await leak.waitFor();
  await page.getByRole('button', { name: 'Leaks (1)' }).click();
  await page.getByText('was almost seen in training').waitFor();
  await leak.getByRole('button', { name: 'Keep one' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('None of this kind').waitFor();
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await page.getByRole('button', { name: 'Keep one of each…' }).click();
  await page.getByRole('alertdialog').getByText('Of 2 groups of nearly the same images').waitFor();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Keep one of each' }).click();
  await page.getByText('No near-duplicates', { exact: true }).waitFor();
  const { splits, near } = await app.api<Tail>('GET', `/api/projects/${id}/tail`);
  assert.deepEqual([splits.test, near?.surplus], [2, 0], 'the picture of the test stays');
});

testPage('no image, and no image that fits, say what to do next', async (app) => {
  const { page } = app;
  const body = { file: join(app.root, 'none.contexture'), create: true, name: 'none' };
  const { id } = await app.api<OpenedProject>('POST', '/api/projects', body);
  await app.goto(`/p/${id}/explore`);
  await page.getByText('No images yet').waitFor();
  await app.look('explore-empty');
  await page.getByRole('link', { name: 'Import images' }).click();
  await page.getByText('Choose where your pictures are').waitFor();
});

testPage('a thousand classes and long names: the chart, the filter and the table keep up', async (app) => {
  const { page } = app;
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 1000; i++) files[`${i % 50 === 0 ? `${SIXTY} ` : 'class '}${i}/1.png`] = tinyPng(i, 12);
  for (let i = 0; i < 400; i++) files[`class ${1 + (i % 20)}/more ${i}.png`] = tinyPng(1000 + i, 12);
  await served(app, files);
  await status(app, '1,400 images').waitFor();
  await app.look('explore-1000');
  await page.getByRole('button', { name: 'Class', exact: true }).click();
  await page.getByText('900 more: type a part of the name.').waitFor();
  await app.screenshot('explore-1000-filter');
  await page.getByRole('searchbox', { name: 'Find a class' }).fill('class 777');
  await page.getByRole('checkbox', { name: 'class 777' }).check();
  await status(app, '1 image').waitFor();
});
