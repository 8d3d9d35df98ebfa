import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { testPage, type App } from './support.ts';

const LONG = 'a class whose name is sixty letters long, to see what it does';

/** A project, with accepted contexts of cats unless told otherwise; opened at its page of exports. */
async function open(app: App, { context = true, extra = 0 } = {}): Promise<string> {
  const root = join(app.root, 'pictures');
  const pictures = [
    ...classOf('train/cat', 8, { width: 120, height: 90, context }, 1),
    ...classOf('train/owl', 3, { width: 60, height: 90 }, 100),
    ...classOf(`train/${LONG}`, 2, { width: 100, height: 100 }, 200),
    ...classOf('test/cat', 2, { width: 40, height: 40 }, 300),
    ...Array.from({ length: extra }, (_, i) =>
      classOf(`train/class ${i}`, 1, { width: 16, height: 16 }, 1000 + i),
    ).flat(),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const file = join(app.root, 'birds.contexture');
  (await makeProject(file, root, pictures)).close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/export`);
  return id;
}

const sum = (app: App) => app.page.locator('[aria-live=polite]').filter({ hasText: 'of them new' });

testPage('a recipe is changed and its preview follows: counts, sample pictures, warnings', async (app) => {
  await open(app);
  const { page } = app;
  await sum(app).getByText('24 pictures').waitFor();
  await page
    .getByRole('img', { name: /with a context/ })
    .first()
    .waitFor();
  await app.look('export');
  await page.getByLabel('Number').first().fill('300');
  await sum(app).getByText('900 pictures').waitFor();
  await page.getByText(/contexts are laid over/).waitFor();
  await page.getByLabel('Number').first().fill('0');
  await page.getByText('This must be between 1 and 1000000.').waitFor();
  await page.getByLabel('Number').first().fill('10');
  await page.getByRole('checkbox', { name: /Copy the test split/ }).check();
  await sum(app).getByText('32 pictures').waitFor();
  const first = await page
    .getByRole('img', { name: /with a context/ })
    .first()
    .getAttribute('src');
  await page.getByRole('button', { name: 'Others' }).click();
  const shown = page.getByRole('img', { name: /with a context/ }).first();
  while ((await shown.getAttribute('src')) === first) await page.waitForTimeout(50);
  await page.getByRole('row', { name: /^owl/ }).click();
  await page.getByLabel('Amount of owl').click();
  await page.getByRole('option', { name: /Add to each class/ }).click();
  await page.getByLabel('Number').last().fill('1');
  await sum(app).getByText('26 pictures').waitFor();
  await app.screenshot('export-own-amount');
  // What was made here is there again after a look elsewhere.
  await page.getByRole('link', { name: 'Contexts' }).click();
  await page.getByRole('heading', { name: 'Contexts', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Export' }).click();
  await sum(app).getByText('26 pictures').waitFor();
});

testPage('without accepted contexts the page says so, and a control can be exported all the same', async (app) => {
  await open(app, { context: false });
  const { page } = app;
  await page
    .getByRole('alert')
    .getByText(/not enough accepted contexts/)
    .waitFor();
  assert.ok(await page.getByRole('button', { name: 'Export', exact: true }).isDisabled());
  await app.screenshot('export-no-contexts');
  await page.getByLabel('From', { exact: true }).click();
  await page.getByRole('option', { name: /Plain copies/ }).click();
  await sum(app).getByText('24 pictures').waitFor();
  await page
    .getByRole('img', { name: /plain copy/ })
    .first()
    .waitFor();
  assert.ok(await page.getByRole('button', { name: 'Export', exact: true }).isEnabled());
});

testPage('an export is planned, written, listed, verified, and damage is named', async (app) => {
  await open(app);
  const { page } = app;
  await sum(app).waitFor();
  const folder = join(app.root, 'birds augmented');
  assert.equal(await page.getByLabel('Folder', { exact: true }).inputValue(), folder);
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByText(/The last dry run: 24 pictures, about/).waitFor();
  assert.ok(!existsSync(folder));
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  // The page goes to the history by itself.
  await page.getByRole('tab', { name: /History\s*1/, selected: true }).waitFor();
  await page
    .getByRole('article', { name: 'Export 1' })
    .getByText('24 pictures, 24 proven to come from training images')
    .waitFor();
  await page.getByRole('tab', { name: 'New export' }).click();
  while ((await page.getByLabel('Folder', { exact: true }).inputValue()) !== `${folder} 2`)
    await page.waitForTimeout(50);
  assert.equal(await page.getByRole('alert').getByText('is not empty').count(), 0);
  await page.getByRole('tab', { name: /History\s*1/ }).click();
  assert.ok(existsSync(join(folder, 'manifest.json')));
  await page.getByRole('button', { name: 'Show what it was made of' }).click();
  await page.getByText('11 with something laid over, 13 without').waitFor();
  await app.look('export-history');
  const [name] = readdirSync(join(folder, 'train', 'owl'));
  appendFileSync(join(folder, 'train', 'owl', name), 'x');
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('not verified').waitFor();
  await page.getByText(name).first().waitFor();
  await app.screenshot('export-damaged');
  await page.getByRole('button', { name: 'Use the recipe' }).click();
  await page.getByRole('tab', { name: 'New export', selected: true }).waitFor();
  assert.equal(await page.getByLabel('Folder', { exact: true }).inputValue(), `${folder} 2`);
});

testPage('an export fails in a sentence where its folder may not be', async (app) => {
  await open(app);
  const { page } = app;
  await sum(app).waitFor();
  await page.getByLabel('Folder', { exact: true }).fill(join(app.root, 'pictures', 'out'));
  await page.waitForTimeout(500);
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByText(/where images are read from\. Choose a folder outside it/).waitFor();
  app.allow(/Failed to load resource.*40[03]/);
  await page.getByRole('tab', { name: 'New export' }).click();
  await page.getByLabel('Folder', { exact: true }).fill('/etc/out');
  await page
    .getByRole('alert')
    .getByText(/lies outside the folders/)
    .first()
    .waitFor();
});

testPage('a thousand classes can be exported', async (app) => {
  await open(app, { extra: 1000 });
  const { page } = app;
  await sum(app).waitFor();
  assert.match((await page.getByRole('img', { name: /Bars of/ }).getAttribute('aria-label')) ?? '', /1,003 classes/);
  await app.look('export-thousand');
});

testPage('a project without images says what to do', async (app) => {
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', {
    file: join(app.root, 'empty.contexture'),
    create: true,
  });
  await app.goto(`/p/${id}/export`);
  await app.page.getByRole('heading', { name: 'Nothing to export' }).waitFor();
  await app.screenshot('export-empty');
});
