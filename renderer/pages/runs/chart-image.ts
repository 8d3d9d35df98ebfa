/** A chart as a picture of its own: heading, what the colours mean, and the canvas on the ground of the page. */
import { token } from '../../lib/theme.svelte.ts';

export interface ChartImage {
  title: string;
  /** Colours are names of tokens. */
  legend: readonly { name: string; colour: string }[];
}

const MARGIN = 16;
const LINE = 20;

/**
 * @param chart element that holds the canvas
 * @returns undefined while the chart shows no canvas, such as when it is shown as a table
 */
export function chartImage(chart: HTMLElement, { title, legend }: ChartImage): Promise<Blob | null> | undefined {
  const source = chart.querySelector('canvas');
  if (source === null || source.width === 0) return undefined;
  const ratio = devicePixelRatio;
  const width = source.width / ratio + 2 * MARGIN;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  const font = token('font');
  context.font = `12px ${font}`;
  const rows = legendRows(context, legend, width - 2 * MARGIN);
  const top = MARGIN + LINE + rows.length * LINE + 4;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round((top + MARGIN) * ratio) + source.height;
  context.scale(ratio, ratio);
  context.fillStyle = token('surface');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'middle';
  context.fillStyle = token('text');
  context.font = `600 14px ${font}`;
  context.fillText(title, MARGIN, MARGIN + LINE / 2, width - 2 * MARGIN);
  context.font = `12px ${font}`;
  for (const [row, entries] of rows.entries()) {
    const y = MARGIN + LINE + row * LINE + LINE / 2;
    for (const { name, colour, x } of entries) {
      context.fillStyle = token(colour);
      context.fillRect(MARGIN + x, y - 1, 14, 2);
      context.fillStyle = token('text-2');
      context.fillText(name, MARGIN + x + 20, y);
    }
  }
  context.drawImage(source, MARGIN, top, source.width / ratio, source.height / ratio);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** Names of the legend in as many rows as they need. */
function legendRows(
  context: CanvasRenderingContext2D,
  legend: ChartImage['legend'],
  width: number,
): { name: string; colour: string; x: number }[][] {
  const rows: { name: string; colour: string; x: number }[][] = [];
  let x = Infinity;
  for (const { name, colour } of legend) {
    const needs = context.measureText(name).width + 36;
    if (x + needs > width) {
      rows.push([]);
      x = 0;
    }
    rows[rows.length - 1].push({ name, colour, x });
    x += needs;
  }
  return rows;
}
