import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before } from 'node:test';
import type { ContextCounts } from '../../core/api/contexts.ts';
import type { LeftoverReport } from '../../core/api/leftover.ts';
import { leftoverProject } from '../fixtures/leftovers.ts';
import { openCopy } from './copied-project.ts';
import { skip, testPage, type App } from './support.ts';

let made: string;

before(async () => {
  if (skip !== false) return;
  const { project } = await leftoverProject();
  project.close();
  made = dirname(project.file);
});

/** The project, opened at a tab of its bank. */
async function open(app: App, query: string): Promise<string> {
  const id = await openCopy(app, made);
  await app.goto(`/p/${id}/bank?${query}`);
  return id;
}

const SWAPPED =
  /^test\/\S+ is of \w+; .* \d+ of 12 pictures get another answer than the picture as it is, by the \w+ head\.$/;

testPage('an image is chosen by keyboard, shown in front of contexts, and the run says what it sees', async (app) => {
  await open(app, 'tab=swap');
  const { page } = app;
  await page.getByText('A foreground in front of other contexts').waitFor();
  await app.look('swap-none');
  await page.keyboard.press('i');
  const dialog = page.getByRole('dialog', { name: 'Whose foreground?' });
  await dialog.getByRole('combobox', { name: 'Split' }).or(dialog.getByLabel('Split')).first().click();
  await page.getByRole('option', { name: 'Test images' }).click();
  await dialog.getByRole('grid', { name: 'Images' }).focus();
  await dialog.getByRole('gridcell').first().waitFor();
  await app.screenshot('swap-choose');
  assert.deepEqual(await app.faults(), []);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByLabel('Strengths λ').fill('0.5, 1');
  await page.keyboard.press('Enter');
  const status = page.getByRole('tabpanel').getByRole('status');
  await status.getByText(SWAPPED).waitFor();
  const pictures = page.getByRole('figure');
  assert.equal(await pictures.count(), 13);
  // Two heads and their mean, and every picture is there.
  assert.deepEqual(await pictures.first().locator('dt').allInnerTexts(), ['Uniform', 'Balanced', 'Mean']);
  const loaded = await page.evaluate<boolean>(
    `[...document.querySelectorAll('figure img')].every((image) => image.complete && image.naturalWidth === 32)`,
  );
  assert.ok(loaded);
  await app.look('swap');

  const contexts = (): Promise<string[]> => page.getByRole('rowheader').allInnerTexts();
  const drawn = await contexts();
  await page.getByRole('region', { name: 'Pictures of the preview' }).focus();
  await page.keyboard.press('r');
  await page.waitForURL(/seed=2/);
  await status.getByText(SWAPPED).waitFor();
  assert.notDeepEqual(await contexts(), drawn);
  await page.reload();
  await status.getByText(SWAPPED).waitFor();
  assert.equal(await pictures.count(), 13);
});

testPage('contexts, run and kind of mask are chosen by mouse', async (app) => {
  await open(app, 'tab=swap&image=3&lambda=1&run=1');
  const { page } = app;
  const answered = page.getByText(/pictures? get another answer/);
  await answered.waitFor();
  assert.deepEqual(await page.getByRole('figure').first().locator('dt').allInnerTexts(), ['Uniform']);
  await page.getByRole('button', { name: 'Contexts…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Which contexts?' });
  await dialog.getByRole('gridcell').nth(1).click();
  await dialog
    .getByRole('gridcell')
    .nth(2)
    .click({ modifiers: ['Control'] });
  await dialog.getByRole('button', { name: 'Use 2 contexts' }).click();
  await page.getByText(/\d of 2 pictures get another answer/).waitFor();
  assert.match(page.url(), /contexts=\d+(%2C|,)\d+/);
  await page.getByLabel('Masks').click();
  await page.getByRole('option', { name: 'Binary' }).click();
  await page.getByLabel('Context from').waitFor();
  await answered.waitFor();
  await app.screenshot('swap-binary');
  await page.getByLabel('Strengths λ').fill('2');
  await page.getByText('Up to 5 numbers from 0 to 1').waitFor();
  assert.deepEqual(await app.faults(), []);
});

testPage('leftovers are looked for; a flagged context is found fine, another one retired, by keyboard', async (app) => {
  const id = await open(app, 'tab=leftover&run=1');
  const { page } = app;
  await page.getByText('Is something of the object left?').waitFor();
  await app.look('leftover-none');
  await page.getByRole('button', { name: 'Check the whole bank' }).click();
  await page.getByText(/^The model still names the class of \d+ contexts? without the foreground/).waitFor();
  const report = (): Promise<LeftoverReport> => app.api('GET', `/api/projects/${id}/bank/leftover`);
  const { open: flagged, checked } = await report();
  assert.ok(flagged >= 2, `${flagged} flagged`);
  const cards = page.getByRole('article', { name: /^Context \d+ of/ });
  await cards.first().getByRole('img').waitFor();
  assert.equal(await cards.count(), flagged);
  await app.look('leftover');
  await page.keyboard.press('h');
  await cards
    .first()
    .getByAltText(/^The whole picture/)
    .waitFor();
  await page.keyboard.press('h');

  await page.keyboard.press('ArrowRight');
  const first = await cards.first().getAttribute('aria-label');
  await page.keyboard.press('p');
  await page.getByRole('article', { name: first!, exact: true }).waitFor({ state: 'detached' });
  assert.equal((await report()).fine, 1);
  await page.keyboard.press('x');
  await page.getByText(/^1 context retired\./).waitFor();
  const counts = await app.api<ContextCounts>('GET', `/api/projects/${id}/contexts/counts`);
  assert.equal(counts.bank, checked - 1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByLabel('Which contexts').click();
  await page.getByRole('option', { name: /^All that were looked at/ }).click();
  await page.getByRole('article', { name: first!, exact: true }).getByText('fine', { exact: true }).waitFor();
  assert.equal(await cards.count(), Math.min(60, checked));
  await app.screenshot('leftover-all');
  // By mouse it is not fine after all, and goes to Review.
  const card = page.getByRole('article', { name: first!, exact: true });
  await card.getByRole('button', { name: /is not fine after all$/ }).click();
  await card.getByText(/^(look at it|leftover likely|usual background|outline of the mask)$/).waitFor();
  await card.getByRole('link', { name: /^Review/ }).click();
  await page.waitForURL(/\/review\?/);
});
