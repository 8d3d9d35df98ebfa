/** The components by themselves, in the gallery: what they do by pointer and by keyboard, and how they look. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encoded, quarterPixels } from '../fixtures/images.ts';
import { buildGallery, startLocalService, type LocalService } from './local-service.ts';
import { seen, skip, withApp, type App } from './support.ts';

/** What a test needs of an image in the page; the types of a browser are not here. */
interface Picture {
  decode(): Promise<void>;
  naturalWidth: number;
}

let service: LocalService | undefined;
before(async () => {
  if (skip === false) service = await startLocalService(await buildGallery());
});
after(() => service?.running.close());

/** A test on one part of the gallery. */
function testPart(name: string, query: string, use: (app: App) => Promise<void>): void {
  test(name, { skip }, () =>
    withApp(
      async (app) => {
        await app.goto(`/?${query}`);
        await use(app);
      },
      { address: local().address },
    ),
  );
}

function local(): LocalService {
  assert.ok(service !== undefined);
  return service;
}

/** Text of an output of the part. */
function output(app: App, id: string): Promise<string> {
  return app.page.locator(`#${id}`).innerText();
}

/** A project of pictures, imported by the service. @returns its id */
async function importPictures(app: App, count: number): Promise<string> {
  const folder = join(local().root, 'pictures', 'class');
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    await writeFile(join(folder, `${String(i).padStart(3, '0')}.png`), await encoded(quarterPixels(32 + i, 24), 'png'));
  }
  const file = join(local().root, 'grid.contexture');
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file, create: true, name: 'grid' });
  const task = await app.api<{ id: string }>('POST', `/api/projects/${id}/imports`, {
    path: join(local().root, 'pictures'),
  });
  for (;;) {
    const { state, error } = await app.api<{ state: string; error: unknown }>('GET', `/api/tasks/${task.id}`);
    if (state === 'done') return id;
    assert.ok(state === 'queued' || state === 'running', `import: ${state} ${JSON.stringify(error)}`);
    await app.page.waitForTimeout(100);
  }
}

testPart(
  'the grid shows real pictures, fetched in packs, and says which cannot be shown',
  'part=forms',
  async (app) => {
    const { page } = app;
    const project = await importPictures(app, 60);
    const packs: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/thumbnails')) packs.push(request.postData() ?? '');
      assert.doesNotMatch(request.url(), /\/picture/);
    });
    await app.goto(`/?part=grid&count=62&project=${project}`);
    await page.locator('[role=gridcell] img').nth(20).waitFor();
    await page.getByRole('grid').press('End');
    await page.locator('[data-index="61"] svg').waitFor();
    await page.locator('[data-index="59"] img').waitFor();
    const sizes = await page
      .locator('[data-index="59"] img')
      .evaluate((image: Picture) => image.decode().then(() => image.naturalWidth));
    assert.equal(sizes, 91, 'the whole picture, not enlarged');
    assert.ok(packs.length <= 6, `${packs.length} requests for 62 pictures`);
    await app.screenshot('grid-pictures');
    assert.deepEqual(await app.faults(), []);
  },
);

testPart(
  'the grid has 100,000 cells, keeps few in the document, and is moved through by keyboard',
  'part=grid&count=100000&project=0',
  async (app) => {
    const { page } = app;
    app.allow(/Failed to load resource.*404/);
    const grid = page.getByRole('grid');
    await grid.focus();
    assert.equal(await grid.getAttribute('aria-colcount'), '7');
    assert.equal(await grid.getAttribute('aria-rowcount'), String(Math.ceil(100_000 / 7)));
    assert.ok((await page.locator('[role=gridcell]').count()) < 120);
    for (const [key, active, chosen] of [
      ['ArrowRight', '1', '1'],
      ['ArrowDown', '8', '1'],
      ['Shift+ArrowDown', '15', '8'],
      ['Control+ArrowRight', '16', '8'],
      ['Space', '16', '9'],
      ['End', '99999', '1'],
      ['ArrowUp', '99992', '1'],
      ['Home', '0', '1'],
      ['Control+a', '0', '100000'],
      ['Escape', '0', '0'],
    ]) {
      await grid.press(key);
      assert.deepEqual([key, await output(app, 'active'), await output(app, 'chosen')], [key, active, chosen]);
      const id = await grid.getAttribute('aria-activedescendant');
      assert.ok(await page.locator(`[id="${id}"]`).isVisible(), `${key}: the active cell is in view`);
    }
    await grid.press('Enter');
    assert.equal(await output(app, 'opened'), '1');
  },
);

