/**
 * Review as a hand meets it, in Debian's Chromium against the real service. Fields of the result:
 *
 * - `brush1024Ms`, `brush4096Ms`: from the time stamp of a pointer event to the frame that shows what it painted, of many
 *   events of strokes over pictures of that side: median and worst; with the largest brush as well (`brush4096LargeMs`)
 * - `advanceMs`: from the press of the key that accepts to the frame that shows the next picture, median and worst
 * - `decisions`, `decisionHeapMb`: what the page's memory grew by over that many decisions, after garbage collection: over
 *   the first half and over the second
 * - `rethreshold5000S`, `rethresholdUndoS`: 5,000 masks of 64 pixels made anew by another threshold, and taken back; see
 *   review-rethreshold.ts
 * - `machine`, `load`: as in app.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { makeReviewProject } from './review-project.ts';
import { measureRethreshold } from './review-rethreshold.ts';
import { withServedPage, type ServedPage } from './served-page.ts';

interface Spread {
  median: number;
  worst: number;
  events: number;
}

/**
 * Counts, for each event of a type, the time from its own stamp to the end of the frame after it: the message comes when
 * the frame's scripts, styles and paint are done and it has been handed over to be shown.
 */
const RECORD = (type: string): string => `(() => {
  window.measured = [];
  const channel = new MessageChannel();
  let stamps = [];
  channel.port1.onmessage = () => {
    const now = performance.now();
    for (const stamp of stamps) window.measured.push(now - stamp);
    stamps = [];
  };
  window.recorder = ({ timeStamp }) => {
    if (stamps.push(timeStamp) === 1) requestAnimationFrame(() => channel.port2.postMessage(0));
  };
  addEventListener(${JSON.stringify(type)}, window.recorder, { capture: true });
})()`;
const STOP = (type: string): string =>
  `(() => { removeEventListener(${JSON.stringify(type)}, window.recorder, { capture: true }); return window.measured; })()`;

/** @param options.strokes for each size of picture; `options.decisions` for the memory; `options.side` of the large picture */
export async function reviewBench({ strokes = 8, decisions = 1000, advances = 40, side = 4096 }): Promise<object> {
  const before = loadavg()[0];
  const folder = mkdtempSync(join(tmpdir(), 'contexture-review-'));
  try {
    const file = await makeReviewProject(folder, { 1024: advances + 2, [side]: 2, 64: decisions });
    const measured = await withServedPage(folder, async (served) => {
      const { id } = await served.api<{ id: string }>('POST', '/api/projects', { file });
      const brush1024Ms = await measureBrush(served, id, '1024', strokes);
      const brush4096Ms = await measureBrush(served, id, String(side), strokes);
      const brush4096LargeMs = await measureBrush(served, id, String(side), strokes, true);
      const advanceMs = await measureAdvance(served, id, '1024', advances);
      const decisionHeapMb = await measureMemory(served, id, '64', decisions);
      return { brush1024Ms, brush4096Ms, brush4096LargeMs, advanceMs, decisions, decisionHeapMb };
    });
    const { rethresholdS, undoS } = await measureRethreshold();
    const rethreshold = { rethreshold5000S: rounded(rethresholdS), rethresholdUndoS: rounded(undoS) };
    return {
      ...measured,
      ...rethreshold,
      machine: `${cpus().length} x ${cpus()[0].model}`,
      load: [before, loadavg()[0]].map(rounded),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Open the queue of one class and wait for its first picture. */
async function openClass({ page, origin, api }: ServedPage, project: string, name: string): Promise<void> {
  const { classes } = await api<{ classes: { id: number; name: string }[] }>(
    'GET',
    `/api/projects/${project}/contexts/counts`,
  );
  const id = classes.find((row) => row.name === name)?.id;
  await page.goto(`${origin}/p/${project}/review?state=all&sort=id&class=${id}`);
  await page.getByRole('application', { name: `Mask of ${name}` }).waitFor();
  await page.getByRole('button', { name: 'Invert', disabled: false }).waitFor();
  await page.waitForTimeout(1500);
}

/** Strokes across the picture in its frame, by a pointer that moves every 8 ms. */
async function measureBrush(
  served: ServedPage,
  project: string,
  name: string,
  strokes: number,
  large = false,
): Promise<Spread> {
  await openClass(served, project, name);
  const { page } = served;
  if (large) for (let i = 0; i < 60; i++) await page.keyboard.press(']');
  const box = (await page.getByRole('application').boundingBox())!;
  await page.evaluate(RECORD('pointermove'));
  for (let stroke = 0; stroke < strokes; stroke++) {
    const y = box.y + box.height * (0.2 + (0.6 * stroke) / strokes);
    await page.mouse.move(box.x + box.width * 0.25, y);
    await page.mouse.down();
    for (let i = 0; i < 60; i++) {
      await page.mouse.move(box.x + box.width * (0.25 + (0.5 * i) / 60), y + 40 * Math.sin(i / 6));
      await page.waitForTimeout(8);
    }
    await page.mouse.up();
    await page.waitForTimeout(150);
  }
  await page.getByText('Saved', { exact: true }).waitFor();
  return spread(await page.evaluate<number[]>(STOP('pointermove')));
}

/** Accept by key; the next picture counts as shown at the end of the frame after which its name is in the document. */
async function measureAdvance(served: ServedPage, project: string, name: string, advances: number): Promise<Spread> {
  await openClass(served, project, name);
  const { page } = served;
  await page.evaluate(RECORD('keydown'));
  for (let i = 0; i < advances; i++) {
    await page.keyboard.press('p');
    await page.waitForTimeout(250);
  }
  return spread(await page.evaluate<number[]>(STOP('keydown')));
}

/** Decide on and on; what stays of the page's heap. */
async function measureMemory(served: ServedPage, project: string, name: string, decisions: number): Promise<number[]> {
  await openClass(served, project, name);
  const { page } = served;
  const session = await page.context().newCDPSession(page);
  const sizes = [await heap(session, page)];
  for (const half of [1, 2]) {
    for (let i = 0; i < decisions / 2; i++) await page.keyboard.press(i % 3 === 0 ? 'x' : 'p');
    await page.waitForTimeout(1000);
    sizes.push(await heap(session, page));
    console.error(`bench: ${(decisions * half) / 2} decisions`);
  }
  return [sizes[1] - sizes[0], sizes[2] - sizes[1]].map((bytes) => rounded(bytes / 2 ** 20));
}

async function heap(session: CDPSession, page: Page): Promise<number> {
  await page.waitForTimeout(300);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('no event was measured');
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: rounded(sorted[Math.floor(sorted.length / 2)]),
    worst: rounded(sorted[sorted.length - 1]),
    events: sorted.length,
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
