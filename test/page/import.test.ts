import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContextCounts } from '../../core/api/contexts.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { Tail } from '../../core/api/stats.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { importSource } from '../../core/services/import.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { tinyPng } from '../fixtures/images.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { writeTree } from '../fixtures/sources.ts';
import { zipFile } from '../fixtures/zip-file.ts';
import { testPage, type App } from './support.ts';

const SIXTY = 'A class whose name has sixty letters, which is rather a lot';

/** A folder with a few odd things in it. */
function oddFolder(root: string): void {
  for (let i = 0; i < 24; i++) writeTree(root, { [`cat/${i}.png`]: tinyPng(i, 32) });
  for (let i = 0; i < 6; i++) writeTree(root, { [`${SIXTY}/${i}.png`]: tinyPng(100 + i, 32) });
  for (let i = 0; i < 60; i++) writeTree(root, { [`cat/broken ${i}.jpg`]: 'no picture' });
  writeTree(root, { 'loose.png': tinyPng(200), 'Cat/1.png': tinyPng(201), 'empty/': '', 'cat/notes.txt': 'x' });
}

async function newProject(app: App, name = 'odd'): Promise<string> {
  const body = { file: join(app.root, `${name}.contexture`), create: true, name };
  const { id } = await app.api<OpenedProject>('POST', '/api/projects', body);
  await app.goto(`/p/${id}/import`);
  return id;
}

/** Choose a folder or file through the list of folders. */
async function choose(app: App, button: string, ...names: string[]): Promise<void> {
  const { page } = app;
  await page.getByRole('button', { name: button }).click();
  const dialog = page.getByRole('dialog', { name: 'Import images from' });
  for (const name of names) await dialog.getByRole('button', { name, exact: true }).click();
  await page.waitForTimeout(200);
  await dialog.getByRole('button', { name: 'Choose', exact: true }).click();
}

testPage('a folder is understood, imported, its problems explained, split and made long-tailed', async (app) => {
  const { page } = app;
  // A ratio that cannot be is refused by the service while it is being typed.
  app.allow(/Failed to load resource.*400/);
  oddFolder(join(app.root, 'odd'));
  const id = await newProject(app);
  await page.getByText('Choose where your pictures are').waitFor();
  await app.look('import-first');

  await choose(app, 'Choose a folder…', 'odd');
  const card = page.getByRole('article', { name: join(app.root, 'odd') });
  await card.getByText('Class folders: 3 classes with 91 files.').waitFor();
  await card.getByText('1 file would belong to no class').waitFor();
  await app.look('import-candidate');
  await card.getByRole('button', { name: 'Import', exact: true }).click();
  const work = page.getByRole('article', { name: 'Import odd' });
  await work.getByText(/31 images in 3 classes: 31 images new/).waitFor();

  await page.getByRole('heading', { name: /Problems: \d+ findings of 6 kinds/ }).waitFor();
  await page.getByRole('button', { name: /Damaged pictures/ }).click();
  await page.getByText('The file is cut off or broken').waitFor();
  const list = page.getByRole('group', { name: 'Damaged pictures' });
  await list.getByText('cat/broken 0.jpg').waitFor();
  await page.getByRole('searchbox', { name: 'Find among Damaged pictures' }).fill('broken 59');
  await list.getByText('cat/broken 59.jpg').waitFor();
  await list.getByText('cat/broken 0.jpg').waitFor({ state: 'detached' });
  await app.look('import-problems');
  await page.getByRole('button', { name: /differ by case/ }).click();
  const twin = page.getByRole('group', { name: 'Classes that differ by case only' }).getByRole('link', { name: 'Cat' });
  assert.match((await twin.getAttribute('href')) ?? '', /explore\?class=\d+/);

  await page.getByRole('button', { name: 'Assign a split…' }).click();
  const split = page.getByRole('dialog', { name: 'Assign a split' });
  await split.getByText(/^train \d+ images, val \d+ images?, test \d+ images?\.$/).waitFor();
  await split.getByLabel('For the test').fill('50');
  await split.getByText(/test 15 images|test 14 images|test 16 images/).waitFor();
  await app.screenshot('import-split');
  assert.deepEqual(await app.faults(), []);
  await split.getByRole('button', { name: 'Assign the split' }).click();
  await split.waitFor({ state: 'detached' });
  const { splits } = await app.api<Tail>('GET', `/api/projects/${id}/tail`);
  assert.ok(splits.test >= 14 && splits.unassigned === 0, JSON.stringify(splits));

  await page.getByRole('button', { name: 'Make it long-tailed…' }).click();
  const tail = page.getByRole('dialog', { name: 'Make it long-tailed' });
  await tail.getByText(/images? would be excluded/).waitFor();
  await tail.getByLabel('Ratio').fill('500');
  await tail.getByText(/leaves nothing of the last class/).waitFor();
  await tail.getByLabel('Ratio').fill('2');
  await tail.getByLabel('Limit the largest class').check();
  await tail.getByLabel('Images of the largest class').fill('6');
  await tail.getByText(/[1-9]\d* images would be excluded/).waitFor();
  await tail.getByRole('button', { name: 'Make it long-tailed' }).click();
  await tail.waitFor({ state: 'detached' });
  const changes = page.getByRole('region', { name: 'Changes' });
  await changes.getByText(/^Made long-tailed/).waitFor();
  await app.look('import-done');
  await page.keyboard.press('Control+z');
  await page.getByText(/^Taken back: Made long-tailed/).waitFor();
  await changes.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(/^Taken back: Assigned/).waitFor();
  // Oldest first: the split, before what was made of it.
  await changes.getByRole('button', { name: 'Redo' }).click();
  await page.getByText(/^Made again: Assigned/).waitFor();
  await app.screenshot('import-redo');
  await page.keyboard.press('Control+z');
  await changes.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
  const after = await app.api<Tail>('GET', `/api/projects/${id}/tail`);
  assert.deepEqual(after.splits, { train: 31, val: 0, test: 0, unassigned: 31 });
});