testPart('the pointer chooses by click, Ctrl, Shift and rectangle', 'part=grid&count=1000&project=0', async (app) => {
  const { page } = app;
  app.allow(/Failed to load resource.*404/);
  const cell = (index: number) => page.locator(`[data-index="${index}"]`);
  await cell(3).click();
  await cell(5).click({ modifiers: ['Control'] });
  assert.equal(await output(app, 'chosen'), '2');
  await cell(9).click({ modifiers: ['Shift'] });
  assert.equal(await output(app, 'chosen'), '5');
  const [from, to] = [await cell(1).boundingBox(), await cell(10).boundingBox()];
  assert.ok(from !== null && to !== null);
  await page.mouse.move(from.x + 20, from.y + 20);
  await page.mouse.down();
  await page.mouse.move(to.x + 20, to.y + 20, { steps: 4 });
  await app.screenshot('grid-band');
  await page.mouse.up();
  assert.equal(await output(app, 'chosen'), '6', 'three columns of two rows');
  await cell(4).dblclick();
  assert.equal(await output(app, 'opened'), '5');
});

testPart(
  'a million cells: the bar is compressed, the wheel is not',
  'part=grid&count=1000000&project=0',
  async (app) => {
    const { page } = app;
    app.allow(/Failed to load resource.*404/);
    const grid = page.getByRole('grid');
    const height: number = await grid.evaluate((element: { scrollHeight: number }) => element.scrollHeight);
    assert.ok(height < 8_000_000);
    await grid.press('End');
    await page.locator('[data-index="999999"]').waitFor();
    assert.equal(await output(app, 'active'), '999999');
    await grid.press('Home');
    const first = page.locator('[data-index="0"]');
    const start = (await first.boundingBox())?.y ?? 0;
    await first.hover();
    await page.mouse.wheel(0, 60);
    for (let tries = 0; tries < 100; tries++) {
      if ((await grid.evaluate((element: { scrollTop: number }) => element.scrollTop)) > 0) break;
      await page.waitForTimeout(20);
    }
    const moved = start - ((await first.boundingBox())?.y ?? 0);
    assert.ok(Math.abs(moved - 60) <= 4, `moved by ${moved} px instead of 60`);
  },
);

testPart(
  'nothing is fetched while the grid is flung, and what is in view is fetched when it rests',
  'part=grid&count=100000&project=0',
  async (app) => {
    const { page } = app;
    app.allow(/Failed to load resource.*404/);
    await page.locator('[data-index="0"]').waitFor();
    await page.waitForTimeout(500);
    const asked: number[] = [];
    page.on('request', (request) => {
      const body = request.postData();
      if (body !== null && request.url().endsWith('/thumbnails'))
        asked.push(...(JSON.parse(body) as { ids: number[] }).ids);
    });
    // A frame that a busy machine draws late is a rest, as the grid cannot know better.
    const rests = await page.evaluate<number>(`new Promise((resolve) => {
    const grid = document.querySelector('[role=grid]');
    let step = 0;
    let rests = 0;
    let before = performance.now();
    const go = () => {
      const now = performance.now();
      if (now - before > 80) rests++;
      before = now;
      grid.scrollTop += 9000;
      if (++step < 40) requestAnimationFrame(go); else resolve(rests);
    };
    requestAnimationFrame(go);
  })`);
    await page.waitForTimeout(600);
    const inView = (): Promise<number[]> =>
      page
        .locator('[role=gridcell]')
        .evaluateAll((cells: { dataset: { index?: string } }[]) =>
          cells.map(({ dataset }) => Number(dataset.index) + 1),
        );
    const visible = await seen(
      inView,
      (ids) => ids.some((id) => asked.includes(id)),
      'what is in view was not asked for',
    );
    const passed = asked.filter((id) => !visible.includes(id));
    const most = 400 + rests * visible.length;
    assert.ok(passed.length <= most, `${passed.length} pictures that only flew by were asked for, of some 15,000`);
  },
);

for (const count of [3, 10, 30, 1000]) {
  testPart(`class balance of ${count} classes`, `part=balance&count=${count}`, async (app) => {
    const { page } = app;
    const bars = page.getByRole('listbox').first();
    await bars.focus();
    await bars.press('ArrowRight');
    await bars.press('Enter');
    assert.equal(await output(app, 'chosen'), '2');
    assert.match(await page.getByRole('option').innerText(), /sixty letters/);
    await app.look(`balance-${count}`);
  });
}

