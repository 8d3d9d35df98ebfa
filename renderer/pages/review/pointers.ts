/** What mouse, pen and fingers do on the canvas: paint, move the picture, enlarge it. */
import type { Point } from './canvas/bitmap.ts';
import type { CanvasState } from './canvas-state.svelte.ts';

/** A notch of the wheel enlarges by about a fifth. */
const WHEEL = 0.002;
/** Where `deltaMode` counts lines. */
const LINE = 16;
/** `buttons` of the eraser end of a pen. */
const PEN_ERASER = 32;

type StageEvent = PointerEvent & { currentTarget: HTMLElement };

export class Pointers {
  readonly #canvas: () => CanvasState;
  readonly #panning: () => boolean;
  /** The pointer that paints or moves the picture. */
  #busy: { id: number; pans: boolean; last: Point } | undefined;
  /** Fingers on the screen. */
  readonly #fingers = new Map<number, Point>();

  constructor(canvas: () => CanvasState, panning: () => boolean) {
    this.#canvas = canvas;
    this.#panning = panning;
  }

  down(event: StageEvent): void {
    const canvas = this.#canvas();
    const at = placeOf(event);
    event.currentTarget.focus({ preventScroll: true });
    if (event.pointerType === 'touch') {
      this.#fingers.set(event.pointerId, at);
      if (this.#fingers.size === 2) {
        // A second finger: it was no stroke.
        canvas.cancel();
        this.#busy = undefined;
        return;
      }
    }
    if (this.#busy !== undefined || event.button > 2) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const pans = event.button === 1 || this.#panning() || canvas.tool === 'hand';
    this.#busy = { id: event.pointerId, pans, last: at };
    if (event.button === 1) event.preventDefault();
    if (!pans) {
      const remove = event.button === 2 || event.altKey || (event.buttons & PEN_ERASER) !== 0;
      canvas.down(at, remove);
    }
  }

  move(event: StageEvent): void {
    const canvas = this.#canvas();
    const at = placeOf(event);
    if (this.#fingers.size === 2 && this.#fingers.has(event.pointerId)) {
      this.#pinch(event.pointerId, at);
      return;
    }
    if (this.#busy?.pans === true && this.#busy.id === event.pointerId) {
      canvas.place.pan(at.x - this.#busy.last.x, at.y - this.#busy.last.y);
      this.#busy.last = at;
      return;
    }
    // All places since the last frame, so that a fast stroke is as smooth as a slow one.
    const places = event.getCoalescedEvents().map((one) => placeIn(event.currentTarget, one));
    canvas.move(places.length > 0 ? places : [at]);
  }

  up(event: StageEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#busy?.id !== event.pointerId) return;
    if (!this.#busy.pans) this.#canvas().up();
    this.#busy = undefined;
  }

  cancel(event: StageEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#busy?.id !== event.pointerId) return;
    if (!this.#busy.pans) this.#canvas().cancel();
    this.#busy = undefined;
  }

  wheel(event: WheelEvent & { currentTarget: HTMLElement }): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    // A trackpad's pinch comes as a wheel with Ctrl, in small steps.
    const speed = event.ctrlKey ? 5 * WHEEL : WHEEL;
    this.#canvas().zoom(Math.exp(-event.deltaY * lines * speed), placeIn(event.currentTarget, event));
  }

  #pinch(id: number, at: Point): void {
    const before = [...this.#fingers.values()];
    this.#fingers.set(id, at);
    const after = [...this.#fingers.values()];
    const canvas = this.#canvas();
    const [from, to] = [middle(before), middle(after)];
    canvas.place.pan(to.x - from.x, to.y - from.y);
    canvas.zoom(spread(after) / Math.max(1, spread(before)), to);
  }
}

function placeOf(event: StageEvent): Point {
  return placeIn(event.currentTarget, event);
}

function placeIn(frame: HTMLElement, { clientX, clientY }: { clientX: number; clientY: number }): Point {
  const box = frame.getBoundingClientRect();
  return { x: clientX - box.left - frame.clientLeft, y: clientY - box.top - frame.clientTop };
}

function middle([a, b]: readonly Point[]): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function spread([a, b]: readonly Point[]): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
