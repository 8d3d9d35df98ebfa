import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { UserError } from '../../core/base/errors.ts';
import type { JobEvent, JobKind } from '../../core/jobs/protocol.ts';
import { createJobRunner, runJob } from '../../core/jobs/runner.ts';

interface Item extends JobEvent {
  index: number;
  text?: string;
  pid?: number;
}

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/jobs/${name}`, import.meta.url));
const run = createJobRunner({ entry: fixture('entry.ts') });
/** The test jobs have names of their own. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const kind = (name: string): JobKind => name as JobKind;

test('events arrive in order, then the result', async () => {
  const seen: number[] = [];
  const result = await run(
    kind('count'),
    { count: 5000, size: 2 },
    { onEvent: (event: Item) => seen.push(event.index) },
  );
  assert.deepEqual(result, { count: 5000 });
  assert.deepEqual(seen, [...Array(5000).keys()]);
});

test('events of megabytes arrive whole', async () => {
  const texts: string[] = [];
  await run(kind('count'), { count: 4, size: 2_000_000 }, { onEvent: (event: Item) => texts.push(event.text ?? '') });
  assert.equal(texts.length, 4);
  assert.ok(texts.every((text) => text === '\u2028é'.repeat(1_000_000)));
});

test('an event leaves the job before a step that blocks its thread', async () => {
  const stop = new AbortController();
  const quick = createJobRunner({ entry: fixture('entry.ts'), graceMs: 50 });
  await assert.rejects(
    quick(kind('block'), {}, { signal: stop.signal, onEvent: (event: Item) => event.index === 0 && stop.abort() }),
    (error: UserError) => error.code === 'cancelled' && error.message.includes('did not stop'),
  );
});

test('what a job prints does not get between its events, and it sees its environment', async () => {
  const seen: number[] = [];
  const result = await run(
    kind('print'),
    {},
    { env: { TEST_SETTING: 'three' }, onEvent: (event: Item) => seen.push(event.index) },
  );
  assert.deepEqual(seen, [1]);
  assert.equal(result, 'three');
});

test('a cancelled job may keep its state and return a result', async () => {
  const stop = new AbortController();
  const result = await run(
    kind('patient'),
    {},
    { signal: stop.signal, onEvent: (event: Item) => event.index === 3 && stop.abort() },
  );
  assert.equal(result, 'stopped');
});

test('a job is not started when it is cancelled already', async () => {
  await assert.rejects(run(kind('patient'), {}, { signal: AbortSignal.abort() }), { code: 'cancelled' });
});

test('an event handler that throws ends the job and is what the caller sees', async () => {
  const problem = new Error('the database is full');
  await assert.rejects(
    run(
      kind('patient'),
      {},
      {
        onEvent: () => {
          throw problem;
        },
      },
    ),
    problem,
  );
});

test('a refusal comes back as the same refusal', async () => {
  await assert.rejects(run(kind('refuse'), {}), {
    name: 'UserError',
    code: 'empty',
    message: 'There is nothing to do.',
  });
});

test('a defect comes back with its stack', async () => {
  await assert.rejects(run(kind('defect'), {}), (error: Error) => {
    assert.equal(error.message, 'x is not a function');
    assert.match(error.stack ?? '', /fixtures\/jobs\/entry\.ts/);
    return true;
  });
  await assert.rejects(run(kind('later'), {}), { message: 'thrown outside of the job' });
});

test('a job that dies is named, with how it ended and its last words', async () => {
  await assert.rejects(run(kind('crash'), {}), /crash job ended by signal SIGSEGV[^]*about to crash/);
  await assert.rejects(run(kind('exit'), {}), /exit job ended with exit code 17[^]*giving up/);
});

test('memory and disk are told apart from defects', async () => {
  await assert.rejects(run(kind('killed'), {}), { code: 'memory' });
  await assert.rejects(run(kind('oom'), {}), { code: 'memory' });
  await assert.rejects(run(kind('full'), {}), { code: 'no-space' });
});

test('a job stops and keeps its state when its parent is killed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-runner-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'work.txt');
  const parent = spawn(process.execPath, [fixture('parent.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  while (!readFileSync(file, 'utf8').endsWith('stopped\n')) await sleep(20);
});

test("a terminal's Ctrl-C alone does not end a job", async () => {
  // The whole process group gets the signal; here only the job does, and its parent does not ask it to stop.
  let pid = 0;
  const stop = new AbortController();
  const result = run(
    kind('patient'),
    {},
    {
      signal: stop.signal,
      onEvent: (event: Item) => {
        if (event.pid) pid = event.pid;
        if (event.index === 1) process.kill(pid, 'SIGINT');
        if (event.index === 5) stop.abort();
      },
    },
  );
  assert.equal(await result, 'stopped');
});

test('a job that is not there is a defect that says so', async () => {
  await assert.rejects(runJob(kind('nonsense'), {}), { message: 'there is no job named "nonsense"' });
});
