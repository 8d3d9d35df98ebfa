/**
 * Masks as COCO keeps them: lengths of runs down the columns, the first of what is not set, as numbers or packed into a
 * string (`rleToString` and `rleFrString` of the reference, github.com/cocodataset/cocoapi, common/maskApi.c).
 */

/** [height, width], and the runs. */
export interface Rle {
  size: readonly [height: number, width: number];
  counts: string | readonly number[];
}

/** Runs of a mask. @param isSet by rows */
export function runsOf({ width, height }: { width: number; height: number }, isSet: (at: number) => boolean): number[] {
  const runs: number[] = [];
  let run = 0;
  let set = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (isSet(y * width + x) !== set) {
        runs.push(run);
        run = 0;
        set = !set;
      }
      run++;
    }
  }
  runs.push(run);
  return runs;
}

/** Pixels that are set. */
export function areaOf(runs: readonly number[]): number {
  let area = 0;
  for (let i = 1; i < runs.length; i += 2) area += runs[i];
  return area;
}

/**
 * The mask of runs, by rows: 1 where it is set.
 * @throws RangeError, as half a sentence, when they do not fill the mask exactly
 */
export function fillRuns(runs: readonly number[], { width, height }: { width: number; height: number }): Uint8Array {
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (total !== width * height || runs.some((run) => !Number.isInteger(run) || run < 0)) {
    throw new RangeError(`its runs are ${total} pixels, and ${width} x ${height} are ${width * height}`);
  }
  const mask = new Uint8Array(width * height);
  let at = 0;
  for (const [i, run] of runs.entries()) {
    const end = at + run;
    if (i % 2 === 0) at = end;
    for (; at < end; at++) mask[(at % height) * width + Math.floor(at / height)] = 1;
  }
  return mask;
}

/** Pack runs: each from the third on as the difference to the one before last, five bits a character, lowest first. */
export function packRuns(runs: readonly number[]): string {
  const codes: number[] = [];
  for (const [i, run] of runs.entries()) {
    let rest = i > 2 ? run - runs[i - 2] : run;
    for (;;) {
      const bits = rest & 31;
      rest >>= 5;
      // The sign of what is left is that of the last group's highest bit.
      const done = bits & 16 ? rest === -1 : rest === 0;
      codes.push((done ? bits : bits | 32) + 48);
      if (done) break;
    }
  }
  return codes.map((code) => String.fromCodePoint(code)).join('');
}

/** @throws RangeError, as half a sentence, for what is no packed text */
export function unpackRuns(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    for (let shift = 0; ; shift += 5) {
      const code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30) throw new RangeError('its packed runs are no such text');
      value += (code & 31) * 2 ** shift;
      if (code & 32) continue;
      if (code & 16) value -= 2 ** (shift + 5);
      break;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
}

/** Runs in either form. @throws RangeError, as half a sentence */
export function readRuns({ counts }: Rle): readonly number[] {
  return typeof counts === 'string' ? unpackRuns(counts) : counts;
}
