/**
 * How a picture is brought to the size of another. All sizes are of upright pictures, in pixels.
 */
export interface Size {
  width: number;
  height: number;
}

/** Resize to `width` x `height`, then cut a window out at (x, y). */
export interface Fit extends Size {
  x: number;
  y: number;
}

/** The smallest size of the source's proportions (to the pixel) that covers the target. */
export function coverSize(source: Size, target: Size): Size {
  const scale = Math.max(target.width / source.width, target.height / source.height);
  return {
    width: Math.max(target.width, Math.round(source.width * scale)),
    height: Math.max(target.height, Math.round(source.height * scale)),
  };
}

/** Cover the target, window in the middle. */
export function centreFit(source: Size, target: Size): Fit {
  const { width, height } = coverSize(source, target);
  return { width, height, x: (width - target.width) >> 1, y: (height - target.height) >> 1 };
}

/**
 * Cover the target, window anywhere.
 * @param below draws a whole number in [0, n)
 */
export function drawnFit(source: Size, target: Size, below: (n: number) => number): Fit {
  const { width, height } = coverSize(source, target);
  return { width, height, x: below(width - target.width + 1), y: below(height - target.height + 1) };
}

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
