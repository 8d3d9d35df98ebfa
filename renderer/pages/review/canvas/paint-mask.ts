/**
 * A mask as pixels of the screen. Worked out for the rectangle of the screen that changed, from the mask itself: what is
 * seen is exact at any enlargement, and an outline is as thick at any. Pure.
 */
import type { Bitmap, Rect } from './bitmap.ts';

/** Where a grid of values lies on the screen, device pixels. */
export interface Projection {
  /** Device pixels for each value. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
}

/** Colours by value, as words of RGBA in the byte order of ImageData on little-endian machines. */
export type Colours = Uint32Array;

/** From this value on a pixel counts as context where a line has to be drawn. */
const HALF = 128;

export function rgba(red: number, green: number, blue: number, alpha: number): number {
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** One colour, as strong as `alphaOf` says of each value, 0 to 1. */
export function coloursOf(
  [red, green, blue]: readonly [number, number, number],
  alphaOf: (value: number) => number,
): Colours {
  return Uint32Array.from({ length: 256 }, (_, value) => rgba(red, green, blue, alphaOf(value / 255)));
}

/** The device pixels that show a rectangle of the grid. @param margin device pixels more on each side */
export function onScreen(rect: Rect, { scaleX, scaleY, left, top }: Projection, margin: number, screen: Rect): Rect {
  const x = Math.max(screen.x, Math.floor(left + rect.x * scaleX) - margin);
  const y = Math.max(screen.y, Math.floor(top + rect.y * scaleY) - margin);
  const right = Math.min(screen.width, Math.ceil(left + (rect.x + rect.width) * scaleX) + margin);
  const bottom = Math.min(screen.height, Math.ceil(top + (rect.y + rect.height) * scaleY) + margin);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/**
 * Colour each pixel by the value below it.
 * @param out [area.height, area.width]; where there is no mask it is transparent
 */
export function paintFill(out: Uint32Array, area: Rect, mask: Bitmap, projection: Projection, colours: Colours): void {
  const columns = sources(area.x, area.width, projection.left, projection.scaleX, mask.width);
  const rows = sources(area.y, area.height, projection.top, projection.scaleY, mask.height);
  for (let y = 0, to = 0; y < area.height; y++) {
    const row = rows[y] * mask.width;
    for (let x = 0; x < area.width; x++, to++) {
      out[to] = row < 0 || columns[x] < 0 ? 0 : colours[mask.data[row + columns[x]]];
    }
  }
}

/**
 * Draw the border between context and foreground over what is there: light on the side of the context, dark on the other,
 * so that it stands out on any picture and for any eye.
 * @param thickness of each side, device pixels
 */
export function paintOutline(
  out: Uint32Array,
  area: Rect,
  mask: Bitmap,
  projection: Projection,
  thickness: number,
): void {
  const columns = sources(
    area.x - thickness,
    area.width + 2 * thickness,
    projection.left,
    projection.scaleX,
    mask.width,
  );
  const rows = sources(area.y - thickness, area.height + 2 * thickness, projection.top, projection.scaleY, mask.height);
  const light = rgba(255, 255, 255, 1);
  const dark = rgba(0, 0, 0, 0.85);
  const contextAt = (row: number, column: number): boolean => mask.data[row * mask.width + column] >= HALF;
  for (let y = 0, to = 0; y < area.height; y++) {
    const row = rows[y + thickness];
    if (row < 0) {
      to += area.width;
      continue;
    }
    const above = rows[y] < 0 ? row : rows[y];
    const below = rows[y + 2 * thickness] < 0 ? row : rows[y + 2 * thickness];
    for (let x = 0; x < area.width; x++, to++) {
      const column = columns[x + thickness];
      if (column < 0) continue;
      const context = contextAt(row, column);
      const before = columns[x] < 0 ? column : columns[x];
      const after = columns[x + 2 * thickness] < 0 ? column : columns[x + 2 * thickness];
      if (
        contextAt(row, before) !== context ||
        contextAt(row, after) !== context ||
        contextAt(above, column) !== context ||
        contextAt(below, column) !== context
      ) {
        out[to] = context ? light : dark;
      }
    }
  }
}

/** Which value lies below the centre of each device pixel; -1 where none does. */
function sources(from: number, length: number, start: number, scale: number, size: number): Int32Array {
  const result = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.floor((from + i + 0.5 - start) / scale);
    result[i] = at >= 0 && at < size ? at : -1;
  }
  return result;
}
