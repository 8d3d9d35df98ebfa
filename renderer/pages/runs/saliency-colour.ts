/** Colours of evidence: from clear over violet and orange to yellow, as "inferno" has it, which all eyes can order. */

const STOPS = [
  [40, 11, 84],
  [120, 28, 109],
  [188, 55, 84],
  [237, 105, 37],
  [251, 180, 26],
  [252, 255, 164],
] as const;
/** How much of the picture the strongest evidence hides. */
const STRONGEST = 0.72;

/** Colour and cover of a value of 0 to 1, each 0 to 255. */
export function saliencyColour(value: number): [number, number, number, number] {
  const at = Math.min(1, Math.max(0, value)) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(at));
  const mix = (i: 0 | 1 | 2): number => Math.round(STOPS[low][i] + (STOPS[low + 1][i] - STOPS[low][i]) * (at - low));
  return [mix(0), mix(1), mix(2), Math.round(255 * STRONGEST * Math.sqrt(Math.min(1, Math.max(0, value))))];
}
