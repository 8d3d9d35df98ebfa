import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ContextCounts, ContextDetail } from '../../core/api/contexts.ts';
import { DEFAULT_REFINEMENT } from '../../core/contexts/mask.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { addPhotoRun } from '../fixtures/photo-run.ts';
import { atRest, seen, testPage, type App } from './support.ts';

const LONG = 'a class whose name is sixty letters long, to see what it does';

/** A project with pictures and, unless told otherwise, contexts; opened at its page of contexts. */
async function open(
  app: App,
  { found = true, extra = 0, run = false }: { found?: boolean; extra?: number; run?: boolean } = {},
): Promise<string> {
  const root = join(app.root, 'pictures');
  const pictures = [
    ...classOf('train/cat', 8, { width: 120, height: 90 }, 1),
    ...classOf('train/owl', 3, { width: 60, height: 90 }, 100),
    ...classOf(`train/${LONG}`, 2, { width: 100, height: 100 }, 200),
    ...Array.from({ length: extra }, (_, i) =>
      classOf(`train/class ${i}`, 1, { width: 16, height: 16 }, 1000 + i),
    ).flat(),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const file = join(app.root, 'birds.contexture');
  const made = await makeProject(file, root, pictures);
  if (found) {
    await findSome(
      made,
      Array.from(made.store.images.iterate(), ({ id }) => id),
    );
  }
  if (run) addPhotoRun(made);
  made.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/contexts`);
  return id;
}

const counts = async (app: App, id: string): Promise<[number, number, number]> => {
  const { undecided, accepted, rejected } = await app.api<ContextCounts>('GET', `/api/projects/${id}/contexts/counts`);
  return [undecided, accepted, rejected];
};

const status = (app: App) => app.page.locator('main [role=status]').first();

testPage('without a run the page says how contexts come about, and leads there', async (app) => {
  await open(app, { found: false });
  const { page } = app;
  await page.getByRole('heading', { name: 'No contexts yet' }).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Find contexts…' }).isDisabled());
  await app.look('contexts-none');
  await page.getByRole('link', { name: 'Train a run' }).click();
  await page.waitForURL(/\/train$/);
});

testPage('contexts are decided on by keyboard alone, with the next one active at once, and taken back', async (app) => {
  const id = await open(app);
  const { page } = app;
  const grid = page.getByRole('grid', { name: 'Contexts' });
  await grid.focus();
  await page.getByRole('gridcell', { name: /^cat sure 10 % · context 73 %, undecided/ }).waitFor();
  await app.look('contexts');
  await page.keyboard.press('Home');
  for (const key of ['p', 'p', 'x', 'p']) await page.keyboard.press(key);
  await page.getByRole('button', { name: /^Accepted\s*3$/ }).waitFor();
  assert.deepEqual(await counts(app, id), [9, 3, 1]);
  assert.equal(await page.getByRole('gridcell', { name: /, accepted,/ }).count(), 3);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('u');
  await page.getByRole('button', { name: /^Accepted\s*2$/ }).waitFor();
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: /^Accepted\s*3$/ }).waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('x');
  await page.getByText('10 contexts rejected', { exact: false }).or(page.getByText('12 contexts rejected.')).waitFor();
  assert.deepEqual(await counts(app, id), [0, 0, 13]);
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: /^Rejected\s*1$/ }).waitFor();
  assert.deepEqual(await counts(app, id), [9, 3, 1]);
});

testPage('contexts are filtered, decided on all at once after a question, by mouse alone', async (app) => {
  const id = await open(app);
  const { page } = app;
  await page.getByRole('gridcell').first().waitFor();
  await page.getByRole('button', { name: 'Class', exact: true }).click();
  await app.screenshot('contexts-classes');
  await page.getByRole('row', { name: /^owl/ }).click();
  await page.keyboard.press('Escape');
  await page.getByText('3 contexts', { exact: true }).waitFor();
  assert.match(page.url(), /class=\d/);
  await page.getByRole('button', { name: 'On all that are shown' }).click();
  await page.getByRole('menuitem', { name: 'Accept all 3 contexts shown' }).click();
  const question = page.getByRole('alertdialog');
  await question.waitFor();
  await app.screenshot('contexts-ask');
  await question.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('3 contexts accepted.').waitFor();
  assert.deepEqual(await counts(app, id), [10, 3, 0]);
  await page.reload();
  await page.getByText('3 contexts', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByRole('button', { name: /^Undecided\s*10$/ }).click();
  await page.getByText('10 contexts', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Undo', exact: true }).first().click();
  await page.getByText('13 contexts', { exact: true }).waitFor();
});

testPage('every way to show a mask shows something else', async (app) => {
  await open(app);
  const { page } = app;
  const cell = page.getByRole('gridcell').first();
  await cell.waitFor();
  const shown = new Set<string>();
  const picture = async (): Promise<string> =>
    (
      await sharp(await cell.screenshot())
        .raw()
        .toBuffer()
    ).toString('base64');
  for (const mode of ['Outline', 'Overlay', 'Context only', 'Saliency', 'Picture']) {
    await page.getByLabel('How contexts are shown').click();
    await page.getByRole('option', { name: mode }).click();
    await atRest(() => cell.screenshot());
    shown.add(await seen(picture, (it) => !shown.has(it), `${mode} shows nothing of its own`));
    await app.screenshot(`contexts-mode-${mode.replace(' ', '-').toLowerCase()}`);
  }
  assert.equal(shown.size, 5);
});

testPage(
  'the large view shows masks with their history; one comes in as a file, an earlier one is put back',
  async (app) => {
    const id = await open(app);
    const { page } = app;
    await page.getByRole('grid', { name: 'Contexts' }).focus();
    await page.getByRole('gridcell').first().waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Soft, (1 − saliency)²').waitFor();
    await page.waitForTimeout(300);
    for (const [width, height] of [
      [1280, 800],
      [900, 600],
    ] as const) {
      await page.setViewportSize({ width, height });
      await app.screenshot(`contexts-large-${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.deepEqual(await app.faults(), []);

    const mask = join(app.root, 'half.png');
    const half = Buffer.alloc(120 * 90);
    half.fill(255, 0, 60 * 90);
    writeFileSync(
      mask,
      await sharp(half, { raw: { width: 120, height: 90, channels: 1 } })
        .png()
        .toBuffer(),
    );
    await dialog.getByLabel('Mask file').setInputFiles(mask);
    await dialog.getByText('From half.png').waitFor();
    await dialog.getByRole('button', { name: 'Restore' }).click();
    await dialog.getByRole('listitem').filter({ hasText: 'Soft' }).getByText('in force').waitFor();
    app.allow(/Failed to load resource.*400/);
    const wrong = join(app.root, 'wrong.png');
    writeFileSync(
      wrong,
      await sharp(Buffer.alloc(4), { raw: { width: 2, height: 2, channels: 1 } })
        .png()
        .toBuffer(),
    );
    await dialog.getByLabel('Mask file').setInputFiles(wrong);
    assert.match(await dialog.getByRole('alert').innerText(), /wrong\.png is 2 x 2/);

    await page.keyboard.press('p');
    await dialog.getByText('2 of 13').waitFor();
    await page.keyboard.press('ArrowLeft');
    await dialog.locator('dl').getByText('accepted').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(await counts(app, id), [12, 1, 0]);
  },
);

testPage('masks are made anew for what is chosen, and undo puts them back', async (app) => {
  await open(app);
  const { page } = app;
  await page.getByRole('grid', { name: 'Contexts' }).focus();
  await page.getByRole('gridcell').first().waitFor();
  await page.keyboard.press('Control+a');
  await page.getByRole('button', { name: 'New mask…' }).click();
  await page.getByRole('dialog', { name: 'New masks for 13 contexts' }).waitFor();
  await app.screenshot('contexts-remask');
  assert.deepEqual(await app.faults(), []);
  await page.getByLabel('Threshold').fill('0.3');
  const before = (await page.getByRole('gridcell').first().getAttribute('aria-label')) ?? '';
  await page.getByRole('button', { name: 'Make masks' }).click();
  await page.getByRole('gridcell', { name: before, exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.getByText('Taken back: new masks for 13 contexts.').waitFor();
  await page.getByRole('gridcell', { name: before, exact: true }).waitFor();
});

testPage('a thousand classes', async (app) => {
  await open(app, { extra: 1000 });
  const { page } = app;
  await page.getByRole('gridcell').first().waitFor();
  await page.getByRole('button', { name: 'Class', exact: true }).click();
  await page.getByLabel('Find a class').fill('class 99');
  assert.equal(
    await page
      .getByRole('table', { name: 'Contexts by class' })
      .or(page.getByRole('grid', { name: 'Contexts by class' }))
      .getAttribute('aria-rowcount'),
    '12',
  );
  await app.screenshot('contexts-thousand');
  assert.match(await status(app).innerText(), /contexts/);
});

testPage('decisions leave the list one by one, and it is not asked for again', async (app) => {
  const id = await open(app);
  const { page } = app;
  await page.getByRole('button', { name: /^Undecided\s*13$/ }).click();
  await page.getByText('13 contexts', { exact: true }).waitFor();
  const lists: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/contexts/ids')) lists.push(request.url());
  });
  await page.getByRole('grid', { name: 'Contexts' }).focus();
  await page.keyboard.press('Home');
  for (const left of [12, 11, 10]) {
    await page.keyboard.press('p');
    await page.getByText(`${left} contexts`, { exact: true }).waitFor();
  }
  assert.deepEqual(await counts(app, id), [10, 3, 0]);
  assert.deepEqual(lists, []);
  // Decided elsewhere, it leaves as well; taken back, its place is asked for.
  const [row] = await app.api<{ id: number }[]>('POST', `/api/projects/${id}/contexts/details`, { ids: [13] });
  await app.api('POST', `/api/projects/${id}/contexts/decide`, { select: { ids: [row.id] }, state: 'rejected' });
  await page.getByText('9 contexts', { exact: true }).waitFor();
  assert.deepEqual(lists, []);
  await page.keyboard.press('Control+z');
  await page.getByText('10 contexts', { exact: true }).waitFor();
  assert.ok(lists.length > 0);
});

testPage('contexts are found at two sizes and brought to the edges, as suits a model for photographs', async (app) => {
  const id = await open(app, { found: false, run: true });
  const { page } = app;
  await page.getByRole('button', { name: 'Find contexts…' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Find contexts' });
  await dialog.getByText('Look at other sizes than usual (64 and 128 pixels)').waitFor();
  assert.ok(await dialog.getByLabel('Follow the picture’s own edges').isChecked());
  await dialog.getByText('How closely it follows them').click();
  assert.equal(await dialog.getByLabel('Reach of an edge').inputValue(), String(100 * DEFAULT_REFINEMENT.radius));
  assert.equal(await dialog.getByLabel('Least contrast').inputValue(), String(DEFAULT_REFINEMENT.epsilon));
  assert.equal(await dialog.getByLabel('Grain').inputValue(), String(DEFAULT_REFINEMENT.grain));
  await app.look('contexts-find');
  await dialog.getByLabel('Look at other sizes than usual').check();
  await dialog.getByRole('textbox', { name: 'Second size' }).fill('64');
  await dialog.getByText('Choose a size that differs from the first.').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Find contexts' }).isDisabled());
  await dialog.getByRole('textbox', { name: 'Second size' }).fill('96');
  await dialog.getByLabel('Mirror images too').check();
  await dialog.getByLabel('Reach of an edge').fill('10');
  await app.look('contexts-find-own');
  await dialog
    .getByText('--size 64 --second-size 96 --mirror --refine --refine-radius 0.1', { exact: false })
    .waitFor();
  await dialog.getByRole('button', { name: 'Find contexts' }).click();
  await page.getByText('13 contexts', { exact: true }).waitFor();
  const detail = await app.api<ContextDetail>('GET', `/api/projects/${id}/contexts/1`);
  const words =
    "Soft, (1 − saliency)², at the picture's edges (radius 0.1); looked at with 64 and 96 px, mirror images too";
  assert.equal(detail.masks[0].how, words);
  await page.getByRole('gridcell').first().waitFor();
  await app.screenshot('contexts-refined');
});

testPage('what was accepted is offered to the next run of context-shift augmentation', async (app) => {
  const id = await open(app);
  const { page } = app;
  await app.goto(`/p/${id}/train`);
  const source = page.getByRole('combobox', { name: /^Contexts that are laid on/ });
  await page.getByRole('checkbox', { name: 'Context-shift augmentation' }).waitFor();
  assert.equal(await source.count(), 0, 'nothing is accepted yet');
  await app.goto(`/p/${id}/contexts`);
  await page.getByRole('grid', { name: 'Contexts' }).focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < 3; i++) await page.keyboard.press('p');
  await page.getByRole('button', { name: /^Accepted\s*3$/ }).waitFor();
  await app.goto(`/p/${id}/train`);
  await page.getByText('The 3 contexts that you accepted are not used.').waitFor();
  await source.click();
  await page.getByRole('option', { name: /The bank: 3 contexts you accepted/ }).click();
  await page.getByText('--curated 1').first().waitFor();
  await source.scrollIntoViewIfNeeded();
  await app.look('train-bank');
});
