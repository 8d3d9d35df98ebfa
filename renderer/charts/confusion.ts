/** The picture of a confusion matrix: which part of it is in view, where its cells lie, how it is drawn. */
import { count as countText } from '../lib/format.ts';
import { token } from '../lib/theme.svelte.ts';
import { cutText, prepareCanvas, rgb } from './canvas.ts';

export interface Matrix {
  /** Names in the order of rows and columns. */
  names: readonly string[];
  /** Row after row: `counts[truth * n + predicted]`. */
  counts: ArrayLike<number>;
}

/** Part of the matrix in view, in cells. */
export interface Viewport {
  row: number;
  column: number;
  /** Cells in view along a side. */
  cells: number;
}

export interface Cell {
  row: number;
  column: number;
}

/** Fewest cells in view along a side: closer is of no use. */
const CLOSEST = 4;

export function wholeMatrix(n: number): Viewport {
  return { row: 0, column: 0, cells: Math.max(1, n) };
}

/** Keep a part within the matrix. */
export function withinMatrix({ row, column, cells }: Viewport, n: number): Viewport {
  const side = Math.max(Math.min(CLOSEST, n), Math.min(n, cells));
  return { row: clamp(row, 0, n - side), column: clamp(column, 0, n - side), cells: side };
}

/** See more (factor over 1) or less of it, with one place staying where it is. */
export function zoomMatrix(view: Viewport, n: number, factor: number, at: { row: number; column: number }): Viewport {
  const cells = clamp(view.cells * factor, Math.min(CLOSEST, n), n);
  const share = cells / view.cells;
  const row = at.row - (at.row - view.row) * share;
  const column = at.column - (at.column - view.column) * share;
  return withinMatrix({ row, column, cells }, n);
}

/** Move the part so far that a cell is in it. */
export function showCell(view: Viewport, n: number, { row, column }: Cell): Viewport {
  const fit = (start: number, index: number): number =>
    index < start ? index : index + 1 > start + view.cells ? index + 1 - view.cells : start;
  return withinMatrix({ row: fit(view.row, row), column: fit(view.column, column), cells: view.cells }, n);
}

/** Where the square of cells lies in the canvas, CSS pixels. */
export interface Square {
  left: number;
  top: number;
  side: number;
}

/** @param width of the room, and its height: names stand left of the cells and below them where they can be read */
export function matrixSquare(width: number, height: number, view: Viewport): Square {
  const bare = Math.min(width, height);
  const named = bare / view.cells >= 12;
  const beside = named ? Math.min(140, width * 0.22) : 4;
  const below = named ? Math.min(80, height * 0.2) : 4;
  const side = Math.max(40, Math.min(width - beside - 4, height - below - 4));
  return { left: beside + (width - beside - side) / 2, top: 4, side };
}

export interface DrawInput {
  matrix: Matrix;
  view: Viewport;
  square: Square;
  width: number;
  height: number;
  marked: Cell | null;
}

/** Right is blue, wrong is orange, both by the share of their row; the root makes small shares visible. */
export function drawMatrix(canvas: HTMLCanvasElement, input: DrawInput): void {
  const { width, height, square, view, marked } = input;
  const context = prepareCanvas(canvas, width, height);
  drawCells(context, input);
  context.font = `11px ${token('font')}`;
  const pitch = square.side / view.cells;
  if (pitch >= 12) drawNames(context, input, pitch);
  if (pitch >= 28) drawCounts(context, input, pitch);
  context.strokeStyle = token('line-strong');
  context.strokeRect(square.left - 0.5, square.top - 0.5, square.side + 1, square.side + 1);
  if (marked !== null) {
    context.strokeStyle = token('text');
    context.lineWidth = 2;
    const [x, y] = [square.left + (marked.column - view.column) * pitch, square.top + (marked.row - view.row) * pitch];
    context.save();
    context.beginPath();
    context.rect(square.left, square.top, square.side, square.side);
    context.clip();
    const size = Math.max(pitch, 5);
    context.strokeRect(x + (pitch - size) / 2, y + (pitch - size) / 2, size, size);
    context.restore();
  }
}

