/**
 * Picture makers on threads of their own: preparing, mixing, compressing and writing would otherwise all wait for one
 * thread. What one of them has decoded lies in shared memory, on one shelf for all.
 */
// oxlint-disable unicorn/require-post-message-target-origin -- threads have no origins
import { Worker } from 'node:worker_threads';
import { errorFromData, type ErrorData } from '../base/errors.ts';
import type { PictureMaker, RenderOrder, Rendered, RenderSettings } from './render.ts';
import { boundedShelf, keysOf, type Shelf } from './shelf.ts';

/** An order with what is on the shelf for it. */
export interface ThreadOrder {
  id: number;
  order: RenderOrder;
  shelf: Map<string, Uint8Array>;
}
/** To a thread: orders, or the wish that it ends. */
export type ThreadRequest = ThreadOrder[] | 'close';
/** From a thread, several at a time; `made` is for the shelf. */
export type ThreadReply =
  { id: number; rendered: Rendered; made: [key: string, pixels: Uint8Array][] } | { id: number; error: ErrorData };

interface Thread {
  worker: Worker;
  waiting: Map<number, { resolve: (rendered: Rendered) => void; reject: (error: unknown) => void }>;
  /** Orders that go out at the end of this turn of the event loop: a message costs more than what it carries. */
  outbox: ThreadOrder[];
  /** What it died of. */
  death?: Error;
  ended: Promise<void>;
}

/** Shares orders among threads. */
export class ThreadedMaker implements PictureMaker {
  readonly #threads: Thread[];
  readonly #shelf: Shelf;
  #orders = 0;

  /** @param shelfBytes of resized pictures and masks that are kept for the next use */
  constructor(settings: RenderSettings, shelfBytes: number, threads: number) {
    this.#shelf = boundedShelf(shelfBytes);
    this.#threads = Array.from({ length: threads }, () => startThread(settings, this.#shelf));
  }

  make(order: RenderOrder): Promise<Rendered> {
    const thread = this.#threads.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
    const id = this.#orders++;
    return new Promise((resolve, reject) => {
      if (thread.death) {
        reject(thread.death);
        return;
      }
      thread.waiting.set(id, { resolve, reject });
      if (thread.outbox.length === 0) setImmediate(() => send(thread));
      thread.outbox.push({ id, order, shelf: this.#shelfFor(order) });
    });
  }

  async close(): Promise<void> {
    for (const { worker } of this.#threads) worker.postMessage('close' satisfies ThreadRequest);
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #shelfFor({ item }: RenderOrder): Map<string, Uint8Array> {
    const found = keysOf(item).map((key) => [key, this.#shelf.get(key)] as const);
    return new Map(found.flatMap(([key, pixels]) => (pixels ? [[key, pixels]] : [])));
  }
}

function send(thread: Thread): void {
  thread.worker.postMessage(thread.outbox satisfies ThreadRequest);
  thread.outbox = [];
}

function startThread(settings: RenderSettings, shelf: Shelf): Thread {
  const worker = new Worker(new URL('render-thread.ts', import.meta.url), { workerData: settings });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => resolve());
  });
  const thread: Thread = { worker, waiting: new Map(), outbox: [], ended };
  worker.on('message', (replies: ThreadReply[]) => {
    for (const reply of replies) {
      const order = thread.waiting.get(reply.id);
      thread.waiting.delete(reply.id);
      if ('error' in reply) {
        order?.reject(errorFromData(reply.error));
        continue;
      }
      for (const [key, pixels] of reply.made) shelf.set(key, pixels);
      order?.resolve(reply.rendered);
    }
  });
  // A thread dies of what is no one picture's fault, such as a lack of memory.
  worker.on('error', (error) => {
    thread.death = error;
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  });
  return thread;
}
