/** How large an export will be, from a sample of it. */
import { forEachPicture } from './for-each.ts';
import type { PlanItem } from './item.ts';
import type { Workshop } from './workshop.ts';

/** Pictures that are made for the estimate. */
const SAMPLE = 24;
/** What a picture costs beside its content: half a disk block, and its lines in the two lineage files. */
export const BYTES_BESIDE = 2048 + 1200;

/**
 * Estimate the bytes on disk. Makes a few pictures, evenly spread over the plan, and scales by the number of pixels.
 * @returns undefined when the signal stopped it
 * @throws UserError as `Workshop.make`
 */
export async function estimateBytes(
  items: readonly PlanItem[],
  workshop: Workshop,
  signal: AbortSignal,
): Promise<number | undefined> {
  const count = Math.min(SAMPLE, items.length);
  const sample = Array.from({ length: count }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / count)]);
  let bytes = 0;
  const done = await forEachPicture(sample, workshop, signal, async (item) => {
    // Several are under way: the sum is read after the picture is made, not before.
    const made = await workshop.make(item, null);
    bytes += made.bytes;
  });
  if (!done) return undefined;
  return scaleBytes(bytes, sample, items);
}

/** Bytes on disk of pictures when some of them come to so many bytes of content. */
export function scaleBytes(bytes: number, some: readonly PlanItem[], all: readonly PlanItem[]): number {
  return Math.ceil((bytes * pixels(all)) / pixels(some)) + all.length * BYTES_BESIDE;
}

function pixels(items: readonly PlanItem[]): number {
  return items.reduce((sum, { width, height }) => sum + width * height, 0);
}
