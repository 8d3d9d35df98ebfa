/** The picture of differences, a row each: a dot, its interval as a line, zero as the line between better and worse. */
import { cutText, prepareCanvas } from '../../../charts/canvas.ts';
import { token } from '../../../lib/theme.svelte.ts';
import { points } from '../words.ts';

export interface DifferenceRow {
  name: string;
  /** Name of a colour token. */
  colour: string;
  /** Between -1 and 1; no interval from a single seed. */
  value: number;
  low: number | null;
  high: number | null;
}

const ROW = 34;
const LEFT = 104;
const RIGHT = 16;
const BELOW = 40;

export function chartHeight(rows: number): number {
  return rows * ROW + BELOW;
}

/** Half of the axis: the farthest end of an interval, at least two points. */
function reach(rows: readonly DifferenceRow[]): number {
  return Math.max(0.02, ...rows.flatMap(({ value, low, high }) => [Math.abs(low ?? value), Math.abs(high ?? value)]));
}

/** Between two lines of the axis. */
function stepFor(half: number): number {
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5].find((step) => half / step <= 3) ?? 1;
}

export function drawDifferences(
  canvas: HTMLCanvasElement,
  { rows, width, height }: { rows: readonly DifferenceRow[]; width: number; height: number },
): void {
  const context = prepareCanvas(canvas, width, height);
  const half = 1.05 * reach(rows);
  const across = Math.max(40, width - LEFT - RIGHT);
  const x = (value: number): number => LEFT + ((value + half) / (2 * half)) * across;
  const bottom = rows.length * ROW;
  context.font = `12px ${token('font')}`;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  const step = stepFor(half);
  const lines = Math.floor(half / step);
  for (let k = -lines; k <= lines; k++) {
    const at = Math.round(x(k * step)) + 0.5;
    context.strokeStyle = token(k === 0 ? 'line-strong' : 'line');
    context.beginPath();
    context.moveTo(at, 0);
    context.lineTo(at, bottom);
    context.stroke();
    context.fillStyle = token('text-2');
    context.fillText(points(k * step), at, bottom + 10);
  }
  context.fillText('points: right of 0 is better with edits', LEFT + across / 2, bottom + 28);
  for (const [index, { name, colour, value, low, high }] of rows.entries()) {
    const y = (index + 0.5) * ROW;
    context.textAlign = 'left';
    context.fillStyle = token('text');
    context.fillText(cutText(context, name, LEFT - 12), 0, y);
    context.strokeStyle = token(colour);
    context.fillStyle = token(colour);
    if (low !== null && high !== null) {
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(x(low), y);
      context.lineTo(x(high), y);
      for (const end of [low, high]) {
        context.moveTo(x(end), y - 4);
        context.lineTo(x(end), y + 4);
      }
      context.stroke();
    }
    context.lineWidth = 1;
    context.beginPath();
    context.arc(x(value), y, 5, 0, 2 * Math.PI);
    context.fill();
  }
}
