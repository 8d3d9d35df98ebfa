/** How a picture lies in its frame: fitted, or enlarged and moved. */

/** Largest enlargement of a pixel of the picture, CSS pixels. */
const LARGEST = 32;
const STEP = 1.3;

export class Stage {
  /** Size of the frame, CSS pixels. */
  frameWidth = $state(0);
  frameHeight = $state(0);
  /** Size of the picture in its own pixels. */
  width = $state(1);
  height = $state(1);
  /** CSS pixels for each pixel of the picture; null: fitted. */
  #wanted: number | null = $state(null);
  /** Centre of the frame in the picture, from 0 to 1. */
  #centre = $state({ x: 0.5, y: 0.5 });

  readonly fitted: number = $derived.by(() => {
    const scale = Math.min(this.frameWidth / this.width, this.frameHeight / this.height);
    // Tiny pictures are enlarged by whole numbers, so that their pixels stay squares.
    return scale > 1 ? Math.max(1, Math.min(Math.floor(scale), LARGEST)) : scale;
  });
  readonly scale: number = $derived(this.#wanted ?? this.fitted);
  readonly isFitted: boolean = $derived(this.#wanted === null);
  /** Top left corner of the picture in the frame. */
  readonly left: number = $derived(place(this.frameWidth, this.width * this.scale, this.#centre.x));
  readonly top: number = $derived(place(this.frameHeight, this.height * this.scale, this.#centre.y));

  fit(): void {
    this.#wanted = null;
    this.#centre = { x: 0.5, y: 0.5 };
  }

  /** Enlarge (1) or shrink (-1) by a step, about a point of the frame. */
  step(direction: 1 | -1, at?: { x: number; y: number }): void {
    this.zoomTo(this.scale * (direction > 0 ? STEP : 1 / STEP), at);
  }

  /** @param scale CSS pixels for each pixel of the picture */
  zoomTo(scale: number, at = { x: this.frameWidth / 2, y: this.frameHeight / 2 }): void {
    const next = Math.min(LARGEST, Math.max(Math.min(this.fitted, 1), scale));
    // The point of the picture below `at` stays where it is.
    const x = (at.x - this.left) / this.scale;
    const y = (at.y - this.top) / this.scale;
    this.#wanted = Math.abs(next - this.fitted) < 1e-6 ? null : next;
    this.#centre = this.#limited({
      x: (x + (this.frameWidth / 2 - at.x) / next) / this.width,
      y: (y + (this.frameHeight / 2 - at.y) / next) / this.height,
    });
  }

  /** Move the picture by so many CSS pixels. */
  pan(dx: number, dy: number): void {
    this.#centre = this.#limited({
      x: this.#centre.x - dx / (this.width * this.scale),
      y: this.#centre.y - dy / (this.height * this.scale),
    });
  }

  #limited({ x, y }: { x: number; y: number }): { x: number; y: number } {
    return { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
  }
}

/** Where a side begins: centred where it fits, else so that no gap is left at either end. */
function place(frame: number, side: number, centre: number): number {
  if (side <= frame) return (frame - side) / 2;
  return Math.min(0, Math.max(frame - side, frame / 2 - centre * side));
}
