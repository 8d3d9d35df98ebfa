/**
 * Operations on whole masks, in plain code without Node, so that page and service can give the same values. A mask has
 * 8-bit values by rows, 255 = context; "set" means at least half.
 */

/** A grey bitmap; as `GreyImage`, without what that needs. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * grow, shrink: of the context, by `amount` pixels · fill-holes: foreground spots of at most `amount` pixels become
 * context · drop-specks: context spots of at most `amount` pixels become foreground · smooth: mean over `amount` pixels
 * each way, twice; a mask of black and white stays one · binarize: cut at half.
 */
export type Operation = 'invert' | 'grow' | 'shrink' | 'fill-holes' | 'drop-specks' | 'smooth' | 'binarize';

/** Apply an operation. @returns new values; the bitmap stays as it is */
export function morph(mask: Bitmap, operation: Operation, amount: number): Uint8Array<ArrayBuffer> {
  switch (operation) {
    case 'invert':
      return mapped(mask, (value) => 255 - value);
    case 'binarize':
      return mapped(mask, (value) => (value >= 128 ? 255 : 0));
    case 'grow':
      return spread(mask, amount, Math.max);
    case 'shrink':
      return spread(mask, amount, Math.min);
    case 'fill-holes':
      return withoutSpots(mask, amount, false);
    case 'drop-specks':
      return withoutSpots(mask, amount, true);
    case 'smooth':
      return smooth(mask, amount);
  }
}

/** Whether there is nothing but 0 and 255. */
export function isBinary({ data }: Bitmap): boolean {
  return data.every((value) => value === 0 || value === 255);
}

function mapped({ data }: Bitmap, value: (old: number) => number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data, value);
}

/**
 * Grey dilation (`Math.max`) or erosion (`Math.min`) by an octagon: by turns over the four and the eight neighbours, the
 * usual approximation of a disc (Rosenfeld and Pfaltz, "Distance functions on digital pictures", 1968). Beyond the
 * picture nothing counts.
 */
function spread(
  { width, height, data }: Bitmap,
  radius: number,
  pick: (a: number, b: number) => number,
): Uint8Array<ArrayBuffer> {
  let from = new Uint8Array(data);
  const rows = new Uint8Array(data.length);
  let to = new Uint8Array(data.length);
  for (let step = 0; step < radius; step++) {
    const square = step % 2 === 1;
    for (let y = 0; y < height; y++) {
      const start = y * width;
      for (let x = 0; x < width; x++) {
        const at = start + x;
        let value = from[at];
        if (x > 0) value = pick(value, from[at - 1]);
        if (x < width - 1) value = pick(value, from[at + 1]);
        rows[at] = value;
      }
    }
    const beside = square ? rows : from;
    for (let y = 0; y < height; y++) {
      const start = y * width;
      for (let x = 0; x < width; x++) {
        const at = start + x;
        let value = rows[at];
        if (y > 0) value = pick(value, beside[at - width]);
        if (y < height - 1) value = pick(value, beside[at + width]);
        to[at] = value;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Turn connected spots (four neighbours) of at most `most` pixels into what surrounds them. @param set which spots */
function withoutSpots({ width, height, data }: Bitmap, most: number, set: boolean): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(data);
  const seen = new Uint8Array(data.length);
  const spot = new Int32Array(data.length);
  const wanted = (at: number): boolean => seen[at] === 0 && data[at] >= 128 === set;
  for (let first = 0; first < data.length; first++) {
    if (!wanted(first)) continue;
    let count = 0;
    const take = (at: number): void => {
      seen[at] = 1;
      spot[count++] = at;
    };
    take(first);
    for (let next = 0; next < count; next++) {
      const at = spot[next];
      const x = at % width;
      if (x > 0 && wanted(at - 1)) take(at - 1);
      if (x < width - 1 && wanted(at + 1)) take(at + 1);
      if (at >= width && wanted(at - width)) take(at - width);
      if (at < width * (height - 1) && wanted(at + width)) take(at + width);
    }
    if (count > most) continue;
    for (let i = 0; i < count; i++) result[spot[i]] = set ? 0 : 255;
  }
  return result;
}

function smooth(mask: Bitmap, radius: number): Uint8Array<ArrayBuffer> {
  const { width, height } = mask;
  const once = boxMean(mask, radius);
  const data = boxMean({ width, height, data: once }, radius);
  return isBinary(mask) ? mapped({ width, height, data }, (value) => (value >= 128 ? 255 : 0)) : data;
}

/** Mean over a square of side 2r + 1, less what lies beyond the picture. */
function boxMean({ width, height, data }: Bitmap, radius: number): Uint8Array<ArrayBuffer> {
  const across = new Float32Array(data.length);
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) means(data, across, y * width, 1, width, radius);
  const rows = new Float32Array(data.length);
  for (let x = 0; x < width; x++) means(across, rows, x, width, height, radius);
  for (let i = 0; i < result.length; i++) result[i] = Math.round(rows[i]);
  return result;
}

/** Running means along one line of `count` values. */
function means(
  from: ArrayLike<number>,
  to: Float32Array,
  start: number,
  stride: number,
  count: number,
  radius: number,
): void {
  let sum = 0;
  for (let i = 0; i < Math.min(radius, count); i++) sum += from[start + i * stride];
  for (let i = 0; i < count; i++) {
    if (i + radius < count) sum += from[start + (i + radius) * stride];
    if (i - radius > 0) sum -= from[start + (i - radius - 1) * stride];
    const taken = Math.min(i + radius, count - 1) - Math.max(i - radius, 0) + 1;
    to[start + i * stride] = sum / taken;
  }
}
