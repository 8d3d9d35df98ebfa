/** The picture of differences by class: a dot for each class, its interval as a line, the classes by training images. */
import { cutText, prepareCanvas } from '../../../charts/canvas.ts';
import { token } from '../../../lib/theme.svelte.ts';
import { points } from '../words.ts';
import { runningMeans } from './smooth.ts';

/** One class with test images. */
export interface Delta {
  label: number;
  name: string;
  group: 'many' | 'medium' | 'few';
  trained: number;
  value: number;
  /** Ends of its interval; null where it has none. */
  low: number | null;
  high: number | null;
}

export interface DeltaLayout {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Lowest and highest difference on the axis. */
  low: number;
  high: number;
}

const LEFT = 52;
const BELOW = 26;

/** @param deltas at least one */
export function deltaLayout(deltas: readonly Delta[], width: number, height: number): DeltaLayout {
  let most = 0.02;
  for (const { value, low, high } of deltas) most = Math.max(most, -(low ?? value), high ?? value);
  return {
    left: LEFT,
    top: 8,
    width: Math.max(40, width - LEFT - 12),
    height: height - 8 - BELOW,
    low: -most,
    high: most,
  };
}

/** Middle of a class's column, CSS pixels. */
export function deltaX({ left, width }: DeltaLayout, index: number, count: number): number {
  return left + ((index + 0.5) * width) / count;
}

/** The class under the pointer. */
export function deltaAt({ left, width }: DeltaLayout, x: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(((x - left) / width) * count)));
}

/** From so many classes on a line shows the mean of neighbours: single classes are not to be told apart. */
export const LINE_FROM = 60;

/** Round steps for an axis. */
function stepFor(span: number): number {
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5].find((step) => span / step <= 4) ?? 1;
}

export function drawDeltas(
  canvas: HTMLCanvasElement,
  {
    deltas,
    layout,
    width,
    height,
    marked,
  }: {
    deltas: readonly Delta[];
    layout: DeltaLayout;
    width: number;
    height: number;
    marked: number | null;
  },
): void {
  const context = prepareCanvas(canvas, width, height);
  const y = (value: number): number =>
    layout.top + ((layout.high - value) / (layout.high - layout.low)) * layout.height;
  context.font = `11px ${token('font')}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.lineWidth = 1;
  const step = stepFor(layout.high);
  for (let k = -Math.floor(layout.high / step); k <= Math.floor(layout.high / step); k++) {
    const at = Math.round(y(k * step)) + 0.5;
    context.strokeStyle = token(k === 0 ? 'line-strong' : 'line');
    context.beginPath();
    context.moveTo(layout.left, at);
    context.lineTo(layout.left + layout.width, at);
    context.stroke();
    context.fillStyle = token('text-3');
    context.fillText(points(k * step), layout.left - 8, at);
  }
  const pitch = layout.width / deltas.length;
  const radius = Math.max(1.5, Math.min(4.5, pitch / 3));
  for (const [index, delta] of deltas.entries()) {
    const x = deltaX(layout, index, deltas.length);
    const [low, high] = [delta.low ?? delta.value, delta.high ?? delta.value];
    const clear = delta.low !== null && delta.high !== null && (low > 0 || high < 0);
    context.strokeStyle = token(delta.group);
    context.fillStyle = token(delta.group);
    const shade = marked === null || marked === index ? 1 : 0.5;
    context.globalAlpha = shade * (clear ? 1 : Math.max(0.12, Math.min(0.6, pitch / 14)));
    context.lineWidth = Math.max(1, Math.min(3, pitch / 6));
    context.beginPath();
    context.moveTo(x, y(high));
    context.lineTo(x, y(low));
    context.stroke();
    context.globalAlpha = shade * (clear ? 1 : 0.7);
    context.beginPath();
    context.arc(x, y(delta.value), index === marked ? radius + 2 : radius, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
  if (deltas.length >= LINE_FROM) {
    context.strokeStyle = token('text');
    context.lineWidth = 2;
    context.beginPath();
    for (const [index, value] of runningMeans(deltas.map((delta) => delta.value)).entries()) {
      context.lineTo(deltaX(layout, index, deltas.length), y(value));
    }
    context.stroke();
  }
  context.textAlign = 'center';
  context.fillStyle = token('text-3');
  if (pitch >= 44) {
    for (const [index, { name }] of deltas.entries()) {
      context.fillText(cutText(context, name, pitch - 6), deltaX(layout, index, deltas.length), height - BELOW / 2);
    }
  } else {
    context.fillText('classes, most training images first', layout.left + layout.width / 2, height - BELOW / 2);
  }
}
