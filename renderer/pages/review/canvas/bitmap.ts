/** Masks as plain bytes at the picture's upright size, and rectangles of them. Pure, so that tests need no browser. */

/** 8-bit values row by row; 255 = context, 0 = foreground. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Whole pixels, origin top left. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A place in the picture, in its pixels; 0.5 is the centre of the first one. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The smallest rectangle round both. */
export function union(a: Rect | undefined, b: Rect | undefined): Rect | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/**
 * The pixels that a range of coordinates touches, within the picture.
 * @param right,bottom first coordinates that are not touched any more
 * @returns undefined where nothing is left
 */
export function pixelsWithin(
  { width, height }: { width: number; height: number },
  left: number,
  top: number,
  right: number,
  bottom: number,
): Rect | undefined {
  const x = Math.max(0, Math.floor(left));
  const y = Math.max(0, Math.floor(top));
  const rect = { x, y, width: Math.min(width, Math.ceil(right)) - x, height: Math.min(height, Math.ceil(bottom)) - y };
  return rect.width > 0 && rect.height > 0 ? rect : undefined;
}

/** @returns the values of a rectangle, row by row */
export function cut({ width, data }: Bitmap, rect: Rect): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(rect.width * rect.height);
  for (let y = 0; y < rect.height; y++) {
    const from = (rect.y + y) * width + rect.x;
    values.set(data.subarray(from, from + rect.width), y * rect.width);
  }
  return values;
}

/** Put the values of a rectangle, row by row. @throws RangeError when there are not as many as it has pixels */
export function paste({ width, data }: Bitmap, rect: Rect, values: Uint8Array): void {
  if (values.length !== rect.width * rect.height) {
    throw new RangeError(`${rect.width} x ${rect.height} pixels have ${values.length} values`);
  }
  for (let y = 0; y < rect.height; y++) {
    data.set(values.subarray(y * rect.width, (y + 1) * rect.width), (rect.y + y) * width + rect.x);
  }
}

/** The smallest part of a rectangle that holds every pixel in which two masks of one size differ. */
export function changedPart(a: Bitmap, b: Bitmap, rect: Rect): Rect | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    const row = y * a.width;
    let first = rect.x;
    const end = rect.x + rect.width;
    while (first < end && a.data[row + first] === b.data[row + first]) first++;
    if (first === end) continue;
    let last = end - 1;
    while (a.data[row + last] === b.data[row + last]) last--;
    left = Math.min(left, first);
    right = Math.max(right, last);
    top = Math.min(top, y);
    bottom = y;
  }
  return bottom < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** The whole of a mask. */
export function wholeOf({ width, height }: { width: number; height: number }): Rect {
  return { x: 0, y: 0, width, height };
}

/** Mean of a mask, 0 to 1: the share of the picture that is context. */
export function areaOf({ data }: Bitmap): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i];
  return sum / (255 * data.length);
}
