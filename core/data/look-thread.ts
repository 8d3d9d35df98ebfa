/** Entry of one thread of `ThreadedLooker`. Loads little, so that it starts at once. */
import { workerData } from 'node:worker_threads';
import { serveThread } from '../base/thread-pool.ts';
import { SharedByteBudget } from './flow.ts';
import { lookAtFile, LOOK_MEMORY, type Look, type LookOrder } from './look.ts';
import type { LookThreadData } from './lookers.ts';
import { blockingFs, FileReader } from './sources/file-reader.ts';

const data: LookThreadData = workerData;
const files = new FileReader(data.source, blockingFs);
const budget = new SharedByteBudget(LOOK_MEMORY, data.memory);
const stopped = new Int32Array(data.stopped);

// As text: a batch of small objects is copied from thread to thread several times faster that way.
serveThread(async (orders: LookOrder[]): Promise<string> => {
  const looks: Look[] = [];
  for (const order of orders) {
    if (Atomics.load(stopped, 0) !== 0) break;
    looks.push(await lookAtFile(order, files, budget));
  }
  return JSON.stringify(looks);
});
