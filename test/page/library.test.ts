import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from './support.ts';
import { testPage } from './support.ts';

interface Project {
  id: string;
  name: string;
  file: string;
}

/** Make a project as the page would, by the service. */
function make(app: App, name: string): Promise<Project> {
  return app.api('POST', '/api/projects', { file: join(app.root, `${name}.contexture`), create: true, name });
}

testPage('the first screen says what it is for, that nothing leaves the machine, and what to do', async (app) => {
  const { page } = app;
  await page.getByRole('heading', { name: 'Train classes that have few pictures' }).waitFor();
  assert.match(await page.locator('main').innerText(), /Nothing leaves this machine/);
  for (const name of ['Make the sample', 'Choose a folder…', 'New project…', 'Open project…']) {
    assert.ok(await page.getByRole('button', { name, exact: true }).isEnabled(), name);
  }
  await app.look('library-first');
});

testPage('a project is made by keyboard alone', async (app) => {
  const { page } = app;
  await page.getByRole('button', { name: 'New project…' }).waitFor();
  await page.keyboard.press('Control+Shift+N');
  await page.getByRole('dialog', { name: 'New project' }).waitFor();
  assert.deepEqual(await app.faults(), []);
  await page.keyboard.type('Birds: rare/ones');
  await app.screenshot('library-new');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/p\/[0-9a-f-]{36}\/import$/);
  await page.getByRole('button', { name: /Project: Birds: rare\/ones/ }).waitFor();
  const { projectFolder } = await app.api<{ projectFolder: string }>('GET', '/api/about');
  assert.ok(existsSync(join(projectFolder, 'Birds- rare-ones.contexture')), 'the file has a name that systems take');
});

testPage(
  'a project that would be in the way of another is refused in the dialog, and the dialog stays',
  async (app) => {
    const { page } = app;
    app.allow(/Failed to load resource.*40[09]|Failed to load resource.*422/);
    const { projectFolder } = await app.api<{ projectFolder: string }>('GET', '/api/about');
    mkdirSync(projectFolder, { recursive: true });
    writeFileSync(join(projectFolder, 'Taken.contexture'), 'no project at all');
    await page.getByRole('button', { name: 'New project…' }).click();
    await page.getByLabel('Name').fill('Taken');
    await page.getByRole('button', { name: 'Create' }).click();
    const alert = page.getByRole('dialog').getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /Taken\.contexture/);
    assert.equal(new URL(page.url()).pathname, '/');
  },
);

testPage('projects are listed, closed, found missing, and taken off the list', async (app) => {
  const { page } = app;
  const longName = 'A project whose name has sixty letters, which is a lot of them';
  const birds = await make(app, 'birds');
  await make(app, longName);
  const open = page.getByRole('region', { name: 'Open' });
  await open.getByText('birds', { exact: true }).waitFor();
  await open.getByText(longName, { exact: true }).waitFor();
  await app.look('library-open');

  await page.getByRole('button', { name: 'More for birds' }).click();
  await page.getByRole('menuitem', { name: 'Close' }).click();
  const recent = page.getByRole('region', { name: 'Recent' });
  await recent.getByText('birds', { exact: true }).waitFor();

  rmSync(birds.file);
  await page.reload();
  await recent.getByText('file missing').waitFor();
  await app.look('library-missing');
  await page.getByRole('button', { name: 'More for birds' }).click();
  await page.getByRole('menuitem', { name: /Take off the list/ }).click();
  await recent.waitFor({ state: 'detached' });
});

testPage('a project file is found and opened through the folders of the service', async (app) => {
  const { page } = app;
  const { id } = await make(app, 'birds');
  await app.api('POST', `/api/projects/${id}/close`);
  await page.getByRole('button', { name: 'Open project…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open a project' });
  const create = dialog.getByRole('button', { name: 'Open', exact: true });
  // The one folder that the service may read is open at once.
  await dialog.getByRole('button', { name: 'birds.contexture' }).waitFor();
  assert.ok(await create.isDisabled(), 'nothing is chosen yet');
  await app.screenshot('library-picker');
  assert.deepEqual(await app.faults(), []);
  await dialog.getByRole('button', { name: 'birds.contexture' }).click();
  await create.click();
  await page.waitForURL(`**/p/${id}/explore`);
});

testPage('a folder that is chosen first asks for a project, and names it after the folder', async (app) => {
  const { page } = app;
  mkdirSync(join(app.root, 'Garden birds', 'wren'), { recursive: true });
  await page.getByRole('button', { name: 'Choose a folder…' }).click();
  const picker = page.getByRole('dialog', { name: 'Import images from' });
  // By keyboard: the first entry has the focus, and again in the folder that it opens.
  await picker.getByRole('button', { name: 'Garden birds' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await picker.getByRole('button', { name: 'wren' }).and(page.locator(':focus')).waitFor();
  await picker.locator('footer').getByText('Chosen: Garden birds').waitFor();
  await picker.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Garden birds');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(/\/p\/[0-9a-f-]{36}\/import$/);
});

testPage('the sample is made in one click, with progress, and then shown', async (app) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Make the sample' }).click();
  await page.getByRole('progressbar', { name: 'Making the sample' }).waitFor();
  await app.screenshot('library-sample');
  await page.waitForURL(/\/p\/[0-9a-f-]{36}\/explore$/, { timeout: 240_000 });
  const id = new URL(page.url()).pathname.split('/')[2];
  const { classes } = await app.api<{ classes: unknown[] }>('GET', `/api/projects/${id}/tail`);
  assert.ok(classes.length >= 10);
  await page.getByRole('button', { name: /^1 task/ }).click();
  await page.getByRole('link', { name: 'See the images' }).waitFor();
  await app.screenshot('tray-done');
  assert.deepEqual(await app.faults(), []);
});

testPage('what is dropped on a page in a browser is answered with what to do instead', async (app) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Make the sample' }).waitFor();
  await page.evaluate(`(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['x'], 'birds.zip'));
    window.transfer = transfer;
    document.body.dispatchEvent(new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true }));
  })()`);
  await page.getByText('Drop class folders, a zip file').waitFor();
  await app.screenshot('drop');
  await page.evaluate(
    `document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: window.transfer, bubbles: true, cancelable: true }))`,
  );
  await page.getByText('A browser does not tell where a dropped folder lies').waitFor();
  assert.equal(await page.getByText('Drop class folders, a zip file').count(), 0);
});
