/** Polygons and boxes filled in. Pure. */
import { pixelsWithin, type Bitmap, type Point, type Rect } from './bitmap.ts';

/**
 * Fill the pixels whose centres lie inside a closed polygon; where it crosses itself, by the even-odd rule.
 * @returns the rectangle that may have changed; undefined for fewer than three points or outside the picture
 */
export function fillPolygon(mask: Bitmap, points: readonly Point[], value: 0 | 255): Rect | undefined {
  if (points.length < 3) return undefined;
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const rect = pixelsWithin(mask, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
  if (rect === undefined) return undefined;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    const cuts = crossings(points, y + 0.5);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const first = Math.max(rect.x, Math.ceil(cuts[i] - 0.5));
      const end = Math.min(rect.x + rect.width, Math.ceil(cuts[i + 1] - 0.5));
      if (first < end) mask.data.fill(value, y * mask.width + first, y * mask.width + end);
    }
  }
  return rect;
}

/** Where a horizontal line crosses the sides of a polygon, from left to right. */
function crossings(points: readonly Point[], y: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < points.length; i++) {
    const a = points[i];
    const b = points[(i + 1) % points.length];
    if (a.y <= y !== b.y <= y) found.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return found.sort((a, b) => a - b);
}

/** Fill the pixels that a box from one corner to the opposite one touches. */
export function fillBox(mask: Bitmap, a: Point, b: Point, value: 0 | 255): Rect | undefined {
  const rect = boxOf(mask, a, b);
  if (rect === undefined) return undefined;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    mask.data.fill(value, y * mask.width + rect.x, y * mask.width + rect.x + rect.width);
  }
  return rect;
}

/** The pixels of a box between two corners, both of their pixels included. */
export function boxOf(size: { width: number; height: number }, a: Point, b: Point): Rect | undefined {
  return pixelsWithin(
    size,
    Math.floor(Math.min(a.x, b.x)),
    Math.floor(Math.min(a.y, b.y)),
    Math.floor(Math.max(a.x, b.x)) + 1,
    Math.floor(Math.max(a.y, b.y)) + 1,
  );
}
