import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/base/errors.ts';
import { withKept } from '../../core/jobs/kept.ts';
import type { JobKind, RunJob } from '../../core/jobs/protocol.ts';

/** Obeys: counts its orders, and does what they say. */
const entry = join(import.meta.dirname, '..', 'fixtures', 'jobs', 'kept.ts');
const other: RunJob = <_Spec, _Event, Result>(kind: JobKind) => Promise.resolve(kind as unknown as Result);

interface Answer {
  pid: number;
  orders: number;
  setting: string | null;
}
type Order = { what?: 'wait' | 'refuse' | 'die'; ms?: number };
const ask = (run: RunJob, order: Order = {}, options: { signal?: AbortSignal; env?: Record<string, string> } = {}) =>
  run<Order, { type: string }, Answer>('swap', order, options);

const gone = async (pid: number): Promise<boolean> => {
  for (let i = 0; i < 200; i++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(25);
  }
  return false;
};

test('orders go to one process, one after the other; other jobs go elsewhere', async () => {
  const run = withKept(other, ['swap'], { entry });
  assert.equal(await run('doctor', {}), 'doctor');
  const [first, second] = await Promise.all([ask(run, { what: 'wait', ms: 100 }), ask(run)]);
  assert.deepEqual([first.orders, second.orders, first.pid], [1, 2, second.pid]);
  const refused = ask(run, { what: 'refuse' });
  await assert.rejects(refused, (error) => error instanceof UserError && error.code === 'empty');
  assert.equal((await ask(run)).orders, 4);
  const changed = await ask(run, {}, { env: { TEST_SETTING: 'b' } });
  assert.deepEqual([changed.orders, changed.setting], [1, 'b']);
  assert.ok(await gone(first.pid));
});

test('who no longer waits is let go at once, and the next order finds the same process', async () => {
  const run = withKept(other, ['swap'], { entry });
  const { pid } = await ask(run);
  const abort = new AbortController();
  const long = ask(run, { what: 'wait', ms: 300 }, { signal: abort.signal });
  const waiting = ask(run, {}, { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  for (const left of [long, waiting]) {
    await assert.rejects(left, (error) => error instanceof UserError && error.code === 'cancelled');
  }
  const next = await ask(run);
  assert.deepEqual([next.pid, next.orders], [pid, 3]);
});

test('a process that dies is a failure of its order, and the next one gets another', async () => {
  const run = withKept(other, ['swap'], { entry });
  const { pid } = await ask(run);
  await assert.rejects(ask(run, { what: 'die' }), /swap job ended with exit code 3; its last words:\nout of order/);
  const next = await ask(run);
  assert.notEqual(next.pid, pid);
  assert.equal(next.orders, 1);
});

test('a process that nobody uses ends', async () => {
  const run = withKept(other, ['swap'], { entry, idleMs: 50 });
  const { pid } = await ask(run);
  assert.ok(await gone(pid));
  assert.equal((await ask(run)).orders, 1);
});