testPage('several at once: a zip with splits read in either way, a list, something that is no source', async (app) => {
  const { page } = app;
  const names = ['train/owl/1.png', 'train/ant/2.png', 'test/owl/3.png'];
  writeFileSync(join(app.root, 'set.zip'), zipFile(names.map((name, i) => ({ name, data: tinyPng(i) }))));
  writeTree(app.root, { '1.png': tinyPng(9), 'labels.csv': '1.png,owl\n2.png,owl,maybe\n', 'broken.zip': 'no zip' });
  app.allow(/Failed to load resource.*422/);
  await newProject(app, 'several');
  for (const file of ['set.zip', 'labels.csv', 'broken.zip']) await choose(app, 'Choose a zip or CSV…', file);
  const zip = page.getByRole('article', { name: 'set.zip' });
  await zip.getByText('Splits, then classes: 2 classes with 3 files.').waitFor();
  await zip.getByText('train: 2 files').waitFor();
  await zip.getByLabel('How the folders are read').click();
  await page.getByRole('option', { name: /Every folder is a class/ }).click();
  await zip.getByText('Class folders: 3 classes with 3 files.').waitFor();
  await zip.getByText('train/owl').waitFor();
  await page.getByRole('article', { name: 'labels.csv' }).getByText('"maybe" is no split').waitFor();
  const broken = page.getByRole('article', { name: 'broken.zip' });
  assert.match(await broken.getByRole('alert').innerText(), /is not a zip file or is damaged/);
  assert.ok(await broken.getByRole('button', { name: 'Import', exact: true }).isDisabled());
  await app.look('import-several');
  await page.getByRole('button', { name: 'Import all 3' }).click();
  await page
    .getByRole('article', { name: 'Import set.zip' })
    .getByText(/3 images in 3 classes/)
    .waitFor();
  await page
    .getByRole('article', { name: 'Import labels.csv' })
    .getByText(/1 image in 1 class/)
    .waitFor();
  await broken.getByRole('button', { name: /^Do not import/ }).click();
  await broken.waitFor({ state: 'detached' });
});

testPage('an import is paused, goes on and is cancelled; the page follows live and survives a reload', async (app) => {
  const { page } = app;
  const folder = join(app.root, 'many');
  mkdirSync(folder);
  for (let i = 0; i < 6000; i++) writeTree(folder, { [`c${i % 40}/${i}.png`]: tinyPng(i, 40) });
  const id = await newProject(app, 'many');
  await choose(app, 'Choose a folder…', 'many');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const work = page.getByRole('article', { name: 'Import many' });
  await work.getByRole('button', { name: 'Pause' }).click();
  await work.getByRole('button', { name: 'Go on' }).waitFor();
  await page.reload();
  await app.screenshot('import-paused');
  await work.getByRole('button', { name: 'Go on' }).click();
  await work.getByText(/6,000 images in 40 classes/).waitFor();
  const { images } = await app.api<Tail>('GET', `/api/projects/${id}/tail`);
  assert.equal(images.usable, 6000);

  rmSync(join(folder, 'c0'), { recursive: true });
  await page.getByRole('button', { name: 'Scan all again' }).click();
  const scan = page.getByRole('article', { name: 'Scan many again' });
  await scan.getByText(/150 images gone/).waitFor();
});

