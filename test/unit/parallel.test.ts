import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { csvLine } from '../../core/base/csv.ts';
import { forEachParallel } from '../../core/base/parallel.ts';

const ITEMS = Array.from({ length: 50 }, (_, index) => index);

void test('all items are done, in their order, never more at once than allowed', async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const done = await forEachParallel(ITEMS, { limit: 4 }, async (item) => {
    begun.push(item);
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item % 5; turn++) await setImmediate();
    running--;
  });
  assert.ok(done);
  assert.deepEqual(begun, ITEMS);
  assert.equal(most, 4);
});

void test('the cost of what runs stays within bounds, except for one item alone', async () => {
  let inUse = 0;
  const peaks: number[] = [];
  await forEachParallel([3, 3, 3, 100, 3, 3], { limit: 8, cost: { of: (item) => item, most: 7 } }, async (item) => {
    inUse += item;
    peaks.push(inUse);
    await setImmediate();
    inUse -= item;
  });
  assert.deepEqual(peaks, [3, 6, 6, 100, 3, 6]);
});

void test('a failure ends it after the items at work', async () => {
  let finished = 0;
  const begun: number[] = [];
  const work = forEachParallel(ITEMS, { limit: 3 }, async (item) => {
    begun.push(item);
    await setImmediate();
    if (item === 4) throw new Error('no more');
    finished++;
  });
  await assert.rejects(work, /no more/);
  assert.ok(begun.length < 10);
  assert.equal(finished, begun.length - 1);
});

void test('a signal stops it and is told apart from done', async () => {
  const abort = new AbortController();
  const begun: number[] = [];
  const done = await forEachParallel(ITEMS, { limit: 2, signal: abort.signal }, async (item) => {
    begun.push(item);
    if (item === 5) abort.abort();
    await setImmediate();
  });
  assert.equal(done, false);
  assert.ok(begun.length < 9);
});

void test('CSV fields are quoted where they must be', () => {
  assert.equal(
    csvLine(['a', 1.5, null, 'x,y', 'say "hi"', 'two\nlines', '']),
    'a,1.5,,"x,y","say ""hi""","two\nlines",\r\n',
  );
});
