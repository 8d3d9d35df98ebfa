/**
 * The tools of the canvas behind one interface; a new one is one entry in `TOOLS`. All points are in pixels of the
 * picture. Pure.
 */
import { type Point, type Rect } from './bitmap.ts';
import { paintSegment } from './brush.ts';
import { Flood, MOST_TOLERANCE, type Pixels } from './flood.ts';
import { fillBox, fillPolygon } from './shapes.ts';
import type { Surface } from './surface.ts';

export type ToolName = 'brush' | 'eraser' | 'polygon' | 'box' | 'flood';

export interface ToolSettings {
  /** Of brush and eraser, pixels of the picture. */
  diameter: number;
  /** Brush and eraser fade towards their edge. */
  soft: boolean;
  /** Of flood fill: see `Flood.fill`. */
  tolerance: number;
}

/** What a tool works on. */
export interface Bench {
  readonly surface: Surface;
  readonly settings: ToolSettings;
  /** Colours of the picture; undefined while it is not there. */
  pixels(): Pixels | undefined;
  /** End the stroke under way and have it stored. */
  commit(params: Readonly<Record<string, number | boolean | string>>): void;
}

/** What is drawn over the picture while a tool is at work. */
export type Guide =
  | { readonly shape: 'polygon'; readonly points: readonly Point[]; readonly cursor: Point | undefined }
  | { readonly shape: 'box'; readonly from: Point; readonly to: Point };

export interface Tool {
  /** @param remove take away from the context instead of adding to it */
  down(bench: Bench, at: Point, remove: boolean): void;
  /** The pointer went through these, pressed or not; the last is where it is. */
  move(bench: Bench, points: readonly Point[], pressed: boolean): void;
  up(bench: Bench): void;
  /** Enter: end what is under way. @returns whether there was something */
  finish(bench: Bench): boolean;
  /** Escape: give up what is under way. @returns whether there was something */
  cancel(bench: Bench): boolean;
  /** Backspace: take back the last point. */
  back?(): void;
  readonly guide?: Guide | undefined;
}

const valueOf = (remove: boolean): 0 | 255 => (remove ? 0 : 255);

/** Brush and eraser: a chain of segments through the points of the pointer. */
class Brush implements Tool {
  readonly #erases: boolean;
  #last: Point | undefined;
  #remove = false;

  constructor(erases: boolean) {
    this.#erases = erases;
  }

  down(bench: Bench, at: Point, remove: boolean): void {
    this.#remove = this.#erases !== remove;
    this.#last = at;
    this.#paint(bench, at);
  }

