/**
 * Fill what a mask leaves out of a picture from what lies round it, so that neither the foreground nor its outline is left:
 * pull and push over a pyramid (Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph", SIGGRAPH 1996, section 3.4). Each
 * level holds weighted means of four pixels of the finer one; from the coarsest on, what a level lacks comes from the next
 * coarser one, interpolated, so a hole gets the colours of its rim, smoother the farther they are.
 */

interface Level {
  width: number;
  height: number;
  /** Sums of weight times value, 3 a pixel, then weights, 0 to 1. */
  values: Float32Array;
  weights: Float32Array;
}

/**
 * @param pixels RGB, 3 bytes a pixel
 * @param mask 1 byte a pixel, 255 = kept; between, as much of the fill as is missing
 * @returns RGB; the picture itself where the mask keeps all, mid-grey where it keeps nothing
 */
export function fillHole(pixels: Uint8Array, mask: Uint8Array, width: number, height: number): Uint8Array {
  const weights = Float32Array.from(mask, (value) => value / 255);
  const values = Float32Array.from(pixels, (value, i) => value * weights[Math.floor(i / 3)]);
  const levels: Level[] = [{ width, height, values, weights }];
  while (levels.at(-1)!.width > 1 || levels.at(-1)!.height > 1) levels.push(pull(levels.at(-1)!));
  let filled = means(levels.at(-1)!);
  for (let k = levels.length - 2; k >= 0; k--) filled = push(levels[k], filled, levels[k + 1]);
  return Uint8Array.from(filled, (value) => Math.max(0, Math.min(255, Math.round(value))));
}

function pull({ width, height, values, weights }: Level): Level {
  const coarse = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const sums = new Float32Array(coarse.width * coarse.height * 3);
  const kept = new Float32Array(coarse.width * coarse.height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [y * width + x, (y >> 1) * coarse.width + (x >> 1)];
      kept[to] += weights[from];
      for (let c = 0; c < 3; c++) sums[3 * to + c] += values[3 * from + c];
    }
  }
  // A weight counts as full from 1 on, so that one kept pixel of four is enough.
  for (const [at, weight] of kept.entries()) {
    const scale = weight > 1 ? 1 / weight : 1;
    kept[at] = weight * scale;
    for (let c = 0; c < 3; c++) sums[3 * at + c] *= scale;
  }
  return { ...coarse, values: sums, weights: kept };
}

/** Colours of the coarsest level. */
function means({ values, weights }: Level): Float32Array {
  return Float32Array.from(values, (value, i) => {
    const weight = weights[Math.floor(i / 3)];
    return weight > 0 ? value / weight : 127.5;
  });
}

/** A level with what it lacks taken from the coarser one, bilinearly between the middles of its pixels. */
function push({ width, height, values, weights }: Level, coarse: Float32Array, size: Level): Float32Array {
  const filled = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [top, bottom, down] = neighbours(y, size.height);
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const missing = 1 - weights[at];
      const [left, right, across] = neighbours(x, size.width);
      for (let c = 0; c < 3; c++) {
        const of = (row: number, column: number): number => coarse[3 * (row * size.width + column) + c];
        const upper = of(top, left) * (1 - across) + of(top, right) * across;
        const lower = of(bottom, left) * (1 - across) + of(bottom, right) * across;
        filled[3 * at + c] = values[3 * at + c] + missing * (upper * (1 - down) + lower * down);
      }
    }
  }
  return filled;
}

/** The two coarser pixels that a fine one lies between, and how far it is towards the second. */
function neighbours(fine: number, count: number): [first: number, second: number, share: number] {
  const place = Math.max(0, Math.min(count - 1, (fine + 0.5) / 2 - 0.5));
  const first = Math.floor(place);
  return [first, Math.min(count - 1, first + 1), place - first];
}
