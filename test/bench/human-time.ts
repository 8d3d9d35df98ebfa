/**
 * How long a person's hand and eye would take, seconds: a model, so that strokes of different kinds can be added up. It is no
 * measurement of people.
 *
 * - A key, 0.28 s (K of "an average non-secretary typist", 40 words a minute), and the look before each decision, 1.35 s (M):
 *   Card, Moran and Newell, "The keystroke-level model for user performance time with interactive systems", Communications of
 *   the ACM 23 (7), 1980, pages 396 to 410; looked up in the table of operators as the University of Hamburg reprints it
 *   (asi-www.informatik.uni-hamburg.de, SE_Evaluation, goms.htm). A key that is held repeats 30 times a second: our own figure,
 *   as keyboards are set up.
 * - Pointing and dragging with a mouse: Fitts' law in Shannon's form, log2(distance / width + 1), with -107 + 223 and
 *   135 + 249 times it in milliseconds: MacKenzie, Sellen and Buxton, "A comparison of input devices in elemental pointing and
 *   dragging tasks", CHI '91, pages 161 to 166 (yorku.ca/mack/CHI91.html). Paper, form and that dragging is the slower of the
 *   two were looked up; the four coefficients are cited from memory and could not be confirmed.
 */
import type { Point } from '../../renderer/pages/review/canvas/bitmap.ts';

const KEY = 0.28;
const LOOK = 1.35;
const REPEATS = 30;

/** To see what is wrong, or that something has become better. */
export const look = (): number => LOOK;

/** @param presses of one key, held down from the first on */
export const key = (presses = 1): number => (presses === 0 ? 0 : KEY + (presses - 1) / REPEATS);

/** To a place and press there. @param width of what has to be hit; both in pixels of the screen */
export function pointing(distance: number, width: number): number {
  return Math.max(0, -0.107 + 0.223 * Math.log2(distance / width + 1));
}

/** Along a line of straight stretches with the button down. @param width within which the hand has to stay */
export function dragging(points: readonly Point[], width: number): number {
  return points.slice(1).reduce((sum, { x, y }, i) => {
    const distance = Math.hypot(x - points[i].x, y - points[i].y);
    return sum + 0.135 + 0.249 * Math.log2(distance / width + 1);
  }, 0);
}