  move(bench: Bench, points: readonly Point[], pressed: boolean): void {
    if (pressed && this.#last !== undefined) for (const point of points) this.#paint(bench, point);
  }

  up(bench: Bench): void {
    if (this.#last === undefined) return;
    this.#last = undefined;
    const { diameter, soft } = bench.settings;
    bench.commit({ diameter, soft, remove: this.#remove });
  }

  finish(): boolean {
    return false;
  }

  cancel(bench: Bench): boolean {
    if (this.#last === undefined) return false;
    this.#last = undefined;
    bench.surface.restore();
    return true;
  }

  #paint({ surface, settings }: Bench, to: Point): void {
    const tip = { diameter: settings.diameter, soft: settings.soft, value: valueOf(this.#remove) };
    surface.touch(paintSegment(surface.mask, surface.base, this.#last ?? to, to, tip));
    this.#last = to;
  }
}

/** Corner by corner; a press on the first one, Enter or a double press closes it. */
class Polygon implements Tool {
  #points: Point[] = [];
  #cursor: Point | undefined;
  #remove = false;

  get guide(): Guide | undefined {
    return this.#points.length === 0 ? undefined : { shape: 'polygon', points: this.#points, cursor: this.#cursor };
  }

  down(bench: Bench, at: Point, remove: boolean): void {
    if (this.#points.length === 0) this.#remove = remove;
    const last = this.#points.at(-1);
    // The second press of a double one.
    if (last !== undefined && Math.hypot(at.x - last.x, at.y - last.y) < 0.5) this.finish(bench);
    else this.#points = [...this.#points, at];
    this.#cursor = at;
  }

  move(_bench: Bench, points: readonly Point[]): void {
    this.#cursor = points.at(-1);
  }

  up(): void {}

  finish(bench: Bench): boolean {
    if (this.#points.length === 0) return false;
    const points = this.#points;
    this.#points = [];
    bench.surface.touch(fillPolygon(bench.surface.mask, points, valueOf(this.#remove)));
    bench.commit({ corners: points.length, remove: this.#remove });
    return true;
  }

  cancel(): boolean {
    const busy = this.#points.length > 0;
    this.#points = [];
    return busy;
  }

  back(): void {
    this.#points = this.#points.slice(0, -1);
  }
}

/** From one corner to the opposite one. */
class Box implements Tool {
  #from: Point | undefined;
  #to: Point | undefined;
  #remove = false;

  get guide(): Guide | undefined {
    return this.#from === undefined || this.#to === undefined
      ? undefined
      : { shape: 'box', from: this.#from, to: this.#to };
  }

  down(_bench: Bench, at: Point, remove: boolean): void {
    this.#from = this.#to = at;
    this.#remove = remove;
  }

  move(_bench: Bench, points: readonly Point[], pressed: boolean): void {
    if (pressed && this.#from !== undefined) this.#to = points.at(-1);
  }

  up(bench: Bench): void {
    if (this.#from === undefined || this.#to === undefined) return;
    bench.surface.touch(fillBox(bench.surface.mask, this.#from, this.#to, valueOf(this.#remove)));
    this.cancel();
    bench.commit({ remove: this.#remove });
  }

  finish(): boolean {
    return false;
  }

  cancel(): boolean {
    const busy = this.#from !== undefined;
    this.#from = this.#to = undefined;
    return busy;
  }
}

/** Pixels of the picture for each step of tolerance while dragging. */
const DRAG_STEP = 2;

/** A press fills what has the colour there; dragging to the right and down takes in more, the other way less. */
class FloodFill implements Tool {
  #flood: Flood | undefined;
  #start: Point = { x: 0, y: 0 };
  #remove = false;
  #tolerance = 0;

  down(bench: Bench, at: Point, remove: boolean): void {
    const pixels = bench.pixels();
    if (pixels === undefined || at.x < 0 || at.y < 0 || at.x >= pixels.width || at.y >= pixels.height) return;
    this.#flood = new Flood(pixels, at);
    this.#start = at;
    this.#remove = remove;
    this.#fill(bench, bench.settings.tolerance);
  }

  move(bench: Bench, points: readonly Point[], pressed: boolean): void {
    const at = points.at(-1);
    if (!pressed || this.#flood === undefined || at === undefined) return;
    const way = at.x - this.#start.x + at.y - this.#start.y;
    const tolerance = Math.round(bench.settings.tolerance + way / DRAG_STEP);
    this.#fill(bench, Math.min(MOST_TOLERANCE, Math.max(0, tolerance)));
  }

  up(bench: Bench): void {
    if (this.#flood === undefined) return;
    this.#flood = undefined;
    bench.settings.tolerance = this.#tolerance;
    bench.commit({ tolerance: this.#tolerance, remove: this.#remove });
  }

  finish(): boolean {
    return false;
  }

  cancel(bench: Bench): boolean {
    const busy = this.#flood !== undefined;
    this.#flood = undefined;
    if (busy) bench.surface.restore();
    return busy;
  }

  #fill({ surface }: Bench, tolerance: number): void {
    surface.restore();
    const rect: Rect | undefined = this.#flood?.fill(surface.mask, tolerance, valueOf(this.#remove));
    surface.touch(rect);
    this.#tolerance = tolerance;
  }
}

/** Tools as a person meets them, each with a state of its own. */
export function makeTools(): Readonly<Record<ToolName, Tool>> {
  return {
    brush: new Brush(false),
    eraser: new Brush(true),
    polygon: new Polygon(),
    box: new Box(),
    flood: new FloodFill(),
  };
}
