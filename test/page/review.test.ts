import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import type { ContextCounts } from '../../core/api/contexts.ts';
import { asJson } from '../../core/base/json.ts';
import { maskFromSaliency } from '../../core/contexts/mask.ts';
import { morph } from '../../core/contexts/mask-morphology.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import type { Project } from '../../core/storage/project.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { toFrame } from '../../renderer/pages/review/canvas/view.ts';
import { newRun } from '../db/support.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import {
  CAT,
  draftOf,
  handOn,
  inside,
  maskOf,
  open,
  ready,
  same,
  saved,
  setDiameter,
  stage,
  withBox,
} from './review-support.ts';
import { atRest, seen, skip, testPage, withApp } from './support.ts';
import { shellOf } from './watched-service.ts';

testPage('each tool changes exactly the pixels that it should, as the service has them', async (app) => {
  const review = await open(app);
  const [context] = review.contexts;
  const { page } = app;
  const hand = await handOn(page);
  let mask = await maskOf(app, review, context);
  assert.ok(new Set(mask).size === 2);
  /** What was just done has made the mask so. */
  const expect = async (expected: Uint8Array, what: string): Promise<void> => {
    await saved(page);
    mask = await maskOf(app, review, context);
    same(mask, expected, what);
  };

  await setDiameter(page, 1);
  await page.keyboard.press('e');
  await hand.drag([100.5, 80.5], [110.5, 80.5]);
  await expect(withBox(mask, 100, 80, 11, 1, 0), 'eraser of one pixel');
  await page.keyboard.press('b');
  await hand.click(105.5, 80.5);
  await expect(withBox(mask, 105, 80, 1, 1, 255), 'brush of one pixel');
  await hand.click(105.5, 80.5, { button: 'right' });
  await expect(withBox(mask, 105, 80, 1, 1, 0), 'brush with the right button');
  await page.keyboard.press(']');
  await page.keyboard.press(']');
  await hand.drag([20.5, 10.5], [20.5, 30.5]);
  // All nine pixels round its middle lie within a tip of three.
  await expect(withBox(mask, 19, 9, 3, 23, 255), 'brush of three pixels');

  await page.keyboard.press('r');
  await hand.drag([30.5, 40.5], [59.5, 69.5]);
  await expect(withBox(mask, 30, 40, 30, 30, 255), 'box');
  await page.keyboard.down('Alt');
  await hand.drag([35.5, 45.5], [39.5, 46.5]);
  await page.keyboard.up('Alt');
  await expect(withBox(mask, 35, 45, 5, 2, 0), 'box with Alt');

  await page.keyboard.press('l');
  for (const [x, y] of [[70, 10], [90, 10], [90, 30], [70, 30]]) await hand.click(x, y); // prettier-ignore
  await app.screenshot('review-polygon');
  await page.keyboard.press('Enter');
  await expect(withBox(mask, 70, 10, 20, 20, 255), 'polygon');
  for (const [x, y] of [[72, 12], [80, 12], [80, 28], [72, 28]]) await hand.click(x, y, { button: 'right' }); // prettier-ignore
  await page.keyboard.press('Shift+Enter');
  await expect(withBox(mask, 72, 12, 8, 16, 0), 'polygon taking out');

  await page.keyboard.press('f');
  await hand.click(10.5, 50.5);
  await expect(withBox(mask, 0, 0, 50, 90, 255), 'fill by colour');
  await hand.drag([100.5, 50.5], [40.5, 45.5]);
  await expect(withBox(mask, 50, 0, 70, 90, 255), 'fill, dragged to no tolerance at all');

  await page.keyboard.press('e');
  await hand.drag([60.5, 60.5], [70.5, 60.5]);
  await saved(page);
  mask = await maskOf(app, review, context);
  for (const [button, operation, amount] of [
    ['Invert', 'invert', 2],
    ['Grow', 'grow', 2],
    ['Smooth', 'smooth', 2],
    ['Shrink', 'shrink', 2],
    ['Fill holes', 'fill-holes', 64],
    ['Invert', 'invert', 2],
    ['Drop specks', 'drop-specks', 64],
  ] as const) {
    await page.getByRole('button', { name: button, exact: true }).click();
    await expect(morph({ ...CAT, data: mask }, operation, amount), operation);
  }

  const png = await page.request.get(`${app.origin}/api/projects/${review.project}/contexts/${context}/saliency`);
  const { data, info } = await sharp(await png.body())
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const saliency = { width: info.width, height: info.height, data: new Uint8Array(data) };
  await page.getByRole('button', { name: 'Soft', exact: true }).click();
  await expect(maskFromSaliency(saliency, CAT.width, CAT.height, { form: 'soft' }).data, 'soft mask');
  await page.getByRole('button', { name: 'Binary', exact: true }).click();
  await expect(morph({ ...CAT, data: mask }, 'binarize', 0), 'binary mask');
  const slider = page.getByRole('slider', { name: 'Saliency below which pixels are context' });
  await slider.focus();
  for (let i = 0; i < 20; i++) await slider.press('ArrowLeft');
  await app.screenshot('review-threshold');
  await page.waitForTimeout(800);
  await expect(
    maskFromSaliency(saliency, CAT.width, CAT.height, { form: 'threshold', threshold: 0.3 }).data,
    'threshold',
  );
});

