/** The picture of a figure by composition: for each a point a group with its interval. */
import { cutText, prepareCanvas } from '../../../charts/canvas.ts';
import { percent } from '../../../lib/format.ts';
import { token } from '../../../lib/theme.svelte.ts';
import { inTwoLines } from './words.ts';

/** A row of points: one a composition, null where there is none. */
export interface PointSeries {
  /** Name of a colour token. */
  colour: string;
  points: readonly ({ value: number; low: number; high: number } | null)[];
}

const LEFT = 46;
const TOP = 8;
const BELOW = 38;
/** Between the points of two series in one column, CSS pixels. */
const APART = 11;

export function drawCompositions(
  canvas: HTMLCanvasElement,
  {
    series,
    titles,
    width,
    height,
  }: { series: readonly PointSeries[]; titles: readonly string[]; width: number; height: number },
): void {
  const context = prepareCanvas(canvas, width, height);
  const plot = { width: Math.max(60, width - LEFT - 8), height: height - TOP - BELOW };
  const y = (share: number): number => TOP + (1 - share) * plot.height;
  context.font = `11px ${token('font')}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const at = Math.round(y(share)) + 0.5;
    context.strokeStyle = token(share === 0 ? 'line-strong' : 'line');
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(LEFT, at);
    context.lineTo(LEFT + plot.width, at);
    context.stroke();
    context.fillStyle = token('text-3');
    context.fillText(percent(share, 0), LEFT - 6, at);
  }
  const pitch = plot.width / titles.length;
  context.textAlign = 'center';
  for (const [column, title] of titles.entries()) {
    const middle = LEFT + (column + 0.5) * pitch;
    for (const [k, { colour, points }] of series.entries()) {
      const point = points[column];
      if (point === null) continue;
      const x = middle + (k - (series.length - 1) / 2) * APART;
      context.strokeStyle = token(colour);
      context.fillStyle = token(colour);
      context.lineWidth = 3;
      context.globalAlpha = 0.5;
      context.beginPath();
      context.moveTo(x, y(point.low));
      context.lineTo(x, y(point.high));
      context.stroke();
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(x, y(point.value), 4, 0, 2 * Math.PI);
      context.fill();
    }
    context.fillStyle = token('text-2');
    for (const [line, text] of inTwoLines(title).entries()) {
      context.fillText(cutText(context, text, pitch - 4), middle, height - BELOW + 12 + line * 14);
    }
  }
}
