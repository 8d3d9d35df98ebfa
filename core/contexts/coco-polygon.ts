/**
 * Polygons as COCO fills them: exactly the pixels of `rleFrPoly` of the reference (github.com/cocodataset/cocoapi,
 * common/maskApi.c). The outline is drawn with five steps a pixel; where it crosses the middle of a column of pixels, the
 * column changes between inside and outside, which is the even-odd rule.
 */

/** Steps a pixel. */
const STEPS = 5;

/** How far outside of the picture a corner may lie, in sides of the picture: the outline is held in memory. */
const FARTHEST = 4;

/**
 * @param corners x and y by turns, pixels, (0, 0) is the upper left corner of the picture
 * @returns runs down the columns, the first of what is outside; see coco-rle.ts
 * @throws RangeError, as half a sentence, for what is no polygon or lies far outside of the picture
 */
export function polygonRuns(
  corners: readonly number[],
  { width, height }: { width: number; height: number },
): number[] {
  if (corners.length < 6 || corners.length % 2 !== 0) {
    throw new RangeError(`its polygon has ${corners.length} numbers: three corners of two each are the least`);
  }
  const farthest = FARTHEST * Math.max(width, height);
  if (!corners.every((value) => Math.abs(value) <= farthest)) {
    throw new RangeError('its polygon has corners far outside of the picture');
  }
  const places = [...crossingsOf(outlineOf(corners), width, height).toSorted((a, b) => a - b), width * height];
  const runs: number[] = [];
  // Two crossings at one place are none: what lies before and after is one run.
  let joins = false;
  for (const [k, place] of places.entries()) {
    const run = place - (k === 0 ? 0 : places[k - 1]);
    if (joins) runs[runs.length - 1] += run;
    else if (run > 0 || k === 0) runs.push(run);
    joins = !joins && run === 0 && k > 0;
  }
  return runs;
}

function step(value: number): number {
  return Math.trunc(STEPS * value + 0.5);
}

/** Points of the closed outline, in steps, no gap between two. */
function outlineOf(corners: readonly number[]): { x: Int32Array; y: Int32Array } {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length;
    let [fromX, fromY, toX, toY] = [corners[k], corners[k + 1], corners[next], corners[next + 1]].map(step);
    const [across, down] = [Math.abs(toX - fromX), Math.abs(toY - fromY)];
    const wide = across >= down;
    // Drawn from the side with the smaller number, so that rounding is the same both ways.
    const turned = wide ? fromX > toX : fromY > toY;
    if (turned) [fromX, fromY, toX, toY] = [toX, toY, fromX, fromY];
    const length = wide ? across : down;
    const slope = length === 0 ? 0 : (wide ? toY - fromY : toX - fromX) / length;
    for (let i = 0; i <= length; i++) {
      const t = turned ? length - i : i;
      xs.push(wide ? fromX + t : Math.trunc(fromX + slope * t + 0.5));
      ys.push(wide ? Math.trunc(fromY + slope * t + 0.5) : fromY + t);
    }
  }
  return { x: Int32Array.from(xs), y: Int32Array.from(ys) };
}

/** Where the outline crosses the middle of a column, as places down the columns. */
function crossingsOf({ x, y }: { x: Int32Array; y: Int32Array }, width: number, height: number): number[] {
  const crossings: number[] = [];
  for (let i = 1; i < x.length; i++) {
    if (x[i] === x[i - 1]) continue;
    const column = ((x[i] < x[i - 1] ? x[i] : x[i] - 1) + 0.5) / STEPS - 0.5;
    if (!Number.isInteger(column) || column < 0 || column > width - 1) continue;
    const row = (Math.min(y[i], y[i - 1]) + 0.5) / STEPS - 0.5;
    crossings.push(column * height + Math.ceil(Math.max(0, Math.min(height, row))));
  }
  return crossings;
}
