/**
 * The app as a person meets it, in Debian's Chromium against the real service. Each part is a file of its own and adds its
 * figures to the result; `--part N` runs the N-th alone, counted from 1. Fields of the last line, in the order of the parts:
 *
 * - `startMs`: from the start of the first process to a usable first screen, cold and warm, in a browser and as desktop app
 * - `bundleBytes`: size of the built page
 * - `eventsPerS`, `eventIdleFrames`, `eventFrames`, `eventLeastFrames`, `eventLongShare`: events that the page takes in while
 *   it still draws 50 frames a second
 * - `filter100kMs`, `filterWorstMs`, `filterServiceMs`, `scrollFps`, `scrollFirstFps`, `scrollLongTasks`, `exploreImages`:
 *   Explore at 100,000 images
 * - `machine`: processors; `load`: the machine's load average over a minute before and after, as other work counts too
 *
 * What each means exactly stands in the head of its file.
 */
import { cpus, loadavg } from 'node:os';

const PARTS: readonly (() => Promise<(options: Record<string, number>) => Promise<object>>)[] = [
  async () => (await import('./app-start.ts')).startBench,
  async () => (await import('./app-bundle.ts')).bundleBench,
  async () => (await import('./app-events.ts')).eventsBench,
  async () => (await import('./app-explore.ts')).exploreBench,
];

/** @param options those of the parts, and `part` */
export async function appBench(options: Record<string, number>): Promise<object> {
  const parts = options.part === undefined ? PARTS : PARTS.slice(options.part - 1, options.part);
  const before = loadavg()[0];
  let result = {};
  for (const load of parts) result = { ...result, ...(await (await load())(options)) };
  return { ...result, machine: `${cpus().length} x ${cpus()[0].model}`, load: [before, loadavg()[0]].map(rounded) };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
