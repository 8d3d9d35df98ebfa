/** How many pictures are made at once. */
import { availableParallelism } from 'node:os';
import type { ParallelOptions } from '../base/parallel.ts';
import type { PlanItem } from './item.ts';
import type { Renderer } from './render.ts';

/** Bytes of pixels that may be in memory at once; one picture alone may be larger. */
const MOST_MEMORY = 2 ** 30;

/** Enough to keep all cores busy while this thread mixes and others wait for the disk, but not more than fits. */
export function workload({ images }: Renderer, signal: AbortSignal): ParallelOptions<PlanItem> {
  const pixelsOf = (id: number): number => {
    const image = images.get(id);
    return image ? image.width * image.height : 0;
  };
  const of = ({ source, context, width, height }: PlanItem): number =>
    3 * (pixelsOf(source.id) + (context ? pixelsOf(context.image.id) : 0) + 4 * width * height);
  return { limit: availableParallelism() + 2, cost: { of, most: MOST_MEMORY }, signal };
}
