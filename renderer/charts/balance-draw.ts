/** Draws the bars of ClassBalance. */
import { compact } from '../lib/format.ts';
import { token } from '../lib/theme.svelte.ts';
import { cutText, prepareCanvas } from './canvas.ts';
import { position, ticks, type ScaleKind } from './scale.ts';

export type Group = 'many' | 'medium' | 'few';

export interface BalanceClass {
  id: number;
  name: string;
  count: number;
}

export interface Thresholds {
  /** More than this: many. */
  many: number;
  /** Fewer than this: few. */
  few: number;
}

export interface BalanceView {
  /** Largest first. */
  classes: readonly BalanceClass[];
  thresholds: Thresholds;
  scale: ScaleKind;
  width: number;
  height: number;
  /** Index under the pointer or of the keyboard, -1 for none. */
  marked: number;
  chosen: (id: number) => boolean;
  anyChosen: boolean;
}

const LEFT = 44;
const RIGHT = 8;
const TOP = 10;
/** Bars of a few classes must not become walls. */
const WIDEST = 120;

export function groupOf(count: number, { many, few }: Thresholds): Group {
  if (count > many) return 'many';
  return count < few ? 'few' : 'medium';
}

/** Where things are, CSS pixels. */
export class BalanceLayout {
  readonly left = LEFT;
  readonly top = TOP;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly pitch: number;
  readonly largest: number;
  readonly names: 'flat' | 'slanted' | 'none';
  readonly #scale: ScaleKind;

  constructor({ classes, width, height, scale, thresholds }: BalanceView) {
    this.plotWidth = Math.max(1, width - LEFT - RIGHT);
    this.pitch = classes.length === 0 ? 0 : Math.min(WIDEST, this.plotWidth / classes.length);
    this.names = this.pitch >= 54 ? 'flat' : this.pitch >= 16 ? 'slanted' : 'none';
    this.plotHeight = Math.max(1, height - TOP - { flat: 24, slanted: 66, none: 8 }[this.names]);
    this.largest = Math.max(1, thresholds.few, classes[0]?.count ?? 1);
    this.#scale = scale;
  }

  /** Height of a count above the ground line. */
  rise(count: number): number {
    return position(Math.min(count, this.largest), this.largest, this.#scale) * this.plotHeight;
  }

  y(count: number): number {
    return this.top + this.plotHeight - this.rise(count);
  }

  /** Index of the class at a horizontal place, -1 beside the bars. */
  indexAt(x: number, classes: number): number {
    const index = Math.floor((x - this.left) / this.pitch);
    return x >= this.left && index < classes ? index : -1;
  }
}

export function drawBalance(canvas: HTMLCanvasElement, view: BalanceView): void {
  const layout = new BalanceLayout(view);
  const context = prepareCanvas(canvas, view.width, view.height);
  context.font = `11px ${token('font')}`;
  drawAxis(context, view, layout);
  drawBars(context, view, layout);
  drawNames(context, view, layout);
}

function drawAxis(context: CanvasRenderingContext2D, view: BalanceView, layout: BalanceLayout): void {
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const tick of ticks(layout.largest, view.scale)) {
    const y = Math.round(layout.y(tick)) + 0.5;
    context.fillStyle = token('line');
    context.fillRect(layout.left, y - 0.5, layout.plotWidth, 1);
    context.fillStyle = token('text-3');
    context.fillText(compact(tick), layout.left - 8, y);
  }
}

function drawBars(context: CanvasRenderingContext2D, view: BalanceView, layout: BalanceLayout): void {
  const colours = { many: token('many'), medium: token('medium'), few: token('few') };
  const gap = layout.pitch > 8 ? Math.min(10, layout.pitch * 0.22) : layout.pitch > 3 ? 1 : 0;
  const ground = layout.top + layout.plotHeight;
  view.classes.forEach(({ id, count }, index) => {
    // On whole pixels: seams between thousands of bars would show as stripes.
    const x = Math.round(layout.left + index * layout.pitch + gap / 2);
    const width = Math.max(1, Math.round(layout.left + (index + 1) * layout.pitch - gap / 2) - x);
    if (index === view.marked) {
      context.fillStyle = token('hover');
      context.fillRect(layout.left + index * layout.pitch, layout.top, layout.pitch, layout.plotHeight);
    }
    const rise = count === 0 ? 0 : Math.max(1.5, layout.rise(count));
    context.globalAlpha = view.anyChosen && !view.chosen(id) ? 0.35 : 1;
    context.fillStyle = colours[groupOf(count, view.thresholds)];
    context.fillRect(x, ground - rise, width, rise);
    context.globalAlpha = 1;
  });
  context.fillStyle = token('line-strong');
  context.fillRect(layout.left, ground, layout.plotWidth, 1);
}

function drawNames(context: CanvasRenderingContext2D, view: BalanceView, layout: BalanceLayout): void {
  if (layout.names === 'none') return;
  const y = layout.top + layout.plotHeight + 8;
  view.classes.forEach(({ id, name }, index) => {
    const x = layout.left + (index + 0.5) * layout.pitch;
    context.fillStyle = token(view.chosen(id) || index === view.marked ? 'text' : 'text-2');
    if (layout.names === 'flat') {
      context.textAlign = 'center';
      context.textBaseline = 'top';
      context.fillText(cutText(context, name, layout.pitch - 6), x, y);
      return;
    }
    context.save();
    context.translate(x + 3, y);
    context.rotate(-Math.PI / 4);
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.fillText(cutText(context, name, 72), 0, 0);
    context.restore();
  });
}
