/**
 * How many events a second the page takes in while it still draws (`eventsPerS`): the highest of a ladder of rates, each
 * twice the one before, at which the open list of tasks gets its frames and shows the last event within a second of its
 * being sent. `eventFrames` and `eventLongTasks` (over 50 ms, in the time of the rung) are of each rung, by events a second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { runJob } from '../../core/jobs/runner.ts';
import type { EventHub } from '../../core/server/event-hub.ts';
import { startService } from '../../core/server/serve.ts';
import { sqliteStorage } from '../../db/index.ts';
import { ensureBuilt } from '../../build/outputs.ts';
import { openBrowser } from './served-page.ts';

/** Frames a second that count as drawing. */
const ENOUGH = 50;
const FIRST_RATE = 500;
const LAST_RATE = 64_000;
/** Between two handfuls of events, milliseconds. */
const BEAT = 10;

interface Rung {
  /** Events sent a second. */
  rate: number;
  fps: number;
  longTasks: number;
  /** The last event was shown in time. */
  inTime: boolean;
}

/** @param options.eventSeconds that a rung lasts */
export async function eventsBench({ eventSeconds = 3 }): Promise<object> {
  await ensureBuilt('page');
  const root = mkdtempSync(join(tmpdir(), 'contexture-bench-events-'));
  process.env.CONTEXTURE_STATE = root;
  const service = await startService({
    storage: sqliteStorage,
    runJob,
    loopback: { port: 0, roots: [root] },
    log: () => {},
  });
  const browser = await openBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(service.address!);
    await page.getByRole('button', { name: 'Make the sample' }).waitFor();
    await page.keyboard.press('Control+j');
    await page.getByRole('heading', { name: 'Tasks' }).waitFor();
    const idle = await measure(page, eventSeconds);
    const rungs: Rung[] = [];
    for (let rate = FIRST_RATE; rate <= LAST_RATE; rate *= 2) {
      const rung = await flood(service.service.hub, page, rate, eventSeconds);
      rungs.push(rung);
      if (!rung.inTime || rung.fps < ENOUGH) break;
    }
    const held = rungs.filter(({ inTime, fps }) => inTime && fps >= ENOUGH);
    return {
      eventsPerS: held.at(-1)?.rate ?? 0,
      eventIdleFrames: idle.fps,
      eventFrames: Object.fromEntries(rungs.map(({ rate, fps }) => [rate, fps])),
      eventLongTasks: Object.fromEntries(rungs.map(({ rate, longTasks }) => [rate, longTasks])),
    };
  } finally {
    await browser.close();
    await service.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Send so many events a second and measure; what was really sent is the rung's rate. */
async function flood(hub: EventHub, page: Page, rate: number, seconds: number): Promise<Rung> {
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * rate; sent < due; sent++) publish(hub, sent + 1);
  }, BEAT);
  const { fps, longTasks } = await measure(page, seconds);
  clearInterval(timer);
  const real = sent / ((performance.now() - began) / 1000);
  const inTime = await page
    .getByText(new RegExp(`^${sent.toLocaleString('en-GB')} of 1,000,000 images`))
    .waitFor({ timeout: 1000 })
    .then(
      () => true,
      () => false,
    );
  return { rate: Math.round(real), fps, longTasks, inTime };
}

/** Progress of one of five tasks. */
function publish(hub: EventHub, done: number): void {
  const at = new Date().toISOString();
  hub.publish({
    type: 'task',
    task: {
      id: `flood-${done % 5}`,
      project: null,
      kind: 'sample',
      title: `Flood ${done % 5}`,
      state: 'running',
      progress: { stage: 'Counting', done, total: 1_000_000, unit: 'images', rate: 1000, secondsLeft: 1 },
      error: null,
      result: null,
      runId: null,
      command: 'contexture sample',
      createdAt: at,
      startedAt: at,
      endedAt: null,
    },
  });
}

/** Frames a second and tasks of the page over 50 ms, over some seconds. */
function measure(page: Page, seconds: number): Promise<{ fps: number; longTasks: number }> {
  return page.evaluate(`new Promise((resolve) => {
    let frames = 0;
    let longTasks = 0;
    const observer = new PerformanceObserver((list) => (longTasks += list.getEntries().length));
    observer.observe({ entryTypes: ['longtask'] });
    const start = performance.now();
    const frame = (now) => {
      frames++;
      if (now - start < ${seconds * 1000}) return requestAnimationFrame(frame);
      observer.disconnect();
      resolve({ fps: Math.round((frames / (now - start)) * 10_000) / 10, longTasks });
    };
    requestAnimationFrame(frame);
  })`);
}
