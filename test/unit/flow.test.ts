import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ByteBudget, mapOrdered, Turns } from '../../core/data/flow.ts';
import type { BudgetThreadData } from '../fixtures/budget-thread.ts';

const numbers = Array.from({ length: 20 }, (_, i) => i);

async function slowFirst(n: number): Promise<number> {
  for (let i = n; i < 20; i++) await turn();
  return n * n;
}

test('results come in the order of the items, however long each takes', async () => {
  const results: number[] = [];
  for await (const result of mapOrdered(numbers, 6, slowFirst)) results.push(result);
  assert.deepEqual(
    results,
    numbers.map((n) => n * n),
  );
});

test('no more than the limit is worked on at a time, and the limit is used', async () => {
  let active = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++active);
    await turn();
    active--;
  };
  for await (const _ of mapOrdered(numbers, 4, work)) assert.ok(active <= 4);
  assert.equal(most, 4);
});

test('a failure reaches the consumer in its place; work begun is waited for', async () => {
  let finished = 0;
  const work = async (n: number): Promise<number> => {
    await turn();
    if (n === 3) throw new Error('three');
    await turn();
    finished++;
    return n;
  };
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const n of mapOrdered(numbers, 5, work)) seen.push(n);
  }, /three/);
  assert.deepEqual(seen, [0, 1, 2]);
  assert.ok(finished >= 3);
});

test('a consumer that stops early leaves nothing running', async () => {
  let active = 0;
  const work = async (n: number): Promise<number> => {
    active++;
    for (let i = 0; i < n; i++) await turn();
    active--;
    return n;
  };
  for await (const n of mapOrdered(numbers, 8, work)) if (n === 2) break;
  assert.equal(active, 0);
});

test('a budget bounds what is in memory, serves in order and lets a large piece pass alone', async () => {
  const budget = new ByteBudget(100);
  let used = 0;
  const order: number[] = [];
  const sizes = [60, 60, 30, 500, 10, 10];
  await Promise.all(
    sizes.map((bytes, i) =>
      budget.with(bytes, async () => {
        order.push(i);
        used += bytes;
        assert.ok(used <= 100 || used === 500, `${used} bytes at once`);
        await turn();
        used -= bytes;
      }),
    ),
  );
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
});

test('a budget is given back after a failure', async () => {
  const budget = new ByteBudget(10);
  await assert.rejects(
    budget.with(10, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await budget.with(10, async () => 'yes'), 'yes');
});

/** Threads that take shares of one budget; returns how many shares were taken at once, and how many in all. */
async function takeShares(threads: number, total: number, share: number): Promise<{ most: number; done: number }> {
  const counts = new SharedArrayBuffer(12);
  const data: BudgetThreadData = { total, share, rounds: 20, memory: new SharedArrayBuffer(4), counts };
  const entry = new URL('../fixtures/budget-thread.ts', import.meta.url);
  await Promise.all(Array.from({ length: threads }, () => once(new Worker(entry, { workerData: data }), 'exit')));
  const [, most, done] = new Int32Array(counts);
  return { most, done };
}

test('threads together take no more than the budget', async () => {
  const { most, done } = await takeShares(4, 2 * 2 ** 20, 2 ** 20);
  assert.equal(done, 80);
  assert.ok(most <= 2, `${most} shares at once`);
});

test('a share larger than all of the budget waits until it is alone', async () => {
  assert.deepEqual(await takeShares(3, 2 ** 20, 5 * 2 ** 20), { most: 1, done: 60 });
});

test('turns: so many at once, the rest in the order of asking, a failure gives its turn on', async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  let active = 0;
  let most = 0;
  const work = (n: number) => async (): Promise<number> => {
    begun.push(n);
    most = Math.max(most, ++active);
    await turn();
    active -= 1;
    if (n % 3 === 0) throw new Error('three');
    return n;
  };
  const results = await Promise.allSettled(numbers.map((n) => turns.take(work(n))));
  assert.deepEqual(begun, numbers);
  assert.equal(most, 2);
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 7);
});
