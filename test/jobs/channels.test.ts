/** Acknowledged events: a job that emits faster than its parent stores. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JobKind } from '../../core/jobs/protocol.ts';
import { createJobRunner } from '../../core/jobs/runner.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

interface Item {
  type: string;
  index: number;
  text?: string;
}

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/jobs/${name}`, import.meta.url));
const run = createJobRunner({ entry: fixture('entry.ts') });
/** The test jobs have names of their own. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const kind = (name: string): JobKind => name as JobKind;

test('events wait for a slow handler: order is kept, one at a time, and neither side piles them up', async () => {
  const before = process.memoryUsage().rss;
  const seen: number[] = [];
  let atOnce = 0;
  let most = before;
  // 240 MB in all.
  const result = await run<object, Item, { most: number }>(
    kind('pour'),
    { count: 600, size: 400_000 },
    {
      onEvent: async ({ index }) => {
        assert.equal(++atOnce, 1);
        await sleep(2);
        atOnce--;
        seen.push(index);
        most = Math.max(most, process.memoryUsage().rss);
      },
    },
  );
  assert.deepEqual(seen, [...Array(600).keys()]);
  assert.ok(result.most < 200, `the job took ${result.most} MiB`);
  assert.ok(most - before < 120 * 2 ** 20, `the parent took ${Math.round((most - before) / 2 ** 20)} MiB more`);
});

test('a job that does not wait is held up by the pipe', async () => {
  const before = process.memoryUsage().rss;
  let most = before;
  let count = 0;
  await run(
    kind('count'),
    { count: 300, size: 100_000 },
    {
      onEvent: async () => {
        await sleep(2);
        count++;
        most = Math.max(most, process.memoryUsage().rss);
      },
    },
  );
  assert.equal(count, 300);
  // 75 MB of bytes would be 150 MB of strings.
  assert.ok(most - before < 100 * 2 ** 20, `the parent took ${Math.round((most - before) / 2 ** 20)} MiB more`);
});

test('the result comes after the last event has been handled', async () => {
  let handled = 0;
  await run(
    kind('count'),
    { count: 20, size: 2 },
    {
      onEvent: async () => {
        await sleep(10);
        handled++;
      },
    },
  );
  assert.equal(handled, 20);
});

test('a job that waits for its parent hears of a cancel, and keeps what it has', async () => {
  const stop = new AbortController();
  const release = Promise.withResolvers<void>();
  const running = run<object, Item, { aborted: boolean }>(
    kind('pour'),
    { count: 1000, size: 400_000 },
    {
      signal: stop.signal,
      onEvent: ({ index }) => {
        if (index > 0) return undefined;
        // By then the window is full: the job has sent what it may and waits.
        setTimeout(() => stop.abort(), 300);
        setTimeout(() => release.resolve(), 900);
        return release.promise;
      },
    },
  );
  // A job that had to be killed gives no result: it is an error then.
  assert.equal((await running).aborted, true);
});

test('a handler that fails later ends the job and is what the caller sees', async () => {
  const problem = new Error('the database is full');
  const seen: number[] = [];
  await assert.rejects(
    run(
      kind('pour'),
      { count: 1000, size: 400_000 },
      {
        onEvent: async ({ index }: Item) => {
          seen.push(index);
          await sleep(5);
          if (index === 2) throw problem;
        },
      },
    ),
    problem,
  );
  assert.deepEqual(seen, [0, 1, 2]);
});

test('a job that waits for its parent stops when the parent is killed', async () => {
  const file = join(temporaryFolder(), 'work.txt');
  const parent = spawn(process.execPath, [fixture('slow-parent.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(parent.stdout, 'data');
  await sleep(300);
  assert.ok(!existsSync(file));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  // The file is there before its line is.
  const written = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  while (!written().endsWith('\n')) await sleep(20);
  const count = Number(/^stopped after (\d+)\n$/.exec(written())?.[1]);
  assert.ok(count < 20, `${count} events of 400 kB were sent to a parent that took none`);
});
