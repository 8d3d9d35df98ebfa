/**
 * How a picture of any shape becomes one of a given size. Pure numbers, used for a picture and for its mask alike, so
 * that both take the same crop. Coordinates are upright pixels (EXIF orientation applied), origin top left.
 */

/** Largest number of pixels that is decoded, as libvips has it. */
export const MOST_PIXELS = 0x3fff ** 2;

export interface Size {
  width: number;
  height: number;
}

/** Resize to `resized`, then cut the rectangle at (left, top) that is as large as the target. */
export interface CoverCrop {
  resized: Size;
  left: number;
  top: number;
}

/** Where the cut lies in what is left over: 0 = left or top, 0.5 = centre, 1 = right or bottom. */
export interface Anchor {
  x: number;
  y: number;
}

const CENTRE: Anchor = { x: 0.5, y: 0.5 };

/**
 * Cover the target: scale by the one factor that makes both sides at least as long as the target's, then cut.
 * A picture that has the target's size already is neither scaled nor cut.
 * @param from upright size of the picture or mask, at least 1 x 1
 * @param target at least 1 x 1
 * @param enlarge how many times larger than it need be the picture is before the cut, 1 or more
 */
export function coverCrop(from: Size, target: Size, anchor: Anchor = CENTRE, enlarge = 1): CoverCrop {
  const scale = enlarge * Math.max(target.width / from.width, target.height / from.height);
  const resized = {
    width: Math.max(target.width, Math.round(from.width * scale)),
    height: Math.max(target.height, Math.round(from.height * scale)),
  };
  return {
    resized,
    left: Math.round((resized.width - target.width) * anchor.x),
    top: Math.round((resized.height - target.height) * anchor.y),
  };
}

/** Size after the EXIF orientation is applied: 5 to 8 lie on their side. */
export function uprightSize({ width, height }: Size, orientation: number): Size {
  return orientation >= 5 && orientation <= 8 ? { width: height, height: width } : { width, height };
}
