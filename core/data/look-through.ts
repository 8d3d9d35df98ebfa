/** All files of a source, each looked at by whichever thread has time, in the order of the source. */
import { mapOrdered } from './flow.ts';
import type { FileFacts, Look, LookOrder } from './look.ts';
import { LocalLooker, ThreadedLooker } from './lookers.ts';
import type { ImageSource, SourceItem } from './sources/source.ts';

/** Files that are looked at together, so that handing them to a thread costs little. */
const BATCH = 32;

/** Some items of a source, and what was found of those that are files; both in order. */
export interface Looked {
  items: SourceItem[];
  looks: Look[];
}

/**
 * @param files about how many there are
 * @param known what an earlier look found, by path: files of the same size and time are not read again
 * @param signal no further file is looked at once it is aborted
 */
export async function* lookThrough(
  source: ImageSource,
  files: number,
  known: ReadonlyMap<string, FileFacts>,
  signal: AbortSignal,
): AsyncGenerator<Looked> {
  const { kind, path } = source;
  const looker = kind === 'zip' || files <= BATCH ? new LocalLooker(source) : new ThreadedLooker({ kind, path }, files);
  const stop = (): void => looker.stop();
  const look = async (items: SourceItem[]): Promise<Looked> => {
    const orders = items.flatMap((item) => (item.type === 'file' ? [orderOf(item, known)] : []));
    return { items, looks: orders.length === 0 || signal.aborted ? [] : await looker.look(orders) };
  };
  signal.addEventListener('abort', stop);
  try {
    for await (const looked of mapOrdered(batchesOf(source.list(signal), BATCH), looker.batches, look)) {
      if (signal.aborted) return;
      yield looked;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await looker.close();
  }
}

function orderOf({ file }: SourceItem & { type: 'file' }, known: ReadonlyMap<string, FileFacts>): LookOrder {
  const before = known.get(file.path);
  return before ? { file, known: { size: before.size, mtimeMs: before.mtimeMs } } : { file };
}

async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
