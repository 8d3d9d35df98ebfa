/** What surrounds every page: side bar, keys, theme, addresses, the foot. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { testPage, type App } from './support.ts';

async function makeProject(app: App, name: string): Promise<string> {
  const file = join(app.root, `${name}.contexture`);
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file, create: true, name });
  return id;
}

testPage('pages of a project say why they cannot be opened without one', async (app) => {
  const { page } = app;
  const link = page.getByRole('link', { name: /^Explore/ });
  assert.equal(await link.getAttribute('aria-disabled'), 'true');
  assert.match(await link.innerText(), /open a project first/);
  await link.hover();
  await page.getByRole('tooltip').or(page.locator('.tooltip')).waitFor();
  const id = await makeProject(app, 'birds');
  await app.goto(`/p/${id}/import`);
  await page.getByRole('button', { name: /Project: birds/ }).waitFor();
  for (let tries = 0; !(await page.title()).endsWith('birds · Contexture'); tries++) {
    assert.ok(tries < 100, `the title is ${await page.title()}`);
    await page.waitForTimeout(50);
  }
});

testPage('keys: the sheet shows them, typing is not taken for them, a dialog keeps them away', async (app) => {
  const { page } = app;
  const sheet = page.getByRole('dialog', { name: 'Keys' });
  await page.getByRole('button', { name: 'Make the sample' }).waitFor();
  await page.keyboard.press('?');
  await sheet.waitFor();
  await sheet.getByText('Show the tasks').waitFor();
  await app.look('keys');
  await page.keyboard.press('Control+Shift+N');
  assert.equal(await page.getByRole('dialog').count(), 1, 'no second dialog');
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  await page.keyboard.press('Control+Shift+N');
  await page.getByLabel('Name').fill('What');
  await page.getByLabel('Name').press('End');
  await page.keyboard.type('?');
  assert.equal(await page.getByLabel('Name').inputValue(), 'What?');
  assert.equal(await sheet.count(), 0);
});

testPage("a key of a person's own takes the place of the one that is built in", async (app) => {
  const { page } = app;
  await app.api('PATCH', '/api/settings', { keys: { 'frame.keys': 'k' } });
  await Promise.all([page.waitForResponse('**/api/settings'), page.reload()]);
  await page.getByRole('button', { name: 'Make the sample' }).waitFor();
  await page.keyboard.press('?');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.keyboard.press('k');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
});

testPage('the theme follows the system, and the settings as soon as they change', async (app) => {
  const { page } = app;
  const shown = (): Promise<string> => page.evaluate<string>('document.documentElement.dataset.theme');
  await page.getByRole('button', { name: 'Make the sample' }).waitFor();
  assert.equal(await shown(), 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('html[data-theme=dark]').waitFor();
  await app.api('PATCH', '/api/settings', { theme: 'light' });
  await page.locator('html[data-theme=light]').waitFor();
  await page.reload();
  assert.equal(await shown(), 'light', 'from the first frame on');
  await app.api('PATCH', '/api/settings', { theme: 'system' });
  await page.locator('html[data-theme=dark]').waitFor();
});

testPage('addresses: back and forward, one of no page, one of no project', async (app) => {
  const { page } = app;
  app.allow(/Failed to load resource.*404/);
  const id = await makeProject(app, 'birds');
  await app.goto(`/p/${id}/import`);
  await page.getByRole('button', { name: /Project: birds/ }).waitFor();
  await page.getByRole('link', { name: /^Library/ }).click();
  await page.waitForURL(`${app.origin}/`);
  await page.getByRole('region', { name: 'Open' }).waitFor();
  await page.goBack();
  await page.waitForURL(`**/p/${id}/import`);
  await page.goForward();
  await page.waitForURL(`${app.origin}/`);

  await app.goto('/nowhere');
  await page.getByText('There is no such page').waitFor();
  await app.look('no-page');
  await app.goto('/p/00000000-0000-4000-8000-000000000000/explore');
  const known = page.getByText('This project cannot be shown').or(page.getByText('There is no such page'));
  await known.waitFor();
  await page.getByRole('link', { name: 'Go to the Library' }).click();
  await page.getByRole('region', { name: 'Open' }).waitFor();
});

testPage('the project menu leads from one project to another and closes it', async (app) => {
  const { page } = app;
  const first = await makeProject(app, 'birds');
  const second = await makeProject(app, 'beetles');
  await app.goto(`/p/${first}/import`);
  const switcher = page.getByRole('button', { name: /^Project:/ });
  await switcher.filter({ hasText: 'birds' }).waitFor();
  await switcher.press('Enter');
  await app.screenshot('switcher');
  assert.deepEqual(await app.faults(), []);
  await page.getByRole('menuitem', { name: /^beetles/ }).click();
  await page.waitForURL(`**/p/${second}/explore`);
  await switcher.click();
  await page.getByRole('menuitem', { name: 'Close beetles' }).click();
  await page.waitForURL(`${app.origin}/`);
  const list = await app.api<{ id: string; open: boolean }[]>('GET', '/api/projects');
  assert.deepEqual(
    list.map(({ id, open }) => [id, open]),
    [
      [second, false],
      [first, true],
    ],
  );
});

testPage('everything in the frame is reached with the tabulator, in order, and shows the focus', async (app) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Make the sample' }).waitFor();
  const seen: string[] = [];
  // Past the last one the focus leaves the page.
  while (seen.length < 40) {
    await page.keyboard.press('Tab');
    if (await page.evaluate<boolean>('document.activeElement === document.body')) break;
    seen.push(
      await page.evaluate<string>(`(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        const name = element.getAttribute('aria-label') ?? element.innerText.split('\\n')[0];
        return (style.outlineStyle === 'none' ? 'UNSEEN ' : '') + name.trim();
      })()`),
    );
  }
  assert.deepEqual(
    seen.filter((name) => name.startsWith('UNSEEN')),
    [],
  );
  const order = ['Skip to content', 'Library', 'Choose a folder…', 'Make the sample', 'New project…', 'No tasks'];
  const places = order.map((name) => seen.findIndex((one) => one.includes(name)));
  assert.ok(!places.includes(-1), `${JSON.stringify(order)} in ${JSON.stringify(seen)}`);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
});
