/**
 * Random resized crop (Szegedy et al. 2015, arXiv 1409.4842), drawn as torchvision does: a part of random area and shape,
 * brought to the network's size.
 */
import type { Random } from '../base/random.ts';
import type { Size } from '../data/geometry.ts';
import type { Box } from '../data/resample.ts';

/** Widest shape, and one over the tallest: width over height. */
const WIDEST = 4 / 3;

/** Draws before the middle is taken: parts that do not fit the picture are drawn again. */
const TRIES = 10;

/** @param leastArea smallest share of the picture's area, above 0 and up to 1 */
export function drawResizedCrop(random: Random, { width, height }: Size, leastArea: number): Box {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = width * height * (leastArea + (1 - leastArea) * random.uniform());
    const shape = WIDEST ** (2 * random.uniform() - 1);
    const box = { width: Math.round(Math.sqrt(area * shape)), height: Math.round(Math.sqrt(area / shape)) };
    if (box.width < 1 || box.height < 1 || box.width > width || box.height > height) continue;
    return { ...box, left: random.below(width - box.width + 1), top: random.below(height - box.height + 1) };
  }
  return middle({ width, height });
}

/** The largest part in the middle whose shape is allowed. */
function middle({ width, height }: Size): Box {
  const box = {
    width: Math.min(width, Math.max(1, Math.round(height * WIDEST))),
    height: Math.min(height, Math.max(1, Math.round(width * WIDEST))),
  };
  return { ...box, left: Math.floor((width - box.width) / 2), top: Math.floor((height - box.height) / 2) };
}
