/** Review opened in a page test: a project to review, a hand on the mouse, and masks as the service has them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { Draft } from '../../core/api/review.ts';
import type { Project } from '../../core/storage/project.ts';
import { fit, toFrame, type View } from '../../renderer/pages/review/canvas/view.ts';
import { classOf, makeProject, writePicture, type Picture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { type App } from './support.ts';

export const CAT = { width: 120, height: 90 };

export interface Review {
  project: string;
  /** Ids of the contexts, in order of id. */
  contexts: number[];
}

interface OpenOptions {
  /** Folder that everything is made in. */
  root?: string;
  query?: string;
  /** What is done to the project before it is opened. */
  prepare?: (project: Project) => Promise<void>;
  /** Puts the project file elsewhere before it is opened; returns its path for the service. */
  place?: (file: string) => string;
}

/** A project with pictures and found contexts, opened at its review in order of id. */
export async function open(
  app: App,
  { root = app.root, query = '?state=all&sort=id', prepare, place = (file) => file }: OpenOptions = {},
): Promise<Review> {
  const folder = join(root, 'pictures');
  const pictures: Picture[] = [
    ...classOf('train/cat', 8, CAT, 1),
    ...classOf('train/owl', 3, { width: 60, height: 90 }, 100),
  ];
  for (const picture of pictures) await writePicture(folder, picture);
  await writeHalves(join(folder, pictures[0].file));
  const file = join(root, 'birds.contexture');
  const made = await makeProject(file, folder, pictures);
  const contexts = await findSome(
    made,
    Array.from(made.store.images.iterate(), ({ id }) => id),
    { rule: { form: 'threshold', threshold: 0.5 } },
  );
  await prepare?.(made);
  made.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file: place(file) });
  await app.goto(`/p/${id}/review${query}`);
  if (!query.includes('disputed')) await ready(app.page);
  return { project: id, contexts };
}

/** Red to the left, blue to the right, for the flood fill. */
async function writeHalves(path: string): Promise<void> {
  const pixels = Buffer.alloc(CAT.width * CAT.height * 3);
  for (let i = 0; i < CAT.width * CAT.height; i++) pixels[3 * i + (i % CAT.width < 50 ? 0 : 2)] = 200;
  await sharp(pixels, { raw: { ...CAT, channels: 3 } }).toFile(path);
}

/** The picture and its mask are there. */
export async function ready(page: Page): Promise<void> {
  await page.getByRole('application', { name: /^Mask of (cat|owl)/ }).waitFor();
  await page.getByRole('button', { name: 'Invert', disabled: false }).waitFor();
}

export const stage = (page: Page, name: string) => page.getByRole('application', { name: `Mask of ${name}` });

/** What the frame shows, without its border, which says where the keys go. */
export async function inside(page: Page): Promise<Buffer> {
  const { x, y, width, height } = (await page.getByRole('application').boundingBox())!;
  return page.screenshot({ clip: { x: x + 3, y: y + 3, width: width - 6, height: height - 6 } });
}

/** The mask as the service has it. */
export async function maskOf({ page, origin }: App, { project }: Review, context: number): Promise<Uint8Array> {
  const response = await page.request.get(`${origin}/api/projects/${project}/contexts/${context}/draft/values`);
  assert.ok(response.ok(), await response.text());
  return new Uint8Array(inflateSync((await response.body()).subarray(12)));
}

export const draftOf = (app: App, { project }: Review, context: number): Promise<Draft> =>
  app.api('GET', `/api/projects/${project}/contexts/${context}/draft`);

/** Everything is stored. */
export async function saved(page: Page): Promise<void> {
  await page.waitForTimeout(50);
  await page.getByRole('status').getByText('Saved', { exact: true }).waitFor();
}

interface Hand {
  /** Places are pixels of the picture; 0.5 is the centre of the first one. */
  drag: (from: [number, number], to: [number, number]) => Promise<void>;
  click: (x: number, y: number, options?: { button?: 'right' }) => Promise<void>;
  view: View;
}

/** A hand on the mouse over a fitted picture. */
export async function handOn(page: Page, picture: { width: number; height: number } = CAT): Promise<Hand> {
  const frame = page.getByRole('application');
  const size = await page.evaluate<{ width: number; height: number }>(
    `(({ clientWidth, clientHeight }) => ({ width: clientWidth, height: clientHeight }))(document.querySelector('[role=application]'))`,
  );
  const box = (await frame.boundingBox())!;
  const view = fit(size, picture);
  const at = (x: number, y: number): [number, number] => {
    const place = toFrame(view, { x, y });
    return [box.x + 1 + place.x, box.y + 1 + place.y];
  };
  return {
    view,
    async drag(from, to) {
      await page.mouse.move(...at(...from));
      await page.mouse.down();
      await page.mouse.move(...at(...to), { steps: 8 });
      await page.mouse.up();
    },
    async click(x, y, options) {
      await page.mouse.move(...at(x, y));
      await page.mouse.click(...at(x, y), options);
    },
  };
}

/** A mask with a rectangle of another value. */
export function withBox(
  mask: Uint8Array,
  x: number,
  y: number,
  width: number,
  height: number,
  value: number,
): Uint8Array {
  const result = mask.slice();
  for (let row = y; row < y + height; row++) result.fill(value, row * CAT.width + x, row * CAT.width + x + width);
  return result;
}

/** Compare two masks without printing ten thousand numbers. */
export function same(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const differ = Array.from(actual.keys()).filter((i) => actual[i] !== expected[i]);
  const places = differ
    .slice(0, 5)
    .map((i) => `${i % CAT.width}, ${Math.floor(i / CAT.width)}: ${actual[i]} not ${expected[i]}`);
  assert.equal(differ.length, 0, `${what}: ${differ.length} pixels differ, such as ${places.join('; ')}`);
}

export async function setDiameter(page: Page, diameter: number): Promise<void> {
  for (let i = 0; i < 60; i++) await page.keyboard.press('[');
  for (let i = 1; i < diameter; i++) await page.keyboard.press(']');
  await page.getByText(`${diameter} px`, { exact: true }).first().waitFor();
}
