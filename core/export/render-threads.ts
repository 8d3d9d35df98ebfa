/** Picture makers on threads of their own: preparing, mixing and hashing would otherwise all wait for one thread. */
// oxlint-disable unicorn/require-post-message-target-origin -- threads have no origins
import { Worker } from 'node:worker_threads';
import { errorFromData, type ErrorData } from '../base/errors.ts';
import type { PictureMaker, RenderOrder, Rendered, RenderSettings } from './render.ts';

/** To a thread: an order, or the wish that it ends. */
export type ThreadRequest = { id: number; order: RenderOrder } | 'close';
/** From a thread. */
export type ThreadReply = { id: number; rendered: Rendered } | { id: number; error: ErrorData };

interface Thread {
  worker: Worker;
  waiting: Map<number, { resolve: (rendered: Rendered) => void; reject: (error: unknown) => void }>;
  /** What it died of. */
  death?: Error;
  ended: Promise<void>;
}

/** Orders that one thread may be behind another. */
const FAR_BEHIND = 2;

/** Shares orders among threads. */
export class ThreadedMaker implements PictureMaker {
  readonly #threads: Thread[];
  #orders = 0;

  constructor(settings: RenderSettings, threads: number) {
    const share: RenderSettings = { ...settings, cacheBytes: Math.floor(settings.cacheBytes / threads) };
    this.#threads = Array.from({ length: threads }, () => startThread(share));
  }

  make(order: RenderOrder): Promise<Rendered> {
    const { worker, waiting, death } = this.#threadFor(order);
    const id = this.#orders++;
    return new Promise((resolve, reject) => {
      if (death) {
        reject(death);
        return;
      }
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, order } satisfies ThreadRequest);
    });
  }

  async close(): Promise<void> {
    for (const { worker } of this.#threads) worker.postMessage('close' satisfies ThreadRequest);
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  /** A context goes to the same thread each time, where it is decoded already, unless that one is far behind. */
  #threadFor({ source, context }: RenderOrder): Thread {
    const usual = this.#threads[(context ?? source).id % this.#threads.length];
    const idlest = this.#threads.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
    return usual.waiting.size > idlest.waiting.size + FAR_BEHIND ? idlest : usual;
  }
}

function startThread(settings: RenderSettings): Thread {
  const worker = new Worker(new URL('render-thread.ts', import.meta.url), { workerData: settings });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => resolve());
  });
  const thread: Thread = { worker, waiting: new Map(), ended };
  worker.on('message', (reply: ThreadReply) => {
    const order = thread.waiting.get(reply.id);
    thread.waiting.delete(reply.id);
    if ('error' in reply) order?.reject(errorFromData(reply.error));
    else order?.resolve(reply.rendered);
  });
  // A thread dies of what is no one picture's fault, such as a lack of memory.
  worker.on('error', (error) => {
    thread.death = error;
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  });
  return thread;
}
