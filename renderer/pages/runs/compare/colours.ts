/** Which colour a run has in a comparison: by its place, the same in every chart. */

const SERIES = 7;

/** Name of a colour token. @param index place of the run in the comparison */
export function runColour(index: number): string {
  return `series-${(index % SERIES) + 1}`;
}

/** Whether the colour was used before: the curve is then drawn with gaps. */
export function isRepeated(index: number): boolean {
  return index >= SERIES;
}
