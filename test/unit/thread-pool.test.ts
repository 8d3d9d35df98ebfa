import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { ThreadPool } from '../../core/base/thread-pool.ts';

type Reply = { square: number; thread: number; data: unknown };

async function withPool(threads: number, work: (pool: ThreadPool<number, Reply>) => Promise<void>): Promise<void> {
  const entry = new URL('../fixtures/square-thread.ts', import.meta.url);
  const pool = new ThreadPool<number, Reply>(entry, { threads, data: 'shared' });
  try {
    await work(pool);
  } finally {
    await pool.close();
  }
}

test('each order has its own answer, whichever thread does it', async () => {
  await withPool(3, async (pool) => {
    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.run(i + 1)));
    assert.deepEqual(
      replies.map(({ square }) => square),
      Array.from({ length: 50 }, (_, i) => (i + 1) ** 2),
    );
    assert.equal(new Set(replies.map(({ thread }) => thread)).size, 3);
    assert.equal(replies[0].data, 'shared');
  });
});

test('one order after another needs one thread', async () => {
  await withPool(3, async (pool) => {
    const threads = new Set<number>();
    for (let n = 1; n < 6; n++) threads.add((await pool.run(n)).thread);
    assert.equal(threads.size, 1);
  });
});

test('what the work throws reaches the one who ordered it, and the thread goes on', async () => {
  await withPool(1, async (pool) => {
    const [bad, good] = await Promise.allSettled([pool.run(-2), pool.run(3)]);
    assert.ok(bad.status === 'rejected' && bad.reason instanceof UserError && bad.reason.code === 'usage');
    assert.ok(good.status === 'fulfilled' && good.value.square === 9);
  });
});

test('when a thread dies, its orders fail and so do later ones: nobody waits for ever', async () => {
  await withPool(1, async (pool) => {
    const [dead, behind] = await Promise.allSettled([pool.run(0), pool.run(2)]);
    for (const result of [dead, behind]) assert.ok(result.status === 'rejected' && /zero/.test(String(result.reason)));
    await assert.rejects(pool.run(2), /zero/);
  });
});
