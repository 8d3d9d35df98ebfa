/** The paste itself, on 8-bit pixels. */

/**
 * x~ = a * c + (1 - a) * x with a = lambda * M (method.md 2.4), per pixel and channel, rounded half up.
 * @param target x, RGB, 3 bytes a pixel
 * @param context c, RGB, as large as `target`
 * @param mask M, 1 byte a pixel, 255 = all context
 * @param lambda 0 to 1
 * @param mixed takes the result, RGB, as large as `target`; a new array if it is left out
 * @returns mixed
 */
export function mixPixels(
  target: Uint8Array,
  context: Uint8Array,
  mask: Uint8Array,
  lambda: number,
  mixed: Uint8Array = new Uint8Array(target.length),
): Uint8Array {
  if ([context.length, mask.length * 3, mixed.length].some((length) => length !== target.length)) {
    throw new Error(`sizes differ: target ${target.length}, context ${context.length}, mask ${mask.length}`);
  }
  const weights = new Float64Array(256);
  for (let value = 0; value < 256; value++) weights[value] = (lambda * value) / 255;
  for (let pixel = 0, i = 0; pixel < mask.length; pixel++, i += 3) {
    const a = weights[mask[pixel]];
    const b = 1 - a;
    // What is put into a byte array loses its fraction: 0.5 more rounds half up.
    mixed[i] = a * context[i] + b * target[i] + 0.5;
    mixed[i + 1] = a * context[i + 1] + b * target[i + 1] + 0.5;
    mixed[i + 2] = a * context[i + 2] + b * target[i + 2] + 0.5;
  }
  return mixed;
}

/**
 * A mask with two values only.
 * @param threshold 0 to 1: from this share of 255 on a pixel is context
 */
export function binarize(mask: Uint8Array, threshold: number): Uint8Array {
  return mask.map((value) => (value / 255 >= threshold ? 255 : 0));
}
