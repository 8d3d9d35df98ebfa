/** Snap the mask of a context to the edges of its picture, as one stroke. */
import type { DraftChange, Region } from '../api/review.ts';
import { UserError } from '../base/errors.ts';
import { ThreadPool } from '../base/thread-pool.ts';
import type { SnapOrder, SnapReply } from '../contexts/grabcut-thread.ts';
import type { Project } from '../storage/project.ts';
import type { ImageRecord } from '../storage/records.ts';
import type { Act } from './contexts.ts';
import { canvasAt, paintValues, requireInside, strokeChange } from './drafts.ts';

/** A thread that nobody has used for so long is ended, milliseconds. */
const IDLE_MS = 120_000;

let pool: ThreadPool<SnapOrder, SnapReply> | undefined;
let idle: NodeJS.Timeout | undefined;
let working = 0;

/**
 * Move the border of the mask inside a region to edges of the picture.
 * @param read the file of an image, as it was imported
 * @throws UserError 'not-found', 'conflict'; 'usage' for a region outside the picture; 'empty' when it holds no border;
 *   'changed', 'damaged', … of the picture's file
 */
export async function snap(
  project: Project,
  id: number,
  { revision, region }: { revision: number; region: Region },
  read: (image: ImageRecord) => Promise<Uint8Array>,
  act: Act,
): Promise<DraftChange> {
  const { store } = project;
  const canvas = await canvasAt(project, id, revision);
  requireInside(region, canvas);
  const image = store.images.get(store.contexts.get(id)!.imageId)!;
  const { width, height, data } = canvas;
  const mask = { width, height, data: data.slice() };
  const values = await inThread({ picture: await read(image), mask, region });
  if (!values) {
    throw new UserError('empty', 'The region holds no border between context and foreground: draw it across one.');
  }
  const painted = { revision, tool: 'snap', params: { method: 'grabcut' }, region } as const;
  const state = await paintValues(project, id, canvas, painted, values, act);
  return strokeChange(state, painted, values);
}

async function inThread(order: SnapOrder): Promise<SnapReply> {
  clearTimeout(idle);
  working++;
  try {
    pool ??= new ThreadPool(new URL('../contexts/grabcut-thread.ts', import.meta.url), { threads: 1, data: null });
    return await pool.run(order);
  } finally {
    working--;
    if (working === 0) idle = setTimeout(close, IDLE_MS).unref();
  }
}

function close(): void {
  void pool?.close();
  pool = undefined;
}
