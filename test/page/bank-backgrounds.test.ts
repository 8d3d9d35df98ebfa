import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackgroundEntry } from '../../core/api/backgrounds.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { testPage, type App } from './support.ts';

/** A project with two cats to train on and one to test, and a folder of three empty scenes and a leak; at the tab. */
async function open(app: App): Promise<{ id: string; scenes: string }> {
  const root = join(app.root, 'pictures');
  const pictures = [
    ...classOf('train/cat', 2, { width: 40, height: 30 }, 1),
    ...classOf('test/cat', 1, { width: 40, height: 30 }, 9),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const scenes = join(app.root, 'empty scenes');
  for (const [i, width] of [160, 120, 90].entries()) {
    await writePicture(scenes, { file: `night/${i}.png`, width, height: 100, seed: 70 + i });
  }
  mkdirSync(scenes, { recursive: true });
  copyFileSync(join(root, pictures[2].file), join(scenes, 'leak.png'));
  const file = join(app.root, 'birds.contexture');
  (await makeProject(file, root, pictures)).close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/bank?tab=backgrounds`);
  return { id, scenes };
}

testPage(
  'plain backgrounds are added by keyboard, refused where they would leak, retired and forgotten',
  async (app) => {
    const { page } = app;
    const { id, scenes } = await open(app);
    // The folder that is not there.
    app.allow(/404 .*backgrounds/);
    const list = (): Promise<BackgroundEntry[]> => app.api('GET', `/api/projects/${id}/backgrounds`);
    await page.getByRole('heading', { name: 'No plain backgrounds yet' }).waitFor();
    await app.look('bank-backgrounds-empty');

    await page.getByRole('button', { name: 'Add backgrounds…' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add backgrounds' });
    const field = dialog.getByRole('textbox', { name: 'Folder' });
    await field.fill(join(app.root, 'nowhere'));
    await page.keyboard.press('Enter');
    await dialog
      .getByRole('alert')
      .getByText(/nowhere/)
      .waitFor();
    await field.fill(scenes);
    await page.keyboard.press('Enter');
    await dialog.getByText('3 backgrounds added, 1 refused.').waitFor();
    await dialog.getByText(/very file of the test image/).waitFor();
    await app.look('bank-backgrounds-added');
    assert.equal((await list()).length, 3);
    await dialog.getByRole('button', { name: 'Close' }).last().click();

    await page.getByText('3 plain backgrounds').waitFor();
    const grid = page.getByRole('grid', { name: 'Plain backgrounds' });
    await grid.focus();
    await page.keyboard.press('Home');
    await app.look('bank-backgrounds');
    await page.getByRole('button', { name: 'Retire' }).click();
    await page.getByText('2 plain backgrounds').waitFor();
    assert.deepEqual(
      (await list()).map(({ retiredAt }) => retiredAt === null),
      [false, true, true],
    );
    await page.getByRole('button', { name: 'Put back' }).click();
    await page.getByText('3 plain backgrounds').waitFor();
    await grid.getByRole('row', { name: /2\.png/ }).click();
    await page.getByRole('button', { name: 'Forget' }).click();
    await page.getByText('2 plain backgrounds').waitFor();
    assert.equal((await list()).length, 2);
  },
);