testPage('a source that has moved is marked, and relinked', async (app) => {
  const { page } = app;
  oddFolder(join(app.root, 'before'));
  await newProject(app, 'moved');
  await choose(app, 'Choose a folder…', 'before');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page
    .getByRole('article', { name: 'Import before' })
    .getByText(/31 images in 3 classes/)
    .waitFor();
  renameSync(join(app.root, 'before'), join(app.root, 'now'));
  await page.reload();
  const sources = page.getByRole('region', { name: 'Sources' });
  await sources.getByText('not there').waitFor();
  await app.look('import-lost');
  await sources.getByRole('button', { name: 'Relink…' }).click();
  const dialog = page.getByRole('dialog', { name: /^Where is .* now\?$/ });
  await dialog.getByRole('button', { name: 'now', exact: true }).click();
  await page.waitForTimeout(200);
  await dialog.getByRole('button', { name: 'Choose', exact: true }).click();
  await sources.getByText(join(app.root, 'now')).waitFor();
  await sources.getByText('not there').waitFor({ state: 'detached' });
});

testPage('a source is removed after a question that says what goes, and comes back in three ways', async (app) => {
  const { page } = app;
  oddFolder(join(app.root, 'right'));
  for (let i = 0; i < 5; i++) writeTree(app.root, { [`wrong/car/${i}.png`]: tinyPng(300 + i, 32) });
  const file = join(app.root, 'two.contexture');
  const made = openProject(sqliteStorage, file, { create: true, program: 'test' });
  await importSource(made, { path: join(app.root, 'right') }, runInProcess);
  const { sourceId } = await importSource(made, { path: join(app.root, 'wrong') }, runInProcess);
  const found = await findSome(
    made,
    Array.from(made.store.images.iterate({ sourceId }), ({ id }) => id),
  );
  decideContexts(made, found.slice(0, 2), 'accepted', { author: 'anna', at: new Date().toISOString() });
  made.close();
  const { id } = await app.api<OpenedProject>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/import`);

  const sources = page.getByRole('region', { name: 'Sources', exact: true });
  const removed = page.getByRole('region', { name: 'Removed sources' });
  const usable = async (): Promise<number> => (await app.api<Tail>('GET', `/api/projects/${id}/tail`)).images.usable;
  const remove = async (): Promise<void> => {
    await sources.getByRole('button', { name: /^More for .*wrong$/ }).click();
    await page.getByRole('menuitem', { name: 'Remove from the project…' }).click();
    const dialog = page.getByRole('alertdialog', { name: /^Remove .*wrong\?$/ });
    await dialog.getByText(/^5 images and 5 contexts \(2 in the bank\) go out of use;/).waitFor();
    await dialog.getByText(/files on the disk are not touched.*Importing the folder again/s).waitFor();
    await app.screenshot('import-remove');
    assert.deepEqual(await app.faults(), []);
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  const isOut = async (): Promise<void> => {
    await removed.getByText(/5 images, out of use/).waitFor();
    assert.equal(await sources.getByText(/wrong$/).count(), 0);
    assert.equal(await usable(), 31);
  };

  await remove();
  // At once: the message stays for a few seconds only.
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.getByText(/wrong is back: 5 images and 5 contexts \(2 in the bank\) in use again\.$/).waitFor();
  await removed.waitFor({ state: 'detached' });
  assert.equal(await usable(), 36);

  await remove();
  await isOut();
  await app.look('import-removed');
  await removed.getByRole('button', { name: 'Bring back' }).click();
  await sources.getByText(/wrong$/).waitFor();
  assert.equal(await usable(), 36);

  await remove();
  await isOut();
  await choose(app, 'Choose a folder…', 'wrong');
  const card = page.getByRole('article', { name: join(app.root, 'wrong') });
  await card.getByText('removed before: it comes back with all that was done').waitFor();
  await app.screenshot('import-removed-again');
  await card.getByRole('button', { name: 'Import', exact: true }).click();
  await removed.waitFor({ state: 'detached' });
  await sources.getByText(/wrong$/).waitFor();
  const counts = await app.api<ContextCounts>('GET', `/api/projects/${id}/contexts/counts`);
  assert.deepEqual([await usable(), counts.accepted, counts.bank], [36, 2, 2]);
});