function drawCells(context: CanvasRenderingContext2D, { matrix, view, square }: DrawInput): void {
  const n = matrix.names.length;
  const pixels = Math.max(1, Math.round(square.side * devicePixelRatio));
  const sums = rowSums(matrix);
  const shades = new Float32Array(pixels * pixels);
  const right = new Uint8Array(pixels * pixels);
  const scale = pixels / view.cells;
  // By cells, not by pixels: where several cells share a pixel, the strongest shows.
  for (let row = Math.floor(view.row); row < Math.min(n, view.row + view.cells); row++) {
    const y0 = Math.max(0, Math.floor((row - view.row) * scale));
    const y1 = Math.min(pixels, Math.max(y0 + 1, Math.floor((row + 1 - view.row) * scale)));
    for (let column = Math.floor(view.column); column < Math.min(n, view.column + view.cells); column++) {
      const value = matrix.counts[row * n + column];
      if (value === 0) continue;
      const shade = Math.sqrt(value / sums[row]);
      const x0 = Math.max(0, Math.floor((column - view.column) * scale));
      const x1 = Math.min(pixels, Math.max(x0 + 1, Math.floor((column + 1 - view.column) * scale)));
      for (let y = y0; y < y1; y++) {
        for (let x = x0; x < x1; x++) {
          const at = y * pixels + x;
          if (shade <= shades[at]) continue;
          shades[at] = shade;
          right[at] = row === column ? 1 : 0;
        }
      }
    }
  }
  const image = context.createImageData(pixels, pixels);
  const [ground, good, bad] = [rgb(token('surface')), rgb(token('many')), rgb(token('few'))];
  for (let at = 0; at < shades.length; at++) {
    const colour = right[at] === 1 ? good : bad;
    for (let i = 0; i < 3; i++) image.data[at * 4 + i] = ground[i] + (colour[i] - ground[i]) * shades[at];
    image.data[at * 4 + 3] = 255;
  }
  const ratio = devicePixelRatio;
  context.putImageData(image, Math.round(square.left * ratio), Math.round(square.top * ratio));
}

function drawNames(
  context: CanvasRenderingContext2D,
  { matrix, view, square, marked }: DrawInput,
  pitch: number,
): void {
  const last = Math.min(matrix.names.length, Math.ceil(view.row + view.cells));
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (let row = Math.floor(view.row); row < last; row++) {
    const y = square.top + (row + 0.5 - view.row) * pitch;
    if (y < square.top || y > square.top + square.side) continue;
    context.fillStyle = token(marked?.row === row ? 'text' : 'text-2');
    context.fillText(cutText(context, matrix.names[row], Math.min(180, square.left - 10)), square.left - 6, y);
  }
  const end = Math.min(matrix.names.length, Math.ceil(view.column + view.cells));
  for (let column = Math.floor(view.column); column < end; column++) {
    const x = square.left + (column + 0.5 - view.column) * pitch;
    if (x < square.left || x > square.left + square.side) continue;
    context.fillStyle = token(marked?.column === column ? 'text' : 'text-2');
    context.save();
    context.translate(x + 3, square.top + square.side + 8);
    context.rotate(-Math.PI / 4);
    context.fillText(cutText(context, matrix.names[column], 104), 0, 0);
    context.restore();
  }
}

function drawCounts(context: CanvasRenderingContext2D, { matrix, view, square }: DrawInput, pitch: number): void {
  const n = matrix.names.length;
  const sums = rowSums(matrix);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = Math.ceil(view.row); row < Math.min(n, Math.floor(view.row + view.cells)); row++) {
    for (let column = Math.ceil(view.column); column < Math.min(n, Math.floor(view.column + view.cells)); column++) {
      const value = matrix.counts[row * n + column];
      if (value === 0) continue;
      context.fillStyle = Math.sqrt(value / sums[row]) > 0.62 ? token('surface') : token('text');
      const x = square.left + (column + 0.5 - view.column) * pitch;
      context.fillText(countText(value), x, square.top + (row + 0.5 - view.row) * pitch);
    }
  }
}

function rowSums({ names, counts }: Matrix): Float64Array {
  const n = names.length;
  const sums = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) sums[row] += counts[row * n + column];
  }
  return sums;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
