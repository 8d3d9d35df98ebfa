/**
 * The mask that is being painted on: one bitmap as it stands, one as it was before the stroke under way. A stroke leaves
 * it as one changed rectangle. Pure.
 */
import { changedPart, cut, paste, union, wholeOf, type Bitmap, type Rect } from './bitmap.ts';

/** A finished stroke: the values of its rectangle before and after it. */
export interface Stroke {
  readonly rect: Rect;
  readonly before: Uint8Array<ArrayBuffer>;
  readonly after: Uint8Array<ArrayBuffer>;
}

export class Surface {
  readonly mask: Bitmap;
  /** The mask without the stroke under way. Equal to `mask` outside of `#touched`. */
  readonly base: Bitmap;
  /** Told of each rectangle that has to be painted anew. */
  readonly #repaint: (rect: Rect) => void;
  #touched: Rect | undefined;

  constructor(mask: Bitmap, repaint: (rect: Rect) => void) {
    this.mask = mask;
    this.base = { ...mask, data: mask.data.slice() };
    this.#repaint = repaint;
  }

  /** A stroke is under way. */
  get busy(): boolean {
    return this.#touched !== undefined;
  }

  /** A tool has painted there. @param rect undefined where it painted nothing */
  touch(rect: Rect | undefined): void {
    if (rect === undefined) return;
    this.#touched = union(this.#touched, rect);
    this.#repaint(rect);
  }

  /** Take back the stroke so far: it is tried otherwise, or given up. */
  restore(): void {
    const rect = this.#touched;
    if (rect === undefined) return;
    paste(this.mask, rect, cut(this.base, rect));
    this.#touched = undefined;
    this.#repaint(rect);
  }

  /** End the stroke. @returns undefined when it has changed no value */
  commit(): Stroke | undefined {
    const touched = this.#touched;
    this.#touched = undefined;
    const rect = touched && changedPart(this.base, this.mask, touched);
    if (rect === undefined) return undefined;
    const stroke = { rect, before: cut(this.base, rect), after: cut(this.mask, rect) };
    paste(this.base, rect, stroke.after);
    return stroke;
  }

  /** Values that come from elsewhere: an undone stroke, another window. A stroke under way is given up. */
  put(rect: Rect, values: Uint8Array): void {
    this.restore();
    paste(this.mask, rect, values);
    paste(this.base, rect, values);
    this.#repaint(rect);
  }

  /** Make the whole mask anew as one stroke. */
  replace(data: Uint8Array): Stroke | undefined {
    this.restore();
    this.mask.data.set(data);
    this.touch(wholeOf(this.mask));
    return this.commit();
  }

  /** Make the changes of strokes once more on the mask as it is now, as one stroke. */
  repeat(strokes: readonly Stroke[]): Stroke | undefined {
    this.attempt(strokes);
    return this.commit();
  }

  /** Show those changes as a stroke under way, which `restore` takes back. Unchanged pixels of strokes count for nothing. */
  attempt(strokes: readonly Stroke[]): void {
    this.restore();
    for (const { rect, before, after } of strokes) {
      const values = cut(this.mask, rect);
      for (let i = 0; i < values.length; i++) if (before[i] !== after[i]) values[i] = after[i];
      paste(this.mask, rect, values);
      this.touch(rect);
    }
  }
}
