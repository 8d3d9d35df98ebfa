/** Who looks at the files of a source: this thread, or several that do nothing else. */
import { availableParallelism } from 'node:os';
import { ThreadPool } from '../base/thread-pool.ts';
import { ByteBudget } from './flow.ts';
import { lookAtFile, LOOK_MEMORY, type Look, type LookOrder } from './look.ts';
import type { FilesOf } from './sources/file-reader.ts';
import type { SourceFiles } from './sources/source.ts';

export interface Looker {
  /** Batches that are worth having under way at a time. */
  readonly batches: number;
  /** Look at some files; the results are in the same order. Once it is stopped it may leave out the last ones. */
  look(orders: LookOrder[]): Promise<Look[]>;
  /** Look at no further file. */
  stop(): void;
  close(): Promise<void>;
}

/** What a thread is told at its start. */
export interface LookThreadData {
  source: FilesOf;
  /** Of a `SharedByteBudget`. */
  memory: SharedArrayBuffer;
  /** One number, not zero once it is to stop. */
  stopped: SharedArrayBuffer;
}

/** Threads for many files, however few the cores: a disk far away wants several requests at a time. */
const FEWEST_THREADS = 4;
/** Beyond this many, the one thread that gathers what they find has no time for more. */
const MOST_THREADS = 16;
/** A thread takes a tenth of a second to start, in which another one looks at this many. */
const WORTH_A_THREAD = 500;

/** For zip files, whose table of contents would be too large to be held by every thread; and for a handful of files. */
export class LocalLooker implements Looker {
  readonly batches = 2;
  readonly #source: SourceFiles;
  readonly #budget = new ByteBudget(LOOK_MEMORY);
  #stopped = false;

  constructor(source: SourceFiles) {
    this.#source = source;
  }

  async look(orders: LookOrder[]): Promise<Look[]> {
    return this.#stopped ? [] : Promise.all(orders.map((order) => lookAtFile(order, this.#source, this.#budget)));
  }

  stop(): void {
    this.#stopped = true;
  }

  async close(): Promise<void> {}
}

/** For folders and CSV files, whose pictures any thread can open. */
export class ThreadedLooker implements Looker {
  readonly batches: number;
  readonly #pool: ThreadPool<LookOrder[], string>;
  readonly #stopped = new SharedArrayBuffer(4);

  /** @param files how many there are to look at */
  constructor(source: FilesOf, files: number) {
    const most = Math.min(Math.max(FEWEST_THREADS, availableParallelism()), MOST_THREADS);
    const threads = Math.min(Math.ceil(files / WORTH_A_THREAD), most);
    const data: LookThreadData = { source, memory: new SharedArrayBuffer(4), stopped: this.#stopped };
    this.#pool = new ThreadPool(new URL('look-thread.ts', import.meta.url), { threads, data });
    this.batches = threads * 4;
  }

  async look(orders: LookOrder[]): Promise<Look[]> {
    return JSON.parse(await this.#pool.run(orders));
  }

  stop(): void {
    Atomics.store(new Int32Array(this.#stopped), 0, 1);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
