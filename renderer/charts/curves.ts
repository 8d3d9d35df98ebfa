/** What Curves shows, and how it becomes uPlot's options. */
import type uPlot from 'uplot';
import { token } from '../lib/theme.svelte.ts';

export interface Curve {
  /** Unique in the chart. */
  name: string;
  /** One value for each x; null where there is none. */
  values: readonly (number | null)[];
  /** Name of a colour token such as "many"; the next of the series when absent. */
  colour?: string;
  /** Drawn with gaps, as for a second head or a control. */
  dashed?: boolean;
}

export interface CurvesOptions {
  width: number;
  height: number;
  curves: readonly Curve[];
  hidden: ReadonlySet<string>;
  format: (value: number) => string;
  formatX: (value: number) => string;
  /** Lowest and highest y where they are fixed. */
  range?: readonly [number, number];
  log: boolean;
  /** Where a line stands from top to bottom; null for none. Asked at each drawing. */
  mark: () => number | null;
  /** Distances that ticks of x may have; whole numbers when absent. */
  stepsX?: readonly number[];
  syncKey?: string;
  onCursor: (index: number | null) => void;
}

/** Colours of the series, in turn. */
const SERIES = 7;

export function curveColour(curve: Curve, index: number): string {
  return `--${curve.colour ?? `series-${(index % SERIES) + 1}`}`;
}

/** Whether a curve is drawn with gaps: asked for, or its colour was used before. */
export function isDashed(curve: Curve, index: number): boolean {
  return curve.dashed ?? (curve.colour === undefined && index >= SERIES);
}

/** @param paths of uPlot's own drawing; straight lines between points */
export function uplotOptions(options: CurvesOptions): uPlot.Options {
  const { width, height, curves, hidden, format, formatX, range, log, mark, stepsX, syncKey, onCursor } = options;
  const font = `11px ${token('font')}`;
  const axis = {
    stroke: token('text-3'),
    font,
    grid: { stroke: token('line'), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false },
      ...(syncKey === undefined ? {} : { sync: { key: syncKey } }),
    },
    scales: {
      x: { time: false },
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- its enumeration exists for the compiler only
      y: { distr: log ? 3 : 1, ...(range === undefined ? {} : { range: [range[0], range[1]] }) },
    },
    axes: [
      {
        ...axis,
        size: 22,
        values: (_, values) => values.map(formatX),
        incrs: stepsX ? [...stepsX] : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000],
      },
      { ...axis, size: 52, values: (_, values) => values.map((value) => (value === null ? '' : format(value))) },
    ],
    series: [
      {},
      ...curves.map((curve, index): uPlot.Series => ({
        label: curve.name,
        show: !hidden.has(curve.name),
        stroke: token(curveColour(curve, index).slice(2)),
        width: 1.75,
        spanGaps: false,
        points: { show: curve.values.length < 2 },
        ...(isDashed(curve, index) ? { dash: [5, 4] } : {}),
      })),
    ],
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      draw: [(plot) => drawMark(plot, mark())],
    },
  };
}

function drawMark(plot: uPlot, value: number | null): void {
  if (value === null) return;
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(value, 'x', true));
  ctx.save();
  ctx.strokeStyle = token('accent-text');
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** What must be the same for data to be replaced without making the chart anew. */
export function shapeOf(curves: readonly Curve[]): string {
  return JSON.stringify(curves.map(({ name, colour, dashed }) => [name, colour, dashed]));
}
