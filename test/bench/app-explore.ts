/**
 * Explore at 100,000 images: how long a click on a class takes until its images are listed on the screen (`filter100kMs`;
 * of that in the service: `filterServiceMs`), and frames a second while the grid scrolls (`scrollFps`, from the browser's
 * trace; `scrollFirstFps` through pictures whose thumbnails had not been made before).
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Task } from '../../core/api/tasks.ts';
import { writeManyImages } from '../fixtures/many-images.ts';
import { withServedPage, type ServedPage } from './served-page.ts';

/** How far a frame of scrolling goes, CSS pixels: three windows a second, below what the grid takes for a fling. */
const STEP = 26;

/** The grid, in a script of the page. */
const GRID = `document.querySelector('[role=grid][aria-label=Images]')`;

/** Milliseconds from the next press to the frame in which another count of images is shown. */
const NEXT_COUNT = `new Promise((resolve) => {
  let start = 0;
  addEventListener('pointerdown', () => (start = performance.now()), { once: true, capture: true });
  new MutationObserver((changes, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
  }).observe(document.querySelector('main [role=status] strong'), { characterData: true, childList: true, subtree: true });
})`;

/** Scrolls the grid by a step each frame. */
const scrollScript = (seconds: number): string => `new Promise((resolve) => {
  const start = performance.now();
  const frame = (now) => {
    ${GRID}.scrollTop += ${STEP};
    if (now - start < ${seconds * 1000}) requestAnimationFrame(frame);
    else resolve();
  };
  requestAnimationFrame(frame);
})`;

/** @param options.images of the data set; `options.seconds` of scrolling; `options.clicks` on classes */
export async function exploreBench({ images = 100_000, seconds = 6, clicks = 8 }): Promise<object> {
  const root = join(tmpdir(), 'contexture-bench');
  const folder = join(root, `many-${images}`);
  mkdirSync(root, { recursive: true });
  console.error(`bench: ${images} pictures in ${folder}`);
  writeManyImages(folder, images);
  return withServedPage(root, async (served) => {
    const project = await openProject(served, root, folder, images);
    const { page } = served;
    await page.goto(`${served.origin}/p/${project}/explore`);
    await page
      .getByRole('status')
      .filter({ hasText: /images/ })
      .waitFor();
    await page.locator('[role=gridcell] img').first().waitFor();
    const filter = await measureFilter(page, clicks);
    const service = await measureService(served, project);
    const first = await measureScroll(page, seconds);
    await page.evaluate(`${GRID}.scrollTop = 0`);
    await page.waitForTimeout(1000);
    const again = await measureScroll(page, seconds);
    return {
      exploreImages: images,
      filter100kMs: filter.median,
      filterWorstMs: filter.worst,
      filterServiceMs: service,
      scrollFps: again.fps,
      scrollFirstFps: first.fps,
      scrollLongTasks: again.longTasks,
    };
  });
}

/** A project with all images; made once and kept without thumbnails. */
async function openProject({ api }: ServedPage, root: string, folder: string, images: number): Promise<string> {
  const file = join(root, `many-${images}.contexture`);
  rmSync(join(`${file}.files`, 'cache'), { recursive: true, force: true });
  const create = !existsSync(file);
  const { id } = await api<{ id: string }>('POST', '/api/projects', { file, create });
  if (create) {
    const started = performance.now();
    let task = await api<Task>('POST', `/api/projects/${id}/imports`, { path: folder });
    while (task.state === 'queued' || task.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 500));
      task = await api<Task>('GET', `/api/tasks/${encodeURIComponent(task.id)}`);
    }
    if (task.state !== 'done') throw new Error(`the import ended ${task.state}: ${task.error?.message}`);
    console.error(`bench: imported in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  if (readdirSync(root).length === 0) throw new Error('no project was made');
  return id;
}

/** Click on bars of the chart: filter by a class, and take the filter away. From the press to the frame with the new count. */
async function measureFilter(page: Page, clicks: number): Promise<{ median: number; worst: number }> {
  const chart = page.getByRole('listbox', { name: /^Classes by number/ });
  const box = (await chart.boundingBox())!;
  const times: number[] = [];
  for (let i = 0; i < clicks; i++) {
    const x = 60 + ((i * 137) % Math.floor(box.width - 120));
    for (const _ of ['filter', 'all']) {
      const time = page.evaluate<number>(NEXT_COUNT);
      await page.waitForTimeout(50);
      await chart.click({ position: { x, y: box.height / 2 } });
      times.push(await time);
      await page.waitForTimeout(300);
    }
  }
  times.sort((a, b) => a - b);
  return { median: rounded(times[Math.floor(times.length / 2)]), worst: rounded(times[times.length - 1]) };
}

/** The slowest of the common filters, asked of the service alone, milliseconds; the best of five. */
async function measureService({ page, origin }: ServedPage, project: string): Promise<Record<string, number>> {
  const queries = {
    all: 'excluded=false',
    test: 'excluded=false&split=test',
    text: 'excluded=false&text=0042',
    byClass: 'excluded=false&sort=class',
    few: 'excluded=false&group=few',
    copies: 'duplicates=any',
  };
  const result: Record<string, number> = {};
  for (const [name, query] of Object.entries(queries)) {
    let best = Infinity;
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      await (await page.request.get(`${origin}/api/projects/${project}/images/ids?${query}`)).body();
      best = Math.min(best, performance.now() - started);
    }
    result[name] = rounded(best);
  }
  return result;
}

interface TraceEvent {
  name: string;
  ts: number;
  dur?: number;
}

/** Scroll the grid steadily and count the frames that the browser drew. */
async function measureScroll(page: Page, seconds: number): Promise<{ fps: number; longTasks: number }> {
  const browser = page.context().browser()!;
  const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'devtools.timeline.frame'];
  await browser.startTracing(page, { categories: [...categories, 'toplevel'] });
  await page.evaluate<void>(scrollScript(seconds));
  const trace: { traceEvents: TraceEvent[] } = JSON.parse((await browser.stopTracing()).toString());
  const drawn = trace.traceEvents.filter(({ name }) => name === 'DrawFrame').map(({ ts }) => ts);
  if (drawn.length < 2) throw new Error('the trace holds no frames');
  const longTasks = trace.traceEvents.filter(({ name, dur }) => name === 'RunTask' && (dur ?? 0) > 50_000).length;
  const [first, last] = drawn.reduce(
    ([low, high], ts) => [Math.min(low, ts), Math.max(high, ts)],
    [Infinity, -Infinity],
  );
  return { fps: rounded(((drawn.length - 1) / (last - first)) * 1e6), longTasks };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
