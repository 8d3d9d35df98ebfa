import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSettings } from '../../core/api/app.ts';
import { testPage } from './support.ts';

testPage('theme and name are kept', async (app) => {
  const { page } = app;
  await app.goto('/settings');
  await page.getByRole('heading', { name: 'Engine' }).waitFor();
  await page.getByText(/Runs compute on|Nothing can be trained/).waitFor();
  await page.getByText('Compiled code', { exact: true }).waitFor();
  await app.look('settings');
  await page.getByLabel('Theme').click();
  await page.getByRole('option', { name: 'Dark' }).click();
  await page.locator('html[data-theme=dark]').waitFor();
  await page.getByLabel('Your name').fill('Ada');
  await page.keyboard.press('Tab');
  await page.reload();
  await page.getByText(/Runs compute on|Nothing can be trained/).waitFor();
  assert.equal(await page.getByLabel('Your name').inputValue(), 'Ada');
  assert.equal(await page.evaluate<string>('document.documentElement.dataset.theme'), 'dark');
  const kept = await app.api<AppSettings>('GET', '/api/settings');
  assert.deepEqual([kept.theme, kept.author], ['dark', 'Ada']);
});

testPage('a key is changed, a conflict is named, and it can be put back', async (app) => {
  const { page } = app;
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', {
    file: join(app.root, 'keys.contexture'),
    create: true,
  });
  await app.goto(`/p/${id}/contexts`);
  await page.getByRole('heading', { name: 'No contexts yet' }).waitFor();
  await page.getByRole('link', { name: 'Settings' }).click();
  const contexts = page.getByRole('region', { name: 'Contexts' });
  // A setting is shown at once, and true when the service has answered.
  const stored = (): Promise<unknown> => page.waitForResponse((response) => response.request().method() === 'PATCH');
  await contexts.getByRole('button', { name: 'Change the key of Accept, and go on' }).click();
  const field = page.getByLabel('The new key');
  await field.focus();
  await page.keyboard.press('x');
  await page.getByText('This key is “Reject, and go on” (Contexts) already').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Use this key' }).isDisabled());
  assert.deepEqual(await app.faults(), []);
  await app.screenshot('settings-key-conflict');
  await page.keyboard.press('y');
  const changed = stored();
  await page.getByRole('button', { name: 'Use this key' }).click();
  await contexts.getByRole('button', { name: 'Reset the key of Accept, and go on' }).waitFor();
  await changed;
  assert.deepEqual((await app.api<AppSettings>('GET', '/api/settings')).keys, { 'contexts.accept': 'y' });
  const reset = stored();
  await contexts.getByRole('button', { name: 'Reset the key of Accept, and go on' }).click();
  await contexts.getByRole('button', { name: 'Reset the key of Accept, and go on' }).waitFor({ state: 'detached' });
  await reset;
  assert.deepEqual((await app.api<AppSettings>('GET', '/api/settings')).keys, {});
});

testPage('caches are cleaned up after a question, and what is in use stays', async (app) => {
  const { page } = app;
  const file = join(app.root, 'full.contexture');
  await app.api('POST', '/api/projects', { file, create: true });
  const pack = join(`${file}.files`, 'cache', 'packed', 'a.rgb');
  mkdirSync(join(pack, '..'), { recursive: true });
  writeFileSync(pack, Buffer.alloc(3 * 2 ** 20));
  await app.goto('/settings');
  const panel = page.getByRole('region', { name: 'Files of a project' });
  await panel.getByText('3.0 MB').waitFor();
  assert.ok(await panel.getByRole('checkbox', { name: 'Clean up: Thumbnails' }).isDisabled());
  await panel.getByRole('checkbox', { name: 'Clean up: Packed pictures' }).check();
  await panel.getByRole('button', { name: 'Clean up 3.0 MB…' }).click();
  await page.getByRole('alertdialog').getByText('Packed pictures.').waitFor();
  await app.screenshot('settings-clean');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('1 file deleted, 3.0 MB freed.').waitFor();
  assert.ok(!existsSync(pack) && existsSync(file));
});

testPage('the doctor is asked, and what he found is shown', async (app) => {
  const { page } = app;
  page.setDefaultTimeout(120_000);
  await app.goto('/settings');
  await page.getByRole('button', { name: 'Try the engine' }).click();
  const found = page.getByRole('region', { name: 'What the doctor found' });
  await found.getByText(/^Engine:/).waitFor();
  await found
    .getByText(/All is well\.|Run /)
    .first()
    .waitFor();
  await app.screenshot('settings-doctor');
});

testPage('a backbone is got from the package index, followed, and removed after a question', async (app) => {
  const { page } = app;
  page.setDefaultTimeout(60_000);
  await app.goto('/settings');
  const panel = page.getByRole('region', { name: 'Backbones' });
  await panel.getByText('17 MB to download, Apache-2.0.').waitFor();
  await panel.getByText('contexture backbone get efficientnet-lite0').waitFor();
  await app.look('settings-backbones');
  await panel.getByRole('button', { name: 'Get EfficientNet-Lite0' }).click();
  const remove = panel.getByRole('button', { name: 'Remove efficientnet-lite0…' });
  const failure = panel.getByText(/pip could not reach|is fetched with Python/).first();
  await remove.or(failure).waitFor();
  // Without a network there is nothing to be got: what is said then is all that can be looked at.
  if (await failure.isVisible()) return;
  await panel.getByText('18 MB, Apache-2.0.').waitFor();
  await app.screenshot('settings-backbone-here');
  await remove.click();
  await page.getByRole('alertdialog').getByText('Trained models keep their own weights.').waitFor();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await panel.getByRole('button', { name: 'Get EfficientNet-Lite0' }).waitFor();
});
