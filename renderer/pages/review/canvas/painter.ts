/**
 * Draws picture, mask and guides onto three canvases that lie over one another, once a frame and only what has changed:
 * the picture when the view moves, the mask where it was painted on.
 */
import { union, wholeOf, type Bitmap, type Point, type Rect } from './bitmap.ts';
import { onScreen, paintFill, paintOutline, type Colours, type Projection } from './paint-mask.ts';
import type { Guide } from './tools.ts';
import { SQUARES, toFrame, type View } from './view.ts';

/** What lies over the picture. */
export interface MaskLook {
  /** Colour by value; undefined for none. */
  readonly fill: Colours | undefined;
  readonly outline: boolean;
}

/** A picture that lies where the picture lies, such as a heat map; smoothed when it is enlarged or not. */
export interface Layer {
  readonly source: CanvasImageSource;
  readonly smooth: boolean;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** From below. */
  readonly layers: readonly Layer[];
  readonly mask: Bitmap;
  readonly look: MaskLook;
  readonly view: View;
}

export interface GuideScene {
  readonly guide: Guide | undefined;
  /** Ring of the brush: centre in the picture, diameter in its pixels. */
  readonly ring: { readonly at: Point; readonly diameter: number } | undefined;
  /** Cross of the keyboard. */
  readonly cross: Point | undefined;
}

export interface Canvases {
  readonly picture: HTMLCanvasElement;
  readonly mask: HTMLCanvasElement;
  readonly guide: HTMLCanvasElement;
}

const NO_GUIDE: GuideScene = { guide: undefined, ring: undefined, cross: undefined };

/** The mask is drawn with at most that many device pixels; on larger screens each of its pixels covers four. */
const MOST_PIXELS = 4e6;

export class Painter {
  readonly #canvases: Canvases;
  readonly #picture: CanvasRenderingContext2D;
  readonly #mask: CanvasRenderingContext2D;
  readonly #guide: CanvasRenderingContext2D;
  #scene: Scene | undefined;
  #guides = NO_GUIDE;
  /** Size of the frame, CSS pixels. */
  #width = 0;
  #height = 0;
  #ratio = 1;
  #frame = 0;
  #pictureStale = false;
  /** What of the mask has to be drawn anew, in its pixels. */
  #maskStale: Rect | 'all' | undefined;
  #guideStale = false;

  /** @throws Error when the browser gives no canvas */
  constructor(canvases: Canvases) {
    this.#canvases = canvases;
    this.#picture = contextOf(canvases.picture);
    this.#mask = contextOf(canvases.mask);
    this.#guide = contextOf(canvases.guide);
  }

