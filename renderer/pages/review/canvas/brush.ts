/**
 * The round brush and eraser. A stroke is a chain of segments; each covers the pixels whose centres lie within half the
 * diameter of it. Pure.
 */
import { pixelsWithin, type Bitmap, type Point, type Rect } from './bitmap.ts';

export interface BrushTip {
  /** Pixels of the picture, 1 or more. */
  readonly diameter: number;
  /** The outer half fades. */
  readonly soft: boolean;
  /** What it paints: 255 adds context, 0 takes it away. */
  readonly value: 0 | 255;
}

/** Largest diameter for a picture: a quarter of its longer side. */
export function largestDiameter({ width, height }: { width: number; height: number }): number {
  return Math.max(1, Math.round(Math.max(width, height) / 4));
}

/** The next diameter that `[` and `]` go to: by an eighth, at least by one pixel. */
export function nextDiameter(diameter: number, direction: 1 | -1, largest: number): number {
  const step = Math.max(1, Math.round(diameter / 8));
  return Math.min(largest, Math.max(1, diameter + direction * step));
}

/**
 * Where the tip's centre goes: odd diameters on centres of pixels, even ones on their corners, so that a tip of one pixel
 * paints the pixel that is pointed at and a line of it has no gap.
 */
export function snapped({ x, y }: Point, diameter: number): Point {
  return diameter % 2 === 1
    ? { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 }
    : { x: Math.round(x), y: Math.round(y) };
}

/**
 * Paint a segment.
 * @param base the mask before the stroke: a soft tip fades from it, so that passing twice is the same as once
 * @returns the rectangle that may have changed; undefined outside the picture
 */
export function paintSegment(mask: Bitmap, base: Bitmap, from: Point, to: Point, tip: BrushTip): Rect | undefined {
  const radius = tip.diameter / 2;
  const a = snapped(from, tip.diameter);
  const b = snapped(to, tip.diameter);
  const rect = pixelsWithin(
    mask,
    Math.min(a.x, b.x) - radius,
    Math.min(a.y, b.y) - radius,
    Math.max(a.x, b.x) + radius,
    Math.max(a.y, b.y) + radius,
  );
  if (rect === undefined) return undefined;
  if (tip.diameter === 1) {
    paintLine(mask, a, b, tip.value);
    return rect;
  }
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    const span = capsuleSpan(a, b, radius, y + 0.5);
    if (span === undefined) continue;
    // Pixels whose centres lie in the span.
    const first = Math.max(rect.x, Math.ceil(span[0] - 0.5));
    const end = Math.min(rect.x + rect.width, Math.floor(span[1] - 0.5) + 1);
    if (first >= end) continue;
    if (tip.soft && radius > 1) paintSoft(mask, base, a, b, radius, y, first, end, tip.value);
    else mask.data.fill(tip.value, y * mask.width + first, y * mask.width + end);
  }
  return rect;
}

/** The line of single pixels from one centre to another: one for each step along its longer side. */
function paintLine({ width, height, data }: Bitmap, a: Point, b: Point, value: 0 | 255): void {
  const steps = Math.max(1, Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  for (let i = 0; i <= steps; i++) {
    const x = Math.floor(a.x + ((b.x - a.x) * i) / steps);
    const y = Math.floor(a.y + ((b.y - a.y) * i) / steps);
    if (x >= 0 && y >= 0 && x < width && y < height) data[y * width + x] = value;
  }
}

/** Rounding must not lose pixels whose centres lie on the edge. */
const EDGE = 1e-9;

/** Where a horizontal line cuts the points within `radius` of the segment: they are convex, so it is one span. */
function capsuleSpan(a: Point, b: Point, radius: number, y: number): [number, number] | undefined {
  let [left, right] = [Infinity, -Infinity];
  const take = (low: number, high: number): void => {
    left = Math.min(left, low);
    right = Math.max(right, high);
  };
  for (const end of [a, b]) {
    const rest = radius * radius - (y - end.y) ** 2;
    if (rest >= -EDGE) {
      const half = Math.sqrt(Math.max(0, rest));
      take(end.x - half, end.x + half);
    }
  }
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy);
  if (length > 0) {
    // The two sides of the band between the ends.
    const [nx, ny] = [(-dy / length) * radius, (dx / length) * radius];
    for (const sign of [1, -1]) {
      const along = dy === 0 ? Number.NaN : (y - (a.y + sign * ny)) / dy;
      if (along >= 0 && along <= 1) take(a.x + sign * nx + along * dx, a.x + sign * nx + along * dx);
    }
  }
  return left > right ? undefined : [left - EDGE, right + EDGE];
}

/** A row of a soft tip: full strength to half of the radius, from there down to nothing. */
function paintSoft(
  mask: Bitmap,
  base: Bitmap,
  a: Point,
  b: Point,
  radius: number,
  y: number,
  first: number,
  end: number,
  value: 0 | 255,
): void {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const square = dx * dx + dy * dy;
  for (let x = first; x < end; x++) {
    const [px, py] = [x + 0.5 - a.x, y + 0.5 - a.y];
    const along = square === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / square));
    const distance = Math.hypot(px - along * dx, py - along * dy);
    const strength = Math.min(1, Math.max(0, 2 - (2 * distance) / radius));
    const index = y * mask.width + x;
    const wanted = Math.round(base.data[index] + strength * (value - base.data[index]));
    mask.data[index] = value === 255 ? Math.max(mask.data[index], wanted) : Math.min(mask.data[index], wanted);
  }
}
