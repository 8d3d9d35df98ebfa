/** Entry of one thread of `render-threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData } from '../base/errors.ts';
import { Renderer } from './render.ts';
import type { ThreadOrder, ThreadReply, ThreadRequest } from './render-threads.ts';

const port = parentPort!;
const renderer = new Renderer(workerData);
let replies: ThreadReply[] = [];

/** Send what has come together in this turn of the event loop. */
function reply(message: ThreadReply): void {
  if (replies.length === 0) {
    setImmediate(() => {
      port.postMessage(replies);
      replies = [];
    });
  }
  replies.push(message);
}

async function answer({ id, order, shelf }: ThreadOrder): Promise<ThreadReply> {
  const given = new Set(shelf.keys());
  try {
    const rendered = await renderer.make(order, shelf);
    return {
      id,
      rendered,
      made: [...shelf].flatMap(([key, pixels]) => (given.has(key) ? [] : [[key, share(pixels)]])),
    };
  } catch (error) {
    return { id, error: errorToData(error) };
  }
}

/** A copy that other threads can read without another copy. */
function share(pixels: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length));
  shared.set(pixels);
  return shared;
}

port.on('message', (request: ThreadRequest) => {
  if (request === 'close') {
    port.close();
    void renderer.close();
  } else {
    for (const order of request) void answer(order).then(reply);
  }
});
