/** Entry of one thread of `render-threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData } from '../base/errors.ts';
import { LocalMaker, type RenderOrder } from './render.ts';
import type { ThreadReply, ThreadRequest } from './render-threads.ts';

const port = parentPort!;
const maker = new LocalMaker(workerData);

async function answer(id: number, order: RenderOrder): Promise<ThreadReply> {
  try {
    return { id, rendered: await maker.make(order) };
  } catch (error) {
    return { id, error: errorToData(error) };
  }
}

port.on('message', (request: ThreadRequest) => {
  if (request === 'close') {
    port.close();
    void maker.close();
  } else {
    void answer(request.id, request.order).then((reply) => port.postMessage(reply));
  }
});