testPage('strokes are undone and redone one by one, also after the page was opened anew', async (app) => {
  const review = await open(app);
  const [context] = review.contexts;
  const { page } = app;
  const states = [await maskOf(app, review, context)];
  let hand = await handOn(page);
  await setDiameter(page, 9);
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press(i % 2 === 0 ? 'b' : 'e');
    await hand.drag([20.5 + 10 * i, 30.5], [40.5 + 10 * i, 60.5]);
    await saved(page);
    states.push(await maskOf(app, review, context));
  }
  const back = async (to: number): Promise<void> => {
    await saved(page);
    same(await maskOf(app, review, context), states[to], `undone to ${to}`);
  };
  await page.keyboard.press('Control+z');
  await back(3);
  await page.getByRole('button', { name: 'Undo the last stroke' }).click();
  await back(2);
  await page.keyboard.press('Control+Shift+z');
  await back(3);
  // To another picture, whose strokes are its own, and back.
  await page.keyboard.press('d');
  await page.getByText('2 of 11').waitFor();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('a');
  await page.getByText('1 of 11').waitFor();
  await back(3);
  await page.reload();
  await ready(page);
  await page.getByRole('button', { name: 'Undo the last stroke', disabled: false }).waitFor();
  for (const to of [2, 1, 0]) {
    await page.keyboard.press('Control+z');
    await back(to);
  }
  await page.keyboard.press('Control+y');
  await back(1);
  // What is shown is what is stored: a picture of the page undone looks as the page opened anew.
  const look = (): Promise<Buffer> => stage(page, 'cat').screenshot();
  const shown = await atRest(look);
  await page.reload();
  await ready(page);
  await page.getByRole('button', { name: 'Undo the last stroke', disabled: false }).waitFor();
  await seen(look, (it) => shown.equals(it), 'the page shows another mask than the service has');
  hand = await handOn(page);
  await page.keyboard.press('e');
  await hand.drag([5.5, 5.5], [9.5, 5.5]);
  await saved(page);
  assert.ok(await page.getByRole('button', { name: 'Redo' }).isDisabled());
});

