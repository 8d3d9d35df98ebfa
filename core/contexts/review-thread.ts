/** A thread for work on many masks: the service must not stand still meanwhile. */
import { serveThread } from '../base/thread-pool.ts';
import { decodeGrey, encodeGrey } from '../data/decode.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { foregroundIou } from './mask-iou.ts';
import { morph, type Operation } from './mask-morphology.ts';
import { maskArea } from './mask.ts';

export type ReviewOrder =
  | { type: 'morph'; folder: string; blobs: BlobId[]; operation: Operation; amount: number }
  | { type: 'iou'; folder: string; pairs: [BlobId, BlobId][] };

/** A mask that was made, as 8-bit grey PNG. */
export interface Morphed {
  png: Uint8Array;
  width: number;
  height: number;
  area: number;
}

export type ReviewReply = { masks: Morphed[] } | { overlaps: number[] };

serveThread(async (order: ReviewOrder): Promise<ReviewReply> => {
  const blobs = new BlobStore(order.folder);
  if (order.type === 'iou') {
    const overlaps: number[] = [];
    for (const pair of order.pairs) {
      const [one, other] = await Promise.all(pair.map((blob) => decodeGrey(blobs.get(blob))));
      overlaps.push(foregroundIou(one, other));
    }
    return { overlaps };
  }
  const masks: Morphed[] = [];
  for (const blob of order.blobs) {
    const mask = await decodeGrey(blobs.get(blob));
    const { width, height } = mask;
    const changed = { width, height, data: morph(mask, order.operation, order.amount) };
    masks.push({ png: await encodeGrey(changed), width, height, area: maskArea(changed) });
  }
  return { masks };
});
