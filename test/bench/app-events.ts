/**
 * How many events a second the page takes in while it still draws (`eventsPerS`): the highest of a ladder of rates, each
 * twice the one before, at which the open list of tasks gets its frames and shows the last event within a second of its
 * being sent. A rung is measured in windows of a second, and the middle one counts, so that one hiccup of the machine ends
 * no ladder; tasks over 50 ms may take up to a tenth of the time of the rung. What is not held is tried once more. Of each
 * rung, by events a second:
 * `eventFrames` (of the middle window), `eventLeastFrames` (of the worst) and `eventLongShare` (of the time, in tasks over
 * 50 ms).
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
/** Share of the time that may go into tasks over 50 ms. */
const MOST_LONG = 0.1;
const FIRST_RATE = 500;
const LAST_RATE = 64_000;
/** Between two handfuls of events, milliseconds. */
const BEAT = 10;

/** What was seen in some windows of a second. */
interface Frames {
  /** Frames a second in the middle window and in the worst. */
  fps: number;
  leastFps: number;
  /** Share of the time in tasks of the page over 50 ms, 0 to 1. */
  longShare: number;
}

interface Rung extends Frames {
  /** Events sent a second. */
  rate: number;
  /** The last event was shown in time. */
  inTime: boolean;
}

/** Whether the page still draws at that rate. */
export function isHeld({ inTime, fps, longShare }: Omit<Rung, 'rate' | 'leastFps'>): boolean {
  return inTime && fps >= ENOUGH && longShare <= MOST_LONG;
}

/** @param options.eventSeconds windows of a second in a rung; an odd number has a middle one */
export async function eventsBench({ eventSeconds = 5 }): Promise<object> {
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
      const { hub } = service.service;
      const first = await flood(hub, page, rate, eventSeconds);
      const rung = isHeld(first) ? first : await flood(hub, page, rate, eventSeconds);
      rungs.push(rung);
      if (!isHeld(rung)) break;
    }
    const held = rungs.filter((rung) => isHeld(rung));
    return {
      eventsPerS: held.at(-1)?.rate ?? 0,
      eventIdleFrames: idle.fps,
      eventFrames: Object.fromEntries(rungs.map(({ rate, fps }) => [rate, fps])),
      eventLeastFrames: Object.fromEntries(rungs.map(({ rate, leastFps }) => [rate, leastFps])),
      eventLongShare: Object.fromEntries(rungs.map(({ rate, longShare }) => [rate, longShare])),
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
  const frames = await measure(page, seconds);
  clearInterval(timer);
  const real = sent / ((performance.now() - began) / 1000);
  const inTime = await page
    .getByText(new RegExp(`^${sent.toLocaleString('en-GB')} of 1,000,000 images`))
    .waitFor({ timeout: 1000 })
    .then(
      () => true,
      () => false,
    );
  return { rate: Math.round(real), ...frames, inTime };
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

/** Watch the page draw for so many windows of a second. */
async function measure(page: Page, windows: number): Promise<Frames> {
  const seen = await page.evaluate<{ frames: number[]; long: number; time: number }>(`new Promise((resolve) => {
    const frames = [];
    let long = 0;
    let count = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) long += duration;
    });
    observer.observe({ entryTypes: ['longtask'] });
    const start = performance.now();
    let opened = start;
    const frame = (now) => {
      count++;
      if (now - opened >= 1000) {
        frames.push((count / (now - opened)) * 1000);
        opened = now;
        count = 0;
      }
      if (frames.length < ${windows}) return requestAnimationFrame(frame);
      observer.disconnect();
      resolve({ frames, long, time: now - start });
    };
    requestAnimationFrame(frame);
  })`);
  return summarise(seen);
}

/** @param seen frames a second of each window; milliseconds in long tasks and in all */
export function summarise({ frames, long, time }: { frames: readonly number[]; long: number; time: number }): Frames {
  const sorted = frames.toSorted((a, b) => a - b);
  return {
    fps: rounded(sorted[Math.floor(sorted.length / 2)], 1),
    leastFps: rounded(sorted[0], 1),
    longShare: rounded(long / time, 3),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
