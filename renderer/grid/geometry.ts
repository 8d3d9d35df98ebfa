/** Where cells lie. Pure, in CSS pixels. "Content" is the whole grid as if it were laid out; "scroll" what the bar moves over. */

export interface GridLayout {
  columns: number;
  rows: number;
  /** Width of a cell; its picture is a square of that side. */
  cell: number;
  /** From the top of a row to the top of the next. */
  rowHeight: number;
  /** Height of all rows with the margin. */
  contentHeight: number;
  /** Height of the scrolled element: engines cap it, so it is at most `SCROLL_LIMIT`. */
  scrollHeight: number;
  /** Pixels of content for each pixel of scroll, 1 where nothing is compressed. */
  factor: number;
}

export interface GridSpace {
  /** Number of things. */
  count: number;
  width: number;
  height: number;
  /** Wished width of a cell; cells grow a little so that a row is full. */
  size: number;
  /** Room below the picture. */
  caption: number;
}

export const GAP = 6;
/** Round the whole grid. */
export const MARGIN = 8;
/** Well below the height at which engines stop (some 16.7 million at a pixel ratio of 2). */
export const SCROLL_LIMIT = 7_500_000;

export function layoutGrid({ count, width, height, size, caption }: GridSpace): GridLayout {
  const room = Math.max(size, width - 2 * MARGIN);
  const columns = Math.max(1, Math.floor((room + GAP) / (size + GAP)));
  const cell = Math.floor((room - (columns - 1) * GAP) / columns);
  const rowHeight = cell + caption + GAP;
  const rows = Math.ceil(count / columns);
  const contentHeight = rows * rowHeight - (rows > 0 ? GAP : 0) + 2 * MARGIN;
  const scrollHeight = Math.min(contentHeight, SCROLL_LIMIT);
  const factor = scrollHeight === contentHeight ? 1 : (contentHeight - height) / (scrollHeight - height);
  return { columns, rows, cell, rowHeight, contentHeight, scrollHeight, factor };
}

/** Left edge of a column. */
export function columnLeft({ cell }: GridLayout, column: number): number {
  return MARGIN + column * (cell + GAP);
}

/** Top edge of a row in the content. */
export function rowTop({ rowHeight }: GridLayout, row: number): number {
  return MARGIN + row * rowHeight;
}

/** Rows that are at least partly between two heights of the content; the last is not among them. */
export function rowsBetween(layout: GridLayout, top: number, bottom: number): [first: number, end: number] {
  const first = Math.max(0, Math.floor((top - MARGIN) / layout.rowHeight));
  const end = Math.min(layout.rows, Math.ceil((bottom - MARGIN) / layout.rowHeight));
  return [Math.min(first, layout.rows), Math.max(first, end)];
}

/** A rectangle in the content, from any corner to the opposite one. */
export interface Band {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Indices of the cells that a rectangle touches, ascending. */
export function cellsInBand(layout: GridLayout, count: number, band: Band): number[] {
  const [left, right] = [Math.min(band.x0, band.x1), Math.max(band.x0, band.x1)];
  const [top, bottom] = [Math.min(band.y0, band.y1), Math.max(band.y0, band.y1)];
  const pitch = layout.cell + GAP;
  const firstColumn = Math.max(0, Math.ceil((left - MARGIN - layout.cell) / pitch));
  const lastColumn = Math.min(layout.columns - 1, Math.floor((right - MARGIN) / pitch));
  const firstRow = Math.max(0, Math.ceil((top - MARGIN - layout.rowHeight + GAP) / layout.rowHeight));
  const lastRow = Math.min(layout.rows - 1, Math.floor((bottom - MARGIN) / layout.rowHeight));
  const found: number[] = [];
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const index = row * layout.columns + column;
      if (index < count) found.push(index);
    }
  }
  return found;
}

/**
 * The index that a key leads to, or undefined when the key leads nowhere.
 * @param page rows that fit the window
 */
export function indexAfterKey(
  key: string,
  index: number,
  { columns }: GridLayout,
  count: number,
  page: number,
): number | undefined {
  const clamp = (to: number): number => Math.max(0, Math.min(count - 1, to));
  switch (key) {
    case 'ArrowLeft':
      return clamp(index - 1);
    case 'ArrowRight':
      return clamp(index + 1);
    case 'ArrowUp':
      return index - columns < 0 ? index : index - columns;
    case 'ArrowDown':
      // From the last full row into a shorter one: to its end.
      return Math.floor(index / columns) === Math.floor((count - 1) / columns) ? index : clamp(index + columns);
    case 'PageUp':
      return index - columns * page < 0 ? index % columns : index - columns * page;
    case 'PageDown':
      return clamp(index + columns * page);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