testPart('thresholds move by keyboard and pointer, and never cross', 'part=balance&count=10', async (app) => {
  const { page } = app;
  const many = page.getByRole('slider', { name: 'Classes with more images are many' }).last();
  await many.press('Shift+ArrowUp');
  assert.equal(await output(app, 'many'), '110');
  const box = await many.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + 5, box.y + 5);
  await page.mouse.down();
  await page.mouse.move(box.x + 5, box.y + 300, { steps: 5 });
  assert.equal(await output(app, 'settled'), '1', 'not before it is let go');
  await page.mouse.up();
  assert.equal(await output(app, 'settled'), '2');
  assert.equal(await output(app, 'many'), '20', 'down to the other line');
});

testPart(
  'curves: legend, values under the pointer, the same as a table, growing',
  'part=curves&count=9',
  async (app) => {
    const { page } = app;
    const figure = page.getByRole('figure', { name: 'Accuracy by group' });
    await page.locator('.u-over').first().waitFor();
    await app.look('curves');
    await figure.getByRole('button', { name: /^few 4/ }).click();
    await page.locator('.u-over').first().hover();
    assert.match(await figure.locator('figcaption').innerText(), /^Epoch \d+/);
    assert.match(
      await page.getByRole('figure', { name: 'Accuracy by run' }).locator('figcaption').innerText(),
      /^Epoch \d+/,
    );
    await page.locator('#more').click();
    await figure.getByRole('button', { name: 'Table' }).click();
    const table = figure.getByRole('grid', { name: 'Accuracy by group' });
    assert.equal(await table.getAttribute('aria-rowcount'), '51');
    assert.match(await table.getByRole('row').nth(7).innerText(), /7\s+–/, 'no value at the seventh');
    await app.screenshot('curves-table');
    assert.deepEqual(await app.faults(), []);
  },
);

for (const count of [3, 10, 100, 1000]) {
  testPart(`confusion matrix of ${count} classes`, `part=matrix&count=${count}`, async (app) => {
    const { page } = app;
    const area = page.getByRole('application');
    await area.focus();
    await area.press('ArrowDown');
    await area.press('ArrowRight');
    await area.press('Enter');
    assert.equal(await output(app, 'opened'), '1 1');
    await page.getByText(/^class 2 found right: \d+/).waitFor();
    await app.look(`matrix-${count}`);
    if (count > 100) {
      for (let i = 0; i < 10; i++) await area.press('+');
      await app.screenshot(`matrix-${count}-near`);
    }
  });
}

testPart('a table of ten thousand rows is sorted and moved through', 'part=table&count=10000', async (app) => {
  const { page } = app;
  const table = page.getByRole('grid', { name: 'Classes' });
  assert.ok((await table.getByRole('row').count()) < 60);
  await table.getByRole('button', { name: 'Images' }).click();
  assert.match(await table.getByRole('row').nth(1).innerText(), /999/, 'the largest first');
  assert.equal(await table.getByRole('columnheader', { name: 'Images' }).getAttribute('aria-sort'), 'descending');
  await table.getByRole('button', { name: 'Recall' }).click();
  await table.focus();
  await table.press('End');
  assert.match(await page.locator('[aria-selected=true]').innerText(), /–/, 'what has no value comes last');
  await table.press('Enter');
  assert.match(await output(app, 'opened'), /^class/);
  await app.look('table');
});

testPart('fields, menus and dialogs', 'part=forms', async (app) => {
  const { page } = app;
  await app.look('forms');
  await page.getByLabel('Epochs').fill('0');
  await page.getByText('This must be between 1 and 500.').waitFor();
  assert.equal(await output(app, 'epochs'), '20', 'a wrong number is not taken');
  await page.getByLabel('Epochs').fill('21');
  assert.equal(await output(app, 'epochs'), '21');
  await page.getByLabel('Method').press('Enter');
  await page.getByRole('option', { name: /Cross entropy/ }).waitFor();
  await app.screenshot('forms-select');
  assert.deepEqual(await app.faults(), []);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  assert.equal(await output(app, 'method'), 'ce');
  await page.getByRole('tab', { name: /All/ }).press('ArrowRight');
  assert.equal(await output(app, 'tab'), 'few');
  await page.getByRole('separator', { name: 'Width of the details' }).press('ArrowLeft');
  assert.equal(await output(app, 'split'), '276');
  await page.getByRole('button', { name: 'Menu' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
  await app.screenshot('forms-menu');
  assert.deepEqual(await app.faults(), []);
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Delete two runs?' });
  await dialog.waitFor();
  await app.screenshot('forms-confirm');
  assert.deepEqual(await app.faults(), []);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await output(app, 'done'), 'deleted');
});
