/** How the picture lies in its frame: fitted until it is moved or enlarged. */
import type { Point } from './canvas/bitmap.ts';
import { actualSize, fit, pan, zoomAt, type View } from './canvas/view.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export class CanvasPlace {
  frame: Size = $state.raw({ width: 0, height: 0 });
  readonly #size: () => Size;
  #moved: View | undefined = $state.raw();

  /** @param size of what is shown, pixels */
  constructor(size: () => Size) {
    this.#size = size;
  }

  get view(): View {
    return this.#moved ?? fit(this.frame, this.#size());
  }

  resize(width: number, height: number): void {
    if (this.frame.width !== width || this.frame.height !== height) this.frame = { width, height };
  }

  fit(): void {
    this.#moved = undefined;
  }

  actualSize(): void {
    this.#moved = actualSize(this.frame, this.#size());
  }

  /** @param at in the frame; its middle when absent */
  zoom(factor: number, at: Point = { x: this.frame.width / 2, y: this.frame.height / 2 }): void {
    this.#moved = zoomAt(this.view, this.frame, this.#size(), factor, at);
  }

  pan(dx: number, dy: number): void {
    this.#moved = pan(this.view, this.frame, this.#size(), dx, dy);
  }
}
