/** What a grid of thumbnails is doing: where it is scrolled to, which cell is active, what is chosen. */
import type { Selection } from '../lib/selection.svelte.ts';
import { ThumbnailView, thumbnailSize } from '../lib/thumbnails.svelte.ts';
import { cellsInBand, indexAfterKey, layoutGrid, MARGIN, rowsBetween, rowTop, type Band } from './geometry.ts';

/** Ids in their order. */
export type Ids = Uint32Array | readonly number[];

/** What the component passes in; read anew each time, so that it stays reactive. */
export interface GridInput {
  readonly project: string;
  readonly ids: Ids;
  readonly size: number;
  readonly caption: number;
  readonly selection: Selection;
  /** Index of the active cell; set as keys and pointer move it. */
  active: number;
  readonly onopen?: (id: number, index: number) => void;
}

/** Rows above and below the window that are there before they are scrolled to. */
const AHEAD = 2;
/** Faster than this (windows a second) is a fling: nothing is fetched until it slows down. */
const FLING = 4;
/** After so long without scrolling it is over, milliseconds. */
const REST_MS = 90;

export class GridState {
  readonly #input: GridInput;
  width = $state(0);
  height = $state(0);
  /** Scrolled so far: of the scrolled element. */
  scrollTop = $state(0);
  /** Rectangle that the pointer draws, in the content. */
  band: Band | undefined = $state.raw();
  /** Where a range begins. */
  #anchor = 0;
  #flinging = $state(false);
  #lastScroll = { top: 0, time: 0 };
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  element: HTMLElement | undefined;

  readonly layout = $derived.by(() => {
    const { ids, size, caption } = this.#input;
    return layoutGrid({ count: ids.length, width: this.width, height: this.height, size, caption });
  });
  /** Top of the window in the content. */
  readonly top = $derived(this.scrollTop * this.layout.factor);
  readonly #firstRow = $derived(Math.max(0, rowsBetween(this.layout, this.top, this.top)[0] - AHEAD));
  readonly #endRow = $derived(
    Math.min(this.layout.rows, rowsBetween(this.layout, this.top, this.top + this.height)[1] + AHEAD),
  );
  /** Rows that are in the document. */
  readonly rows = $derived(Array.from({ length: this.#endRow - this.#firstRow }, (_, i) => this.#firstRow + i));
  /** How many rows may be in the document at once: a row's element is used again for the row so many further on. */
  readonly pool = $derived(Math.ceil(this.height / this.layout.rowHeight) + 2 * AHEAD + 2);
  readonly pictureSize = $derived(thumbnailSize(this.layout.cell));

  constructor(input: GridInput) {
    this.#input = input;
    let view: ThumbnailView | undefined;
    $effect(() => {
      const made = new ThumbnailView(this.#input.project, this.pictureSize);
      view = made;
      return () => made.close();
    });
    $effect(() => {
      void this.pictureSize;
      if (!this.#flinging) view?.show(this.#inView());
    });
    $effect(() => {
      // A shorter list: the active cell stays within it.
      if (this.#input.active >= this.#input.ids.length) this.#input.active = Math.max(0, this.#input.ids.length - 1);
    });
  }

  /** Offset of a row in the scrolled element. */
  rowOffset(row: number): number {
    const inContent = rowTop(this.layout, row);
    return this.layout.factor === 1 ? inContent : inContent - this.top + this.scrollTop;
  }

  scrolled(top: number): void {
    const now = performance.now();
    const { top: before, time } = this.#lastScroll;
    const moved = Math.abs(top - before) * this.layout.factor;
    const speed = (moved / Math.max(1, this.height)) * (1000 / Math.max(8, now - time));
    this.#lastScroll = { top, time: now };
    this.#flinging = speed > FLING;
    this.scrollTop = top;
    clearTimeout(this.#restTimer);
    if (this.#flinging) this.#restTimer = setTimeout(() => (this.#flinging = false), REST_MS);
  }

  /** Where the bar moves over less than the content, the wheel must still move by its own measure. */
  wheel(event: WheelEvent): void {
    if (this.layout.factor === 1 || event.ctrlKey || this.element === undefined) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 40 : 1;
    this.element.scrollTop += (event.deltaY * lines) / this.layout.factor;
  }

  key(event: KeyboardEvent): void {
    const { ids, selection, onopen } = this.#input;
    if (ids.length === 0 || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === 'a') selection.set(ids);
    else if (event.key === ' ') {
      selection.toggle(ids[this.#input.active]);
      this.#anchor = this.#input.active;
    } else if (event.key === 'Enter') onopen?.(ids[this.#input.active], this.#input.active);
    else if (event.key === 'Escape' && selection.size > 0) selection.clear();
    else {
      const page = Math.max(1, Math.floor(this.height / this.layout.rowHeight) - 1);
      const index = indexAfterKey(event.key, this.#input.active, this.layout, ids.length, page);
      if (index === undefined) return;
      this.goTo(index, { range: event.shiftKey, keep: control });
    }
    event.preventDefault();
  }

  /**
   * Make a cell the active one, show it, and choose it.
   * @param options.range choose from the anchor to it
   * @param options.keep leave the selection as it is
   */
  goTo(index: number, { range = false, keep = false } = {}): void {
    const { ids, selection } = this.#input;
    this.#input.active = index;
    this.reveal(index);
    if (range) {
      const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
      selection.set(ids.slice(from, to + 1));
    } else {
      this.#anchor = index;
      if (!keep) selection.set([ids[index]]);
    }
  }

  /** Scroll so far that a cell is in view. */
  reveal(index: number): void {
    if (this.element === undefined) return;
    const top = rowTop(this.layout, Math.floor(index / this.layout.columns));
    const bottom = top + this.layout.rowHeight;
    let to = this.top;
    if (top - MARGIN < to) to = top - MARGIN;
    else if (bottom > to + this.height) to = bottom - this.height;
    else return;
    this.element.scrollTop = to / this.layout.factor;
    this.scrollTop = this.element.scrollTop;
  }

  /** A press on a cell, or on the ground between (null). */
  press(index: number | null, event: PointerEvent): void {
    const { ids, selection } = this.#input;
    const control = event.ctrlKey || event.metaKey;
    if (index === null) {
      if (!control && !event.shiftKey) selection.clear();
    } else if (control) {
      selection.toggle(ids[index]);
      this.#input.active = index;
      this.#anchor = index;
    } else this.goTo(index, { range: event.shiftKey, keep: selection.has(ids[index]) && event.button !== 0 });
  }

  /** Choose what the rectangle touches. @param added what was chosen before and stays */
  drawBand(band: Band, added: readonly number[]): void {
    const { ids, selection } = this.#input;
    this.band = band;
    selection.set(added);
    selection.add(cellsInBand(this.layout, ids.length, band).map((index) => ids[index]));
  }

  /** Ids in the document: those in the window first. */
  #inView(): number[] {
    const { ids } = this.#input;
    const { columns } = this.layout;
    const [first, end] = rowsBetween(this.layout, this.top, this.top + this.height);
    const slice = (from: number, to: number): number[] => Array.from(ids.slice(from * columns, to * columns));
    return [...slice(first, end), ...slice(end, this.#endRow), ...slice(this.#firstRow, first)];
  }
}
