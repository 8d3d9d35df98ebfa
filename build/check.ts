/**
 * `npm test [-- PATH…]`: formatter, linter, type check, import rules, then the tests, layer by layer. With paths (a layer
 * such as "unit", or files) only those tests run.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
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

/** A test that takes longer than this hangs, milliseconds; the long ones (CONTEXTURE_LONG) get more. */
const TEST_LIMIT = process.env.CONTEXTURE_LONG ? 3_600_000 : 600_000;

/** svelte-check: warnings count, and only what is wrong is printed. */
const QUIET = ['--fail-on-warnings', '--output', 'human'];

/** Returns whether all is well; prints what is not. */
type Check = () => boolean | Promise<boolean>;

/** A developer's tool from node_modules, under this Node. */
function tool(script: string, ...args: string[]): Check {
  return () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
        cwd: ROOT,
        stdio: 'inherit',
      });
      child.on('error', reject);
      child.on('close', (code) => resolve(code === 0));
    });
}

/** Files below the root that match, sorted, with "/". */
function files(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: ROOT });
  return found.map((path) => path.split(sep).join('/')).toSorted();
}

function importRules(): boolean {
  const problems = checkImports(
    ROOT,
    files('{core,db,electron,renderer,build,test}/**/*.{ts,mts,cts,js,mjs,cjs,svelte}'),
  );
  for (const problem of problems) console.log(problem);
  return problems.length === 0;
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
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skipped: string[] = [];
  const stream = run({
    files: found.toSorted((a, b) => rank(a) - rank(b)).map((file) => join(ROOT, file)),
    // A file more than that only makes all of them slower: some train.
    concurrency: Math.min(2, availableParallelism()),
    timeout: TEST_LIMIT,
  });
  stream.on('test:pass', ({ name, file, skip, todo, details }) => {
    if (details.type === 'suite' || todo !== undefined) return;
    if (skip === undefined || skip === false) {
      counts.passed++;
      return;
    }
    counts.skipped++;
    skipped.push(`${relative(ROOT, file ?? '')}: ${name}${typeof skip === 'string' ? `: ${skip}` : ''}`);
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed++;
  });
  await new Promise<void>((resolve, reject) => {
    const reporter = stream.compose(spec);
    reporter.on('data', (text: string) => process.stdout.write(text));
    reporter.on('end', resolve).on('error', reject);
  });
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

/** Whether the arguments name this test file: its path, a folder above it, or its layer. */
function wanted(file: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((path) => `/${file}`.includes(`/${path.replace(/\/$/, '')}`));
}

const paths = process.argv.slice(2);
const steps: [string, Check][] = [
  ['formatter', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  ['linter', tool('oxlint/bin/oxlint', '--type-aware')],
  ['types', tool('typescript-native/bin/tsc')],
  ['types of the page', tool('svelte-check/bin/svelte-check', '--tsconfig', 'renderer/tsconfig.json', ...QUIET)],
  ['import rules', importRules],
  ['tests', () => tests(paths)],
];

const lines: string[] = [];
for (const [name, check] of paths.length === 0 ? steps : steps.slice(-1)) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const ok = await check();
  lines.push(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (!ok) process.exitCode = 1;
}
console.log(`\n${lines.join('\n')}`);
