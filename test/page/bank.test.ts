import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { BankSummary, StoredDiversity } from '../../core/api/bank.ts';
import type { ContextDetail } from '../../core/api/contexts.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import { retireContexts } from '../../core/services/bank.ts';
import { decideContexts, putMask } from '../../core/services/contexts.ts';
import { queueRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, maskOf, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { addPhotoRun } from '../fixtures/photo-run.ts';
import { testPage, type App } from './support.ts';

const ANN = { author: 'Ann', at: '2026-02-01T10:00:00.000Z' };
const BOB = { author: 'Bob', at: '2026-02-02T10:00:00.000Z' };
/** A run that is frozen now, with what the bank holds. */
const freeze = (project: Project) =>
  queueRun(project, { method: 'csa', preset: 'small', overrides: { curatedShare: 1, threads: 1 } });

/**
 * Contexts 1 to 8 are cats, 9 to 11 owls, 12 and 13 newts; Ann accepted 1 to 6, Bob 7, 9 and 10. Opened at the bank.
 * @param options.prepare what else happened to the project before
 */
async function open(
  app: App,
  {
    found = true,
    decided = true,
    prepare = () => {},
  }: {
    found?: boolean;
    decided?: boolean;
    prepare?: (project: Project) => unknown;
  } = {},
): Promise<string> {
  const root = join(app.root, 'pictures');
  const pictures = [
    ...classOf('train/cat', 8, { width: 120, height: 90 }, 1),
    ...classOf('train/owl', 3, { width: 60, height: 90 }, 100),
    ...classOf('train/newt', 2, { width: 100, height: 100 }, 200),
    ...classOf('test/cat', 1, { width: 120, height: 90 }, 300),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const file = join(app.root, 'birds.contexture');
  const made = await makeProject(file, root, pictures);
  if (found) {
    await findSome(made, Array.from(made.store.images.iterate(), ({ id }) => id).slice(0, -1));
  }
  if (found && decided) {
    decideContexts(made, [1, 2, 3, 4, 5, 6], 'accepted', ANN);
    decideContexts(made, [7, 9, 10], 'accepted', BOB);
  }
  await prepare(made);
  made.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await app.goto(`/p/${id}/bank`);
  return id;
}

const summary = (app: App, id: string): Promise<BankSummary> => app.api('GET', `/api/projects/${id}/bank`);
const detail = (app: App, id: string, context: number): Promise<ContextDetail> =>
  app.api('GET', `/api/projects/${id}/contexts/${context}`);

testPage('an empty bank says what it is for and leads to where contexts are accepted', async (app) => {
  const id = await open(app, { decided: false });
  const { page } = app;
  await page.getByRole('heading', { name: 'The bank is empty' }).waitFor();
  await app.look('bank-empty');
  await page.getByRole('link', { name: 'Review contexts' }).click();
  await page.waitForURL(/\/review$/);
  await app.goto(`/p/${id}/bank`);
  await page.getByRole('link', { name: 'Go to Contexts' }).click();
  await page.waitForURL(/\/contexts$/);
});

testPage('contexts are retired and put back by keyboard alone, and it says what was made with them', async (app) => {
  const id = await open(app, { prepare: freeze });
  const { page } = app;
  await page.getByText('9 contexts', { exact: true }).first().waitFor();
  const grid = page.getByRole('grid', { name: 'Contexts of the bank' });
  await grid.focus();
  await page.getByRole('gridcell', { name: /^cat, sure 10 % · 1 use, Ann, 0\.png/ }).waitFor();
  await app.look('bank');
  await page.keyboard.press('Home');
  await page.keyboard.press('x');
  await page.getByText('1 context retired. 1 run was made with it before and stays as it is.').waitFor();
  await page.getByRole('gridcell', { name: /^cat, sure 10 %/ }).waitFor({ state: 'detached' });
  await page.keyboard.press('Control+a');
  await page.keyboard.press('x');
  await page.getByText('8 contexts retired.', { exact: false }).waitFor();
  await page.getByRole('heading', { name: 'Every context is retired' }).waitFor();
  assert.deepEqual([(await summary(app, id)).contexts, (await summary(app, id)).retired], [0, 9]);
  await page.keyboard.press('Control+z');
  await page.getByText('Taken back: retiring 8 contexts.').waitFor();
  await page.getByText('8 contexts', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: /^Retired 1$/ }).click();
  await page.getByRole('gridcell', { name: /, retired, 0\.png/ }).waitFor();
  await app.screenshot('bank-retired');
  await grid.focus();
  await page.keyboard.press('p');
  await page.getByText('1 context put back.').waitFor();
  await page.getByRole('heading', { name: 'Nothing is retired' }).waitFor();
  assert.equal((await summary(app, id)).contexts, 9);
});

testPage('the bank is filtered and ordered by mouse alone, and the address keeps it', async (app) => {
  const id = await open(app, {
    prepare: (project) => {
      freeze(project);
      retireContexts(project, [9], true, ANN);
      freeze(project);
      project.store.contexts.setNote(10, 'Night, wet road');
      decideContexts(project, [12], 'accepted', BOB);
    },
  });
  const { page } = app;
  const status = page.locator('[role=tabpanel] [role=status]').first();
  const shows = (text: string) => status.getByText(text, { exact: true }).waitFor();
  const choose = async (name: string, option: string | RegExp) => {
    await page
      .getByRole('button', { name, exact: true })
      .or(page.getByRole('combobox', { name, exact: true }))
      .click();
    await page.getByRole('option', { name: option }).click();
  };
  await shows('9 contexts');
  await choose('Used or not', /^Never used/);
  await shows('1 context');
  await page.getByRole('gridcell', { name: /^newt, sure .* · 0 uses, Bob/ }).waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await choose('Reviewer', /^Bob \(4\)$/);
  await shows('3 contexts');
  await page.getByRole('button', { name: 'Both' }).click();
  await shows('4 contexts');
  assert.match(page.url(), /held=all/);
  await page.getByRole('searchbox', { name: 'Find in notes' }).fill('WET');
  await shows('1 context');
  await page.reload();
  await shows('1 context');
  await page.getByRole('button', { name: 'Clear' }).click();
  await shows('10 contexts');
  await choose('Order', 'By uses');
  await page.getByRole('button', { name: 'Class', exact: true }).click();
  await page.getByRole('row', { name: /^owl/ }).click();
  await page.keyboard.press('Escape');
  await shows('2 contexts');
  const cells = page.getByRole('gridcell');
  assert.match((await cells.nth(0).getAttribute('aria-label')) ?? '', /· 1 use, Bob, retired/);
  assert.match((await cells.nth(1).getAttribute('aria-label')) ?? '', /· 2 uses, Bob/);
  await page.getByRole('button', { name: 'On all that are shown' }).click();
  await page.getByRole('menuitem', { name: 'Put back all 2 contexts shown' }).click();
  const question = page.getByRole('alertdialog');
  await question.waitFor();
  await app.screenshot('bank-ask');
  await question.getByRole('button', { name: 'Put back' }).click();
  await page.getByText('1 context put back.').waitFor();
  assert.equal((await summary(app, id)).contexts, 10);
});

testPage('a record tells of masks, uses and who accepted it; its note is saved in place', async (app) => {
  const id = await open(app, {
    prepare: async (project) => {
      freeze(project);
      const mask = await encodeGrey({ width: 120, height: 90, data: maskOf({ width: 120, height: 90 }) });
      await putMask(project, 1, { bytes: mask, name: 'slope.png' }, ANN);
    },
  });
  const { page } = app;
  await page.getByRole('gridcell').first().waitFor();
  const record = page.getByRole('complementary', { name: 'The active context' });
  await record.getByText('1 run was made with it, with an earlier mask.').waitFor();
  await record.getByText('earlier mask', { exact: true }).waitFor();
  await record.getByText('From slope.png').waitFor();
  const note = record.getByLabel('Note');
  await note.fill('night, wet road');
  await record.getByText('Saved').waitFor();
  assert.equal((await detail(app, id, 1)).note, 'night, wet road');
  await app.look('bank-record');
  // What was typed last is saved though the field is gone at once.
  await note.fill('night');
  await page.getByRole('gridcell').nth(1).click();
  await record.getByText('1 run was made with it.', { exact: true }).waitFor();
  assert.equal(await note.inputValue(), '');
  assert.equal((await detail(app, id, 1)).note, 'night');
  await page.getByRole('gridcell').first().click();
  await record.getByRole('link', { name: /^Run 1, / }).click();
  await page.waitForURL(/\/runs\/1$/);
  await page.goBack();
  await page.getByRole('gridcell').nth(1).click();
  await record.getByRole('link', { name: 'In Contexts' }).click();
  await page.getByRole('dialog').getByText('1.png').first().waitFor();
  await page.goBack();
  await page.getByRole('gridcell').nth(1).click();
  await record.getByRole('link', { name: 'Review' }).click();
  await page.waitForURL(/review\?.*context=2/);
});

testPage('many banks are counted as a task in sight, and then uses stand below the pictures', async (app) => {
  const id = await open(app, {
    prepare: (project) => {
      for (const retired of [2, 3, 4, 5, 6, 7]) {
        freeze(project);
        retireContexts(project, [retired], true, ANN);
      }
    },
  });
  const { page } = app;
  await page.getByRole('gridcell', { name: /^cat, sure 10 % · 6 uses, Ann/ }).waitFor();
  const tasks = await app.api<{ kind: string; state: string; project: string }[]>('GET', '/api/tasks');
  assert.deepEqual(
    tasks.filter(({ kind, project }) => kind === 'uses' && project === id).map(({ state }) => state),
    ['done'],
  );
});

testPage(
  'diversity is measured by a model, stays after a reload, and one of two near twins is retired',
  async (app) => {
    const id = await open(app, { prepare: addPhotoRun });
    const { page } = app;
    await page.getByRole('tab', { name: 'Diversity' }).click();
    await page.getByRole('heading', { name: 'Not measured yet' }).waitFor();
    await app.look('bank-diversity-none');
    await page.getByRole('textbox', { name: 'Near twins from' }).fill('0.5');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByText('different backgrounds among 9 contexts').waitFor();
    const report = await app.api<StoredDiversity>('GET', `/api/projects/${id}/bank/diversity`);
    await page.getByText(report.sentence).waitFor();
    await page.reload();
    await page.getByText('different backgrounds among 9 contexts').waitFor();
    await page.getByRole('row', { name: /^cat/ }).waitFor();
    const [{ a, b }] = report.twins;
    const retire = page.getByRole('button', { name: 'Retire this one' });
    await retire.first().waitFor();
    await page.waitForTimeout(500);
    await app.look('bank-diversity');
    await retire.first().scrollIntoViewIfNeeded();
    await app.screenshot('bank-diversity-twins');
    await retire.first().click();
    await page.getByText('Context retired. Nothing was made with it yet.').waitFor();
    await page.getByRole('button', { name: 'Put back' }).first().waitFor();
    await page.getByText('1 background has changed since: measure again.').waitFor();
    const held = await Promise.all([a, b].map(async (twin) => (await detail(app, id, twin.id)).retiredAt === null));
    assert.deepEqual(held, [false, true]);
    await page.getByRole('tab', { name: 'Contexts' }).click();
    await page.getByText(report.effective.toFixed(1), { exact: false }).first().waitFor();
    await app.screenshot('bank-measured');
  },
);

testPage('without a model the tab of diversity leads to training', async (app) => {
  await open(app);
  const { page } = app;
  await page.getByRole('tab', { name: 'Diversity' }).click();
  await page.getByRole('heading', { name: 'No model to look with' }).waitFor();
  await page.getByRole('link', { name: 'Train a run' }).click();
  await page.waitForURL(/\/train$/);
});