testPage(
  'decisions go on to the next picture, by keys and by mouse alone; progress says how far it is',
  async (app) => {
    const review = await open(app, { query: '' });
    const { page } = app;
    const counts = async (): Promise<number[]> => {
      const { undecided, accepted, rejected } = await app.api<ContextCounts>(
        'GET',
        `/api/projects/${review.project}/contexts/counts`,
      );
      return [undecided, accepted, rejected];
    };
    await page.getByText('1 of 11').waitFor();
    for (const key of ['p', 'x', 'u']) await page.keyboard.press(key);
    await page.getByText('4 of 11').waitFor();
    await saved(page);
    assert.deepEqual(await counts(), [9, 1, 1]);
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByRole('button', { name: 'Accept', exact: true }).click();
    await page.getByText('6 of 11').waitFor();
    await saved(page);
    assert.deepEqual(await counts(), [7, 2, 2]);
    await page.getByRole('button', { name: /^1: / }).click();
    await page.getByText('1 of 11').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Accept', exact: true }).getAttribute('aria-pressed'), 'true');
    await page.keyboard.press('Control+Shift+d');
    await page.getByText('3 of 11').waitFor();
    await page.keyboard.press('z');
    await page.getByText('5 of 11').waitFor();
    await saved(page);
    assert.deepEqual(await counts(), [8, 1, 2]);
    await page.getByRole('tab', { name: 'Queue' }).click();
    await page.getByText('3 of 11 contexts').waitFor();
    await app.look('review-queue');
    await page.getByRole('button', { name: 'Anew' }).click();
    await page.locator('.place').getByText('1 of 8').waitFor();
    await page.getByRole('row', { name: /^owl/ }).click();
    assert.match(page.url(), /class=\d/);
  },
);

testPage('everything by keyboard: a cross paints, polygons get corners, keys can be given up', async (app) => {
  const review = await open(app);
  const [context] = review.contexts;
  const { page } = app;
  let mask = await maskOf(app, review, context);
  await setDiameter(page, 1);
  await page.keyboard.press('e');
  await page.keyboard.press('c');
  // From the middle, (60, 45), to the right.
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await saved(page);
  const expected = withBox(mask, 70, 45, 6, 1, 0);
  mask = await maskOf(app, review, context);
  same(mask, expected, 'eraser by keyboard');
  assert.match(await page.locator('#stage-hint').innerText(), /^Column 76, row 46: 0 % context$/);
  await page.keyboard.press('l');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Escape');
  assert.equal((await draftOf(app, review, context)).undo, 1);
  await page.keyboard.press('Escape');
  // Without the cross the arrows are the queue's again.
  await page.keyboard.press('ArrowRight');
  await page.getByText('2 of 11').waitFor();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog');
  await sheet.getByText('Paint by keyboard: show or hide the cross').waitFor();
  await app.screenshot('review-keys');
});

testPage(
  'the view: every mode shows something else, light and dark; H hides, Space moves, the wheel enlarges',
  async (app) => {
    await open(app);
    const { page } = app;
    const frame = stage(page, 'cat');
    const shown = new Set<string>();
    const picture = async (): Promise<string> => (await atRest(() => inside(page))).toString('base64');
    for (const mode of ['Overlay', 'Outline', 'Heat map', 'Context', 'Foreground', 'As trained']) {
      await page.getByRole('button', { name: mode, exact: true }).click();
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await app.drawn();
        if (scheme === 'light')
          shown.add(await seen(picture, (it) => !shown.has(it), `${mode} shows nothing of its own`));
        await app.screenshot(`review-mode-${mode.replace(' ', '-').toLowerCase()}-${scheme}`);
      }
      await page.emulateMedia({ colorScheme: 'light' });
    }
    assert.equal(shown.size, 6);
    await page.getByRole('button', { name: 'Overlay', exact: true }).click();
    await frame.focus();
    await page.mouse.move(5, 5);
    const look = (): Promise<Buffer> => inside(page);
    const before = await atRest(look);
    const asBefore = (it: Buffer): boolean => before.equals(it);
    await page.keyboard.down('h');
    await seen(look, (it) => !asBefore(it), 'the mask is not hidden');
    await page.keyboard.up('h');
    await seen(look, asBefore, 'the mask does not come back as it was');
    const box = (await frame.boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 200);
    await page.mouse.wheel(0, -600);
    await page.keyboard.down('Space');
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 260, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Space');
    await page.keyboard.press('1');
    await page.getByText('100 %', { exact: true }).waitFor();
    await page.keyboard.press('0');
    await page.mouse.move(5, 5);
    await seen(look, asBefore, 'looking has changed the mask');
    await app.look('review');
  },
);