  /** @param ratio device pixels for each CSS pixel */
  resize(width: number, height: number, ratio: number): void {
    this.#width = width;
    this.#height = height;
    this.#ratio = ratio;
    for (const canvas of [this.#canvases.picture, this.#canvases.guide]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.#canvases.mask.width = Math.max(1, Math.round(width * this.#maskRatio));
    this.#canvases.mask.height = Math.max(1, Math.round(height * this.#maskRatio));
    this.#pictureStale = true;
    this.#maskStale = 'all';
    this.#guideStale = true;
    this.#plan();
  }

  /** Show another scene; what both have in common is not drawn again. */
  show(scene: Scene | undefined): void {
    const before = this.#scene;
    this.#scene = scene;
    const moved = before?.view !== scene?.view || before?.width !== scene?.width || before?.height !== scene?.height;
    if (moved || !sameLayers(before?.layers, scene?.layers)) this.#pictureStale = true;
    if (moved || before?.mask !== scene?.mask || before?.look !== scene?.look) this.#maskStale = 'all';
    if (moved) this.#guideStale = true;
    this.#plan();
  }

  /** The mask has changed there. */
  repaint(rect: Rect): void {
    if (this.#maskStale !== 'all') this.#maskStale = union(this.#maskStale, rect);
    this.#plan();
  }

  guide(guides: GuideScene): void {
    this.#guides = guides;
    this.#guideStale = true;
    this.#plan();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
  }

  #plan(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#draw);
  }

  readonly #draw = (): void => {
    this.#frame = 0;
    if (this.#pictureStale) this.#drawPicture();
    if (this.#maskStale !== undefined) this.#drawMask(this.#maskStale);
    if (this.#guideStale) this.#drawGuide();
    this.#pictureStale = false;
    this.#maskStale = undefined;
    this.#guideStale = false;
  };

  get #maskRatio(): number {
    return this.#width * this.#height * this.#ratio ** 2 > MOST_PIXELS ? this.#ratio / 2 : this.#ratio;
  }

  #drawPicture(): void {
    const { canvas } = this.#picture;
    this.#picture.clearRect(0, 0, canvas.width, canvas.height);
    if (this.#scene === undefined) return;
    const { view, width, height, layers } = this.#scene;
    for (const { source, smooth } of layers) {
      this.#picture.imageSmoothingEnabled = smooth || view.scale * this.#ratio < SQUARES;
      this.#picture.drawImage(
        source,
        view.left * this.#ratio,
        view.top * this.#ratio,
        width * view.scale * this.#ratio,
        height * view.scale * this.#ratio,
      );
    }
  }

  #drawMask(stale: Rect | 'all'): void {
    const { canvas } = this.#mask;
    const screen = wholeOf(canvas);
    if (this.#scene === undefined) {
      this.#mask.clearRect(0, 0, screen.width, screen.height);
      return;
    }
    const { mask, look } = this.#scene;
    const projection = this.#projection(mask, this.#scene);
    const thickness = Math.max(1, Math.round(this.#maskRatio));
    const area = stale === 'all' ? screen : onScreen(stale, projection, look.outline ? thickness + 1 : 1, screen);
    if (area.width === 0 || area.height === 0) return;
    if (look.fill === undefined && !look.outline) {
      this.#mask.clearRect(area.x, area.y, area.width, area.height);
      return;
    }
    const image = this.#mask.createImageData(area.width, area.height);
    const out = new Uint32Array(image.data.buffer);
    if (look.fill !== undefined) paintFill(out, area, mask, projection, look.fill);
    if (look.outline) paintOutline(out, area, mask, projection, thickness);
    this.#mask.putImageData(image, area.x, area.y);
  }

  #projection(mask: Bitmap, { view, width, height }: Scene): Projection {
    const ratio = this.#maskRatio;
    return {
      scaleX: (view.scale * ratio * width) / mask.width,
      scaleY: (view.scale * ratio * height) / mask.height,
      left: view.left * ratio,
      top: view.top * ratio,
    };
  }

  #drawGuide(): void {
    const context = this.#guide;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    if (this.#scene === undefined) return;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    const { view } = this.#scene;
    const path = new Path2D();
    const { guide, ring, cross } = this.#guides;
    if (guide?.shape === 'polygon') tracePolygon(path, view, guide);
    if (guide?.shape === 'box') traceBox(path, view, guide);
    if (ring !== undefined) {
      const { x, y } = toFrame(view, ring.at);
      const radius = (ring.diameter * view.scale) / 2;
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 2 * Math.PI);
    }
    if (cross !== undefined) traceCross(path, toFrame(view, cross));
    // Light on dark: seen on any picture.
    for (const [colour, width] of [
      ['rgb(0 0 0 / 75%)', 3],
      ['#fff', 1.25],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke(path);
    }
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('The browser gives no canvas to draw on.');
  return context;
}

function sameLayers(a: readonly Layer[] = [], b: readonly Layer[] = []): boolean {
  return a.length === b.length && a.every(({ source }, i) => source === b[i].source);
}

function tracePolygon(path: Path2D, view: View, { points, cursor }: Extract<Guide, { shape: 'polygon' }>): void {
  for (const [index, point] of [...points, ...(cursor === undefined ? [] : [cursor])].entries()) {
    const { x, y } = toFrame(view, point);
    if (index === 0) path.moveTo(x, y);
    else path.lineTo(x, y);
  }
  if (points.length > 1) path.closePath();
  for (const point of points) {
    const { x, y } = toFrame(view, point);
    path.rect(x - 3, y - 3, 6, 6);
  }
}

function traceBox(path: Path2D, view: View, { from, to }: Extract<Guide, { shape: 'box' }>): void {
  const a = toFrame(view, { x: Math.floor(Math.min(from.x, to.x)), y: Math.floor(Math.min(from.y, to.y)) });
  const b = toFrame(view, { x: Math.floor(Math.max(from.x, to.x)) + 1, y: Math.floor(Math.max(from.y, to.y)) + 1 });
  path.rect(a.x, a.y, b.x - a.x, b.y - a.y);
}

/** Arms of the keyboard's cross, CSS pixels. */
const [INNER, OUTER] = [4, 12];

function traceCross(path: Path2D, { x, y }: Point): void {
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    path.moveTo(x + dx * INNER, y + dy * INNER);
    path.lineTo(x + dx * OUTER, y + dy * OUTER);
  }
}
