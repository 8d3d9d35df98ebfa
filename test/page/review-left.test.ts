/** Strokes that the service could not take, over the end of the page. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { draftOf, handOn, maskOf, open, ready, same, saved, withBox } from './review-support.ts';
import { skip, startServe, withApp, type App } from './support.ts';

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** Close a page as a person does. @returns the kinds of questions that were asked before, each answered with yes */
async function closeAsPerson(page: Page): Promise<string[]> {
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  const closed = page.waitForEvent('close');
  await page.close({ runBeforeUnload: true });
  await closed;
  return asked;
}

const BOXES = [[30, 10], [50, 10], [50, 30]] as const; // prettier-ignore

/** A mask with those boxes. */
const painted = (mask: Uint8Array): Uint8Array => BOXES.reduce((all, [x, y]) => withBox(all, x, y, 10, 10, 255), mask);

test(
  'strokes painted while the service is away are there when both are back; a changed mask is not painted over unseen',
  { skip },
  async () => {
    const root = temporaryFolder();
    const state = temporaryFolder();
    const port = await freePort();
    const serve = () =>
      startServe(['core/cli/main.ts', 'serve', '--root', root, '--port', String(port)], {
        CONTEXTURE_STATE: state,
        HOME: root,
      });
    let service = await serve();
    try {
      await withApp(
        async (app) => {
          app.allow(/Failed to load resource/, /ERR_/);
          const review = await open(app, { root });
          const [context] = review.contexts;
          const path = new URL(app.page.url()).pathname + new URL(app.page.url()).search;
          await app.page.keyboard.press('i');
          await saved(app.page);
          const before = await maskOf(app, review, context);
          /** Paint boxes while nobody answers, and close the page. @returns a page in the same browser, and the service */
          const paintAndClose = async (page: Page): Promise<Page> => {
            await service.stop();
            // The bar about the service moves the picture.
            await page.getByRole('button', { name: 'Try now' }).waitFor();
            await page.waitForTimeout(300);
            const hand = await handOn(page);
            await page.keyboard.press('r');
            for (const [x, y] of BOXES) await hand.drag([x + 0.5, y + 0.5], [x + 9.5, y + 9.5]);
            await page.getByText(/^Not saved \(3 strokes\)/).waitFor();
            const next = await page.context().newPage();
            assert.deepEqual(await closeAsPerson(page), ['beforeunload']);
            service = await serve();
            await next.goto(service.address);
            return next;
          };

          // They are sent as soon as the project is open, on whichever page.
          const second = await paintAndClose(app.page);
          await second.goto(`${app.origin}/p/${review.project}/explore`);
          await second.getByText('3 strokes from before the window closed were stored now.').waitFor();
          const again = appOn(app, second);
          same(await maskOf(again, review, context), painted(before), 'after the window was closed');
          assert.equal((await draftOf(again, review, context)).undo, 4);
          await second.goto(app.origin + path);
          await ready(second);
          await saved(second);

          // Someone else paints before they can be sent.
          await second.keyboard.press('i');
          await saved(second);
          const third = await paintAndClose(second);
          const other = appOn(app, third);
          const draft = `/api/projects/${review.project}/contexts/${context}/draft`;
          for (const _ of ['invert', 'the last box']) {
            const { revision } = await draftOf(other, review, context);
            await other.api('POST', `${draft}/undo`, { revision });
          }
          const theirs = await maskOf(other, review, context);
          await third.goto(`${app.origin}/p/${review.project}/explore`);
          await third.getByText(/^3 strokes from before the window closed were not stored: /).waitFor();
          same(await maskOf(other, review, context), theirs, 'the change of someone else');
          await third.getByRole('button', { name: 'Look' }).click();
          await third.getByText('3 strokes of yours are not in it.').waitFor();
          await third.getByRole('status').getByRole('button', { name: 'Look' }).click();
          await third.getByRole('button', { name: 'Hide' }).waitFor();
          await other.screenshot('review-left');
          assert.deepEqual(await other.faults(), []);
          await third.getByRole('button', { name: 'Paint again' }).click();
          await saved(third);
          same(await maskOf(other, review, context), painted(theirs), 'painted again');
          assert.deepEqual(await closeAsPerson(third), []);
        },
        { address: service.address },
      );
    } finally {
      await service.stop();
    }
  },
);

/** The same application on another page of its browser. */
function appOn(app: App, page: Page): App {
  return Object.create(app, { page: { value: page } });
}