testPage('from the grid to the canvas and back; masks of many are changed at once and taken back', async (app) => {
  const review = await open(app);
  const { page } = app;
  const before = await Promise.all(review.contexts.map((context) => maskOf(app, review, context)));
  await page.getByRole('link', { name: 'Grid' }).click();
  await page.getByRole('grid', { name: 'Contexts' }).focus();
  await page.getByRole('gridcell').first().waitFor();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('e');
  await page.locator('.place').getByText('2 of 11').waitFor();
  await page.goBack();
  await page.getByRole('gridcell').first().waitFor();
  await page.getByRole('button', { name: 'On all that are shown' }).click();
  await page.getByRole('menuitem', { name: 'Change the masks of all shown…' }).click();
  await page.getByRole('dialog', { name: 'Change the masks of 11 contexts' }).waitFor();
  await app.screenshot('review-morph');
  assert.deepEqual(await app.faults(), []);
  await page.getByLabel('Radius').fill('3');
  await page.getByRole('button', { name: 'Change masks' }).click();
  const [cat] = review.contexts;
  const grown = morph({ ...CAT, data: before[0] }, 'grow', 3);
  for (let i = 0; i < 200 && Buffer.compare(await maskOf(app, review, cat), grown) !== 0; i++) await wait(50);
  same(await maskOf(app, review, cat), grown, 'grown with all others');
  await page.getByRole('button', { name: 'Undo', exact: true }).first().click();
  await page.getByText(/^Taken back: .* 11 contexts/).waitFor();
  for (const [i, context] of review.contexts.entries()) {
    assert.deepEqual(await maskOf(app, review, context), before[i]);
  }
});

/** A newer run that sees the left half of the first two cats, whose masks a person has made of a strip. */
async function dispute({ store, blobs }: Project): Promise<void> {
  const at = '2026-01-02T00:00:00.000Z';
  const modelBlob = blobs.put(Buffer.from('a newer model'));
  const config = asJson(makeConfig('csa', 'small', 32, {}));
  const run = store.runs.add({ ...newRun({ config }), name: 'newer', state: 'finished', modelBlob });
  for (const context of [1, 2]) {
    const { imageId } = store.contexts.get(context)!;
    const kept = async (columns: number) => {
      const data = Uint8Array.from({ length: CAT.width * CAT.height }, (_, i) => (i % CAT.width < columns ? 0 : 255));
      const blob = blobs.put(await encodeGrey({ ...CAT, data }));
      return { imageId, parentId: null, params: null, ...CAT, area: 0.5, author: 'ann', createdAt: at, blob };
    };
    const { id: _id, doubt: _doubt, ...map } = store.saliencies.ofImage(imageId)[0];
    const saliency = store.saliencies.add({ ...map, modelHash: modelBlob, runId: run.id });
    store.masks.add({ ...(await kept(60)), origin: 'soft', saliencyId: saliency.id });
    const own = store.masks.add({ ...(await kept(10 * context)), origin: 'edit', saliencyId: null });
    store.contexts.setMask(context, own.id, 'ann', at);
  }
}

testPage(
  'disputed masks: before and after side by side, worst first; mine is kept, theirs taken, or mine painted on',
  async (app) => {
    const review = await open(app, { query: '?disputed=1', prepare: dispute });
    const [first, second] = review.contexts;
    const { page } = app;
    // The made-up run has no data set that its page could show.
    app.allow(/404.*runs\/1\)/);
    await page.getByText('As “newer” sees it').waitFor();
    await page.getByText('overlap by 17 %').waitFor();
    await page.waitForTimeout(500);
    await app.look('review-disputed');
    await page.getByRole('button', { name: 'Keep mine' }).click();
    await page.getByText('overlap by 33 %').waitFor();
    await page.getByRole('button', { name: 'Take the model’s' }).click();
    const taken = Uint8Array.from({ length: CAT.width * CAT.height }, (_, i) => (i % CAT.width < 60 ? 0 : 255));
    for (let i = 0; i < 100 && (await maskOf(app, review, second))[30] !== 0; i++) await wait(50);
    same(await maskOf(app, review, second), taken, 'the mask of the model');
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Edit mine' }).click();
    await ready(page);
    await page.keyboard.press('i');
    await saved(page);
    assert.equal((await maskOf(app, review, first))[0], 255);
  },
);

