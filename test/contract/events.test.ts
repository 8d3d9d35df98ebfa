/** The event stream as pages see it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceEvent } from '../../core/api/events.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startService, type RunningService } from '../../core/server/serve.ts';
import { sqliteStorage } from '../../db/index.ts';
import { listen, open, type Listening } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

/** Milliseconds between signs of life in these tests. */
const HEARTBEAT = 100;

let running: RunningService;
before(async () => {
  process.env.CONTEXTURE_STATE = temporaryFolder();
  running = await startService({ storage: sqliteStorage, runJob, log: () => {}, heartbeat: HEARTBEAT });
});
after(() => running.close());

const headers = (lastId?: string): Record<string, string> => ({
  authorization: `Bearer ${running.token}`,
  ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
});
const join = (lastId?: string): Promise<Listening> => listen({ socket: running.socket }, headers(lastId));
/** An event that tells which one it is. */
const numbered = (run: number): ServiceEvent => ({ type: 'run-preview', project: 'p', run, epoch: 0 });
const publish = (from: number, to: number): void => {
  for (let run = from; run < to; run++) running.service.hub.publish(numbered(run));
};
const runsOf = ({ events }: Listening): number[] => events.map(({ event }) => ('run' in event ? event.run : -1));

test('a new page hears what happens from now on, in order, each with an id of its own', async () => {
  publish(0, 3);
  const page = await join();
  publish(3, 8);
  await page.until((event) => 'run' in event && event.run === 7);
  assert.deepEqual(runsOf(page), [3, 4, 5, 6, 7]);
  assert.equal(new Set(page.events.map(({ id }) => id)).size, 5);
  page.stop();
});

test('it is told when to come back, and that the service is there', async () => {
  const answer = await open({ socket: running.socket }, 'GET', '/api/events', { headers: headers() });
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  assert.equal(answer.headers['cache-control'], 'no-store');
  answer.destroy();
  const page = await join();
  assert.ok(page.others.length <= 1);
  while (page.others.length < 4) await sleep(5);
  assert.deepEqual(page.others.slice(0, 4), ['retry: 1000', ': here', ': here', ': here']);
  page.stop();
});

test('a page that comes back gets what it has missed, once', async () => {
  const page = await join();
  publish(0, 5);
  await page.until((event) => 'run' in event && event.run === 4);
  page.stop();
  publish(5, 20);
  const again = await join(page.events.at(-1)!.id);
  publish(20, 22);
  await again.until((event) => 'run' in event && event.run === 21);
  assert.deepEqual(
    runsOf(again),
    [...Array(17).keys()].map((i) => i + 5),
  );
  again.stop();
  // Nothing missed: nothing told.
  const third = await join(again.events.at(-1)!.id);
  publish(22, 23);
  await third.until((event) => 'run' in event && event.run === 22);
  assert.deepEqual(runsOf(third), [22]);
  third.stop();
});

test('what is not known any more is a reset, after which it goes on', async () => {
  const page = await join();
  publish(0, 1);
  await page.until((event) => 'run' in event);
  const { id } = page.events[0];
  page.stop();
  publish(1, 5000);
  const [boot, number] = id.split('-');
  const unknown = [
    id,
    `00000000-${number}`,
    `${boot}-999999999`,
    `${boot}--1`,
    `${boot}-x`,
    boot,
    'x',
    '-',
    `${boot}-1-2`,
  ];
  for (const lastId of unknown) {
    const again = await join(lastId);
    publish(7, 8);
    await again.until((event) => 'run' in event && event.run === 7);
    const kinds = again.events.map(({ event }) => event.type);
    assert.deepEqual(kinds, ['reset', 'run-preview'], lastId);
    // The id of a reset is one to go on from.
    const third = await join(again.events[0].id);
    await third.until((event) => 'run' in event && event.run === 7);
    assert.deepEqual(runsOf(third), [7]);
    for (const one of [again, third]) one.stop();
  }
});

test('a page that does not read is cut off, and the others do not notice', async () => {
  const { hub } = running.service;
  const others = await join();
  const listeners = hub.listeners;
  const answer = await open({ socket: running.socket }, 'GET', '/api/events', { headers: headers() });
  assert.equal(hub.listeners, listeners + 1);
  answer.pause();
  const least = process.memoryUsage().rss;
  // 100 MB of events.
  const big: ServiceEvent = { type: 'data', project: 'x'.repeat(50_000), topics: [] };
  let sent = 0;
  for (; sent < 2000; sent++) {
    hub.publish(big);
    // As fast as a page reads that does.
    while (others.events.length < sent - 20) await sleep(1);
  }
  assert.equal(hub.listeners, listeners);
  while (others.events.length < sent) await sleep(5);
  assert.equal(others.ended, false);
  others.stop();
  const grown = (process.memoryUsage().rss - least) / 2 ** 20;
  // The strings of the test's own reader are the larger part.
  assert.ok(grown < 600, `${Math.round(grown)} MiB more`);
  // What it got before is whole, and it comes back by the last id.
  let text = '';
  for await (const chunk of answer.resume()) text += String(chunk);
  const ids = [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id);
  assert.ok(ids.length > 10 && ids.length < sent, String(ids.length));
  assert.ok(text.endsWith('\n\n'));
  const again = await join(ids.at(-1));
  publish(9, 10);
  await again.until((event) => 'run' in event && event.run === 9);
  // So much is not kept for it.
  assert.deepEqual(
    again.events.map(({ event }) => event.type),
    ['reset', 'run-preview'],
  );
  again.stop();
});

test('many pages at once hear the same', async () => {
  const pages = await Promise.all([...Array(30).keys()].map(() => join()));
  publish(0, 1000);
  await Promise.all(pages.map((page) => page.until((event) => 'run' in event && event.run === 999)));
  for (const page of pages) {
    assert.deepEqual(runsOf(page), [...Array(1000).keys()]);
    page.stop();
  }
  while (running.service.hub.listeners > 0) await sleep(5);
});

test('the end of the service ends the streams', async () => {
  const page = await join();
  await running.close();
  while (!page.ended) await sleep(5);
});
