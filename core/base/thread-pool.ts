/** Work shared among threads of this process. */
// oxlint-disable unicorn/require-post-message-target-origin -- threads have no origins
import { parentPort, Worker } from 'node:worker_threads';
import { errorFromData, errorToData, type ErrorData } from './errors.ts';

interface Request<Order> {
  id: number;
  order: Order;
}
type Answer<Reply> = { id: number; reply: Reply } | { id: number; error: ErrorData };

interface Thread<Reply> {
  worker: Worker;
  waiting: Map<number, { resolve: (reply: Reply) => void; reject: (error: unknown) => void }>;
  /** What it died of. */
  death?: Error;
}

/**
 * Threads that all do the same work. One is started when there is an order and every other is busy. Threads without work
 * do not keep the process alive.
 */
export class ThreadPool<Order, Reply> {
  readonly #entry: URL;
  readonly #most: number;
  readonly #data: unknown;
  readonly #threads: Thread<Reply>[] = [];
  #orders = 0;

  /**
   * @param entry module that calls `serveThread`
   * @param options.threads how many at most
   * @param options.data what each thread finds as `workerData`
   */
  constructor(entry: URL, options: { threads: number; data: unknown }) {
    this.#entry = entry;
    this.#most = options.threads;
    this.#data = options.data;
  }

  /**
   * Have an order done by the thread with the least to do.
   * @throws what the work threw, as `errorFromData` rebuilds it; an Error when the thread died
   */
  run(order: Order): Promise<Reply> {
    const { worker, waiting, death } = this.#idlest();
    const id = this.#orders++;
    return new Promise((resolve, reject) => {
      if (death) {
        reject(death);
        return;
      }
      waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, order } satisfies Request<Order>);
    });
  }

  /** End the threads; orders that are not done yet are dropped and never settle. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Thread<Reply> {
    const idle = this.#threads.find(({ waiting }) => waiting.size === 0);
    if (idle) return idle;
    if (this.#threads.length >= this.#most) {
      return this.#threads.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
    }
    const thread = startThread<Reply>(this.#entry, this.#data);
    this.#threads.push(thread);
    return thread;
  }
}

/** Answer the orders of a `ThreadPool`, one after another. Called once, by the module that is its entry. */
// What comes is whatever the pool's owner sends; that both mean the same type by it is their agreement.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function serveThread<Order>(work: (order: Order) => Promise<unknown>): void {
  const port = parentPort!;
  let last: Promise<void> = Promise.resolve();
  const answer = async ({ id, order }: Request<Order>): Promise<void> => {
    let message: Answer<unknown>;
    try {
      message = { id, reply: await work(order) };
    } catch (error) {
      message = { id, error: errorToData(error) };
    }
    port.postMessage(message);
  };
  port.on('message', (request: Request<Order>) => {
    last = last.then(() => answer(request));
  });
}

function startThread<Reply>(entry: URL, data: unknown): Thread<Reply> {
  const thread: Thread<Reply> = { worker: new Worker(entry, { workerData: data }), waiting: new Map() };
  thread.worker.on('message', (answer: Answer<Reply>) => {
    const order = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if (thread.waiting.size === 0) thread.worker.unref();
    if ('error' in answer) order?.reject(errorFromData(answer.error));
    else order?.resolve(answer.reply);
  });
  // A thread dies of what is no one order's fault, such as a lack of memory.
  thread.worker.on('error', (error: Error) => {
    thread.death = error;
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
  });
  return thread;
}
