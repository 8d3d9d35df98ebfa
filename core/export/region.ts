import type { Size } from '../data/geometry.ts';

/** A rectangle on a picture's grid. */
export interface Region extends Size {
  x: number;
  y: number;
}

/**
 * A rectangle somewhere on a picture, of a given share of its area and a random aspect ratio between 1:2 and 2:1
 * (relative to the picture's own), narrowed where it would not fit.
 * @param area share of the picture, 0 to 1
 * @param uniform draws a number in [0, 1)
 */
export function drawnRegion(size: Size, area: number, uniform: () => number): Region {
  const aspect = 2 ** (2 * uniform() - 1);
  // Both sides as shares of the picture's; one that is cut to 1 gives what is missing to the other.
  const across = Math.min(1, Math.max(Math.sqrt(area * aspect), area));
  const down = across > 0 ? Math.min(1, area / across) : 0;
  const width = Math.min(size.width, Math.max(1, Math.round(across * size.width)));
  const height = Math.min(size.height, Math.max(1, Math.round(down * size.height)));
  return {
    x: Math.floor(uniform() * (size.width - width + 1)),
    y: Math.floor(uniform() * (size.height - height + 1)),
    width,
    height,
  };
}