testPage(
  'two windows: one follows the other; strokes of both at once never overwrite, and are offered again',
  async (app) => {
    const review = await open(app);
    const [context] = review.contexts;
    const { page } = app;
    app.allow(/Failed to load resource.*409/);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await ready(other);
    const [mine, theirs] = [await handOn(page), await handOn(other)];
    await page.keyboard.press('i');
    await saved(page);
    await other.getByRole('button', { name: 'Undo the last stroke', disabled: false }).waitFor();
    const mask = await maskOf(app, review, context);
    for (const one of [page, other]) await one.keyboard.press('r');
    await mine.drag([10.5, 10.5], [19.5, 19.5]);
    await saved(page);
    await other.getByRole('button', { name: 'Undo the last stroke', disabled: false }).waitFor();
    await other.waitForTimeout(200);
    await theirs.drag([30.5, 10.5], [39.5, 19.5]);
    await saved(other);
    const first = withBox(withBox(mask, 10, 10, 10, 10, 255), 30, 10, 10, 10, 255);
    same(await maskOf(app, review, context), first, 'one after the other');
    await page.waitForTimeout(300);

    // While one hand is down, the other window paints.
    await setDiameter(page, 1);
    await page.keyboard.press('b');
    const at = toFrame(mine.view, { x: 90.5, y: 80.5 });
    const box = (await page.getByRole('application').boundingBox())!;
    await page.mouse.move(box.x + 1 + at.x, box.y + 1 + at.y);
    await page.mouse.down();
    await theirs.drag([60.5, 60.5], [79.5, 69.5]);
    await saved(other);
    await page.mouse.move(box.x + 1 + at.x + 4 * mine.view.scale, box.y + 1 + at.y, { steps: 4 });
    await page.mouse.up();
    await page.getByText('1 stroke of yours is not in it.').waitFor();
    const second = withBox(first, 60, 60, 20, 10, 255);
    same(await maskOf(app, review, context), second, 'the other window was first');
    await app.screenshot('review-conflict');
    assert.deepEqual(await app.faults(), []);
    await page.getByRole('button', { name: 'Paint again' }).click();
    await saved(page);
    same(await maskOf(app, review, context), withBox(second, 90, 80, 5, 1, 255), 'painted again');
    await other.close();
  },
);

test(
  'the service dies while strokes are made: they wait, and are stored in order when it is back',
  { skip },
  async () => {
    const { service, address, close } = await shellOf();
    try {
      await withApp(
        async (app) => {
          app.allow(/Failed to load resource/, /ERR_/);
          const review = await open(app, { root: temporaryFolder() });
          const [context] = review.contexts;
          const { page } = app;
          const hand = await handOn(page);
          await page.keyboard.press('i');
          await saved(page);
          const mask = await maskOf(app, review, context);
          await page.keyboard.press('r');
          await hand.drag([10.5, 10.5], [19.5, 19.5]);
          await saved(page);
          const { pid } = service;
          process.kill(pid ?? 0, 'SIGKILL');
          for (const [x, y] of [[30.5, 10.5], [50.5, 10.5], [50.5, 30.5]] as const) await hand.drag([x, y], [x + 9, y + 9]); // prettier-ignore
          await page.keyboard.press('Control+z');
          await app.screenshot('review-away');
          while (service.pid === pid || service.pid === undefined) await wait(50);
          await service.address();
          await saved(page);
          const expected = [[10, 10], [30, 10], [50, 10]].reduce((all, [x, y]) => withBox(all, x, y, 10, 10, 255), mask); // prettier-ignore
          same(await maskOf(app, review, context), expected, 'after the restart');
          assert.equal((await draftOf(app, review, context)).undo, 4);
        },
        { address },
      );
    } finally {
      await close();
    }
  },
);
