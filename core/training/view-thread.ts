/** Entry of one thread of `FilePictures`: reads and decodes pictures. */
import { workerData } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import { serveThread } from '../base/thread-pool.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import type { ViewOrder, ViewThreadData } from './file-pictures.ts';
import { showView } from './views.ts';

const { roots, size }: ViewThreadData = workerData;
const files = new SnapshotFiles(roots);
const length = size * size * 3;

serveThread(async (orders: ViewOrder[]): Promise<Uint8Array> => {
  const pixels = new Uint8Array(orders.length * length);
  for (const [i, { image, view }] of orders.entries()) {
    const bytes = await files.read(image);
    try {
      await showView(bytes, image, view, size, pixels.subarray(i * length, (i + 1) * length));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError('damaged', `${files.name(image)}: ${error.message}. Exclude it and start again.`, {
        cause: error,
      });
    }
  }
  return pixels;
});
