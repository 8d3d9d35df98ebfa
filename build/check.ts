/**
 * `npm test [-- PATH…]`: formatter, linter, type check, import rules, then the tests, layer by layer. With paths (a layer
 * such as "unit", or files) only those tests run.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { checkImports } from './import-rules.ts';

const ROOT = join(import.meta.dirname, '..');

/** Folders of test/ in the order they run: a fault low down is reported first. Others come after these. */
const LAYERS = ['unit', 'db', 'jobs', 'cli', 'contract', 'page', 'electron'];

/** What the tests of a layer need to be built. */
const OUTPUTS: readonly (readonly [layer: string, outputs: readonly ('page' | 'shell' | 'licences')[]])[] = [
  ['page', ['page', 'licences']],
  ['electron', ['page', 'shell', 'licences']],
];

/** What is no test: measurements, run by name, and what tests share. */
const NO_TESTS = ['bench', 'fixtures'];

/** Layers whose tests wait for a window more than they compute. */
const WAITING: readonly string[] = ['page', 'electron'];

/** A test that takes longer than this hangs, milliseconds; the long ones (CONTEXTURE_LONG) get more. */
const TEST_LIMIT = process.env.CONTEXTURE_LONG ? 3_600_000 : 600_000;

/** svelte-check: warnings count, and only what is wrong is printed. */
const QUIET = ['--fail-on-warnings', '--output', 'human'];

/** What a run of test files tells as it goes. */
type Events = ReturnType<typeof run>;

/** Whether all is well, and what is to be printed. */
interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

type Check = () => Outcome | Promise<Outcome>;

/** A developer's tool from node_modules, under this Node. */
function tool(script: string, ...args: string[]): Check {
  return () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
        cwd: ROOT,
        env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      }
      child.on('error', reject);
      child.on('close', (code) => resolve({ ok: code === 0, text }));
    });
}

/** Files below the root that match, sorted, with "/". */
function files(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: ROOT });
  return found.map((path) => path.split(sep).join('/')).toSorted();
}

function importRules(): Outcome {
  const problems = checkImports(
    ROOT,
    files('{core,db,electron,renderer,build,test}/**/*.{ts,mts,cts,js,mjs,cjs,svelte}'),
  );
  return { ok: problems.length === 0, text: problems.map((problem) => `${problem}\n`).join('') };
}

/** Builds what the tests of some layers run on, once for all of their files. */
async function buildFor(found: readonly string[]): Promise<void> {
  const needed = OUTPUTS.filter(([layer]) => found.some((file) => layerOf(file) === layer));
  if (needed.length === 0) return;
  const { ensureBuilt } = await import('./outputs.ts');
  for (const output of new Set(needed.flatMap(([, outputs]) => outputs))) await ensureBuilt(output);
}

/** Run test files; the reporter's lines go to stdout, its closing ones included. */
async function tests(paths: readonly string[]): Promise<boolean> {
  const found = files('test/*/**/*.test.ts').filter((file) => !NO_TESTS.includes(layerOf(file)) && wanted(file, paths));
  await buildFor(found);
  // Tests start hundreds of Nodes, services and jobs on the same modules: each takes what an earlier one has compiled.
  process.env.NODE_COMPILE_CACHE ||= join(ROOT, '.cache', 'compiled');
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skipped: string[] = [];
  /** Count what a run of test files tells. */
  const counted = (stream: Events): Events =>
    stream
      .on('test:pass', ({ name, file, skip, todo, details }) => {
        if (details.type === 'suite' || todo !== undefined) return;
        if (skip === undefined || skip === false) {
          counts.passed++;
          return;
        }
        counts.skipped++;
        skipped.push(`${relative(ROOT, file ?? '')}: ${name}${typeof skip === 'string' ? `: ${skip}` : ''}`);
      })
      .on('test:fail', ({ details }) => {
        if (details.type !== 'suite') counts.failed++;
      });
  // One reporter for all, so that what failed is listed once, at the end.
  await pipeline(
    async function* () {
      const inOrder = found.toSorted((a, b) => rank(a) - rank(b));
      for (const [lanes, group] of Map.groupBy(inOrder, lanesOf)) {
        const full = group.map((file) => join(ROOT, file));
        yield* counted(run({ files: full, concurrency: lanes, timeout: TEST_LIMIT }));
      }
    },
    new spec(),
    async (lines: AsyncIterable<string>) => {
      for await (const text of lines) process.stdout.write(text);
    },
  );
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`);
  console.log(`\nTests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 && counts.passed > 0;
}

/** test/LAYER/… */
function layerOf(file: string): string {
  return file.split('/')[1];
}

function rank(file: string): number {
  const index = LAYERS.indexOf(layerOf(file));
  return index < 0 ? LAYERS.length : index;
}

/** Files of its layer that run at once: two, as some train and one more only makes all slower; three of those that wait. */
function lanesOf(file: string): number {
  return Math.min(2, availableParallelism()) + (WAITING.includes(layerOf(file)) ? 1 : 0);
}

/** Whether the arguments name this test file: its path, a folder above it, or its layer. */
function wanted(file: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((path) => `/${file}`.includes(`/${path.replace(/\/$/, '')}`));
}

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['formatter', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  ['linter', tool('oxlint/bin/oxlint', '--type-aware')],
  ['types', tool('typescript-native/bin/tsc')],
  ['types of the page', tool('svelte-check/bin/svelte-check', '--tsconfig', 'renderer/tsconfig.json', ...QUIET)],
  ['import rules', importRules],
];

/** Do it, and say how long it took. */
async function timed(check: Check): Promise<Outcome & { seconds: number }> {
  const start = performance.now();
  const outcome = await check();
  return { ...outcome, seconds: (performance.now() - start) / 1000 };
}

const lines: string[] = [];

async function step(name: string, work: () => ReturnType<typeof timed>): Promise<void> {
  console.log(`\n== ${name}`);
  const { ok, text, seconds } = await work();
  process.stdout.write(text);
  lines.push(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  if (!ok) process.exitCode = 1;
}

const paths = process.argv.slice(2);
// All at once, as most of them keep one core busy; told one after the other.
const started = paths.length > 0 ? [] : CHECKS.map(([name, check]) => ({ name, outcome: timed(check) }));
for (const { name, outcome } of started) await step(name, () => outcome);
await step('tests', () => timed(async () => ({ ok: await tests(paths), text: '' })));
console.log(`\n${lines.join('\n')}`);
