/** The state of the canvas: what is open, how it is looked at, with which tool it is painted on. */
import { untrack } from 'svelte';
import type { MorphOperation, StrokeTool } from '../../../core/api/review.ts';
import { maskFromSaliency } from '../../../core/contexts/mask.ts';
import { theme } from '../../lib/theme.svelte.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { areaOf, pixelsWithin, type Bitmap, type Point, type Rect } from './canvas/bitmap.ts';
import { largestDiameter, nextDiameter } from './canvas/brush.ts';
import type { Pixels } from './canvas/flood.ts';
import { atInputSize, GAP } from './canvas/input-size.ts';
import type { GuideScene, Layer, Scene } from './canvas/painter.ts';
import { makeTools, type Bench, type ToolName, type ToolSettings } from './canvas/tools.ts';
import { actualSize, fit, pan, toPicture, zoomAt, type View } from './canvas/view.ts';
import type { SaveMark } from './draft-queue.ts';
import { lookOf, MODES, type ModeName } from './looks.ts';
import { heatLayer } from './heat.ts';
import { morph } from '../../../core/contexts/mask-morphology.ts';
import type { OpenedContext } from './opened.ts';

const SAVED: SaveMark = { state: 'saved' };
/** A threshold that was moved is taken after this rest, milliseconds. */
const REST_MS = 500;
/** Pixels of a live outline: worked out at each step of the slider. */
const PREVIEW_PIXELS = 500_000;
const GROUND = { light: [236, 236, 238], dark: [18, 19, 21] } as const;

/** A press of + or -. */
export const ZOOM_STEP = 1.4;

/** What the canvas needs of whoever draws it. */
export interface CanvasView {
  repaint(rect: Rect): void;
  guide(scene: GuideScene): void;
}

export class CanvasState implements Bench {
  opened: OpenedContext | undefined = $state.raw();
  mode: ModeName = $state('overlay');
  tool: ToolName | 'hand' = $state('brush');
  readonly settings: ToolSettings = $state({ diameter: 24, soft: false, tolerance: 20 });
  /** Of the overlay, 0 to 1. */
  opacity = $state(0.5);
  /** Of grow, shrink and smooth, pixels. */
  radius = $state(2);
  /** The largest spot that is filled or dropped goes with the square of it. */
  spotStep = $state(8);
  /** The mask is hidden while a key is held. */
  hidden = $state(false);
  frame = $state.raw({ width: 0, height: 0 });
  /** Pixels of the network's input, for the mode "as trained". */
  inputSize = $state(32);
  /** The saliency below which pixels are context, while it is being moved; undefined: the mask as it stands. */
  threshold: number | undefined = $state();
  /** The threshold taken last, where the slider stays. */
  #lastThreshold = $state(0.5);
  /** Where the cross of the keyboard is; undefined while the keyboard does not paint. */
  cross: Point | undefined = $state.raw();
  /** Counts changes of the draft: whoever reads the queue or the mask depends on it. */
  #changes = $state(0);
  #moved: View | undefined = $state.raw();

  readonly #tools = makeTools();
  #screen: CanvasView | undefined = $state.raw();
  #pointer: Point | undefined;
  #pressed = $state(false);
  #rest: ReturnType<typeof setTimeout> | undefined;

  readonly size: { width: number; height: number } = $derived.by(() => {
    if (this.mode === 'trainer') return { width: 2 * this.inputSize + GAP, height: this.inputSize };
    return this.opened ?? { width: 1, height: 1 };
  });
  /** Pixels of the largest spot that is filled or dropped. */
  readonly spot: number = $derived(this.spotStep ** 2);
  readonly view: View = $derived(this.#moved ?? fit(this.frame, this.size));
  readonly largest: number = $derived(this.opened === undefined ? 1 : largestDiameter(this.opened));
  readonly mark: SaveMark = $derived.by(() => {
    void this.#changes;
    return this.opened?.queue.mark ?? SAVED;
  });
  readonly undoable: number = $derived.by(() => {
    void this.#changes;
    return this.opened?.queue.undoable ?? 0;
  });
  readonly redoable: number = $derived.by(() => {
    void this.#changes;
    return this.opened?.queue.redoable ?? 0;
  });
  readonly shownThreshold: number = $derived(this.threshold ?? this.#lastThreshold);
  /** Share of the picture that is context. */
  readonly area: number = $derived.by(() => {
    void this.#changes;
    return this.opened === undefined ? 0 : areaOf(this.opened.surface.mask);
  });
  /** The mask of the threshold that is being tried, coarse where the picture is large. */
  readonly #preview: Bitmap | undefined = $derived.by(() => {
    const { threshold, opened } = this;
    if (threshold === undefined || opened?.saliency === undefined) return undefined;
    const shrink = Math.min(1, Math.sqrt(PREVIEW_PIXELS / (opened.width * opened.height)));
    const [width, height] = [opened.width, opened.height].map((side) => Math.max(1, Math.round(side * shrink)));
    return maskFromSaliency(opened.saliency, width, height, { form: 'threshold', threshold });
  });
  readonly #heat: Layer | undefined = $derived(this.mode === 'heat' ? heatLayer(this.opened?.saliency) : undefined);
  readonly #trained: Layer | undefined = $derived.by(() => {
    void this.#changes;
    const { opened, inputSize: side } = this;
    if (this.mode !== 'trainer' || opened === undefined) return undefined;
    const image = new ImageData(atInputSize(opened.pixels(), opened.surface.mask, side), 2 * side + GAP, side);
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    return { source: canvas, smooth: false };
  });
  readonly #picture: Layer | undefined = $derived(
    this.opened === undefined ? undefined : { source: this.opened.picture, smooth: false },
  );
  readonly #look = $derived({
    ...lookOf(this.mode, this.opacity, GROUND[theme.shown]),
    ...(this.threshold === undefined || this.mode === 'trainer' ? {} : { outline: true }),
  });
  readonly #nothing = { fill: undefined, outline: false };
  readonly scene: Scene | undefined = $derived.by(() => {
    const { opened, view, size } = this;
    if (opened === undefined || this.frame.width === 0) return undefined;
    const layers = this.mode === 'trainer' ? [this.#trained] : [this.#picture, this.#heat];
    return {
      width: size.width,
      height: size.height,
      layers: layers.filter((layer) => layer !== undefined),
      mask: this.#preview ?? opened.surface.mask,
      look: this.hidden ? this.#nothing : this.#look,
      view,
    };
  });

  /** Show a context, or none. */
  show(opened: OpenedContext | undefined): void {
    untrack(() => {
      if (this.opened === opened) return;
      this.leave();
      this.opened = opened;
      this.#moved = undefined;
      this.cross = undefined;
      this.#changes++;
      if (opened === undefined) return;
      this.settings.diameter = Math.min(this.settings.diameter, largestDiameter(opened));
      opened.watcher = {
        repaint: (rect) => this.#screen?.repaint(rect),
        moved: (refused) => {
          this.#changes++;
          if (refused !== undefined) toasts.info(refused);
        },
      };
    });
  }

  /** End what is under way with the context that is shown: it is about to leave. */
  leave(): void {
    const { opened } = this;
    if (opened === undefined) return;
    this.takeThreshold();
    this.cancel();
    opened.watcher = undefined;
  }

  attach(screen: CanvasView | undefined): void {
    this.#screen = screen;
  }

  resize(width: number, height: number): void {
    if (this.frame.width !== width || this.frame.height !== height) this.frame = { width, height };
  }

  // The picture in its frame.

  fit(): void {
    this.#moved = undefined;
  }

  actualSize(): void {
    this.#moved = actualSize(this.frame, this.size);
  }

  /** @param at in the frame; its middle when absent */
  zoom(factor: number, at: Point = { x: this.frame.width / 2, y: this.frame.height / 2 }): void {
    this.#moved = zoomAt(this.view, this.frame, this.size, factor, at);
    this.#showGuide();
  }

  pan(dx: number, dy: number): void {
    this.#moved = pan(this.view, this.frame, this.size, dx, dy);
  }

  // Painting. `Bench` first.

  get surface(): OpenedContext['surface'] {
    if (this.opened === undefined) throw new Error('nothing is open');
    return this.opened.surface;
  }

  pixels(): Pixels | undefined {
    return this.opened?.pixels();
  }

  commit(params: Readonly<Record<string, number | boolean | string>>): void {
    const { opened, tool } = this;
    const stroke = opened?.surface.commit();
    if (opened === undefined || stroke === undefined || tool === 'hand') return;
    opened.queue.add({ tool: strokeTool(tool, params.remove === true), params, stroke });
  }

  /** Whether a tool may paint now: what is painted on is seen, and nobody else is at it. */
  get ready(): boolean {
    void this.#changes;
    const { opened } = this;
    return (
      opened !== undefined && !opened.queue.blocked && this.mode !== 'trainer' && opened.queue.mark.state !== 'conflict'
    );
  }

  /** @param at in the frame; so are those below */
  down(at: Point, remove: boolean): void {
    if (!this.ready || this.tool === 'hand') return;
    this.takeThreshold();
    this.#pressed = true;
    this.#tools[this.tool].down(this, toPicture(this.view, at), remove);
    this.#showGuide();
  }

  move(points: readonly Point[]): void {
    const { view } = this;
    const inPicture = points.map((point) => toPicture(view, point));
    this.#pointer = inPicture.at(-1);
    if (this.tool !== 'hand' && this.opened !== undefined) this.#tools[this.tool].move(this, inPicture, this.#pressed);
    this.#showGuide();
  }

  up(): void {
    if (!this.#pressed) return;
    this.#pressed = false;
    if (this.tool !== 'hand' && this.opened !== undefined) this.#tools[this.tool].up(this);
    this.opened?.queue.catchUp();
    this.#showGuide();
  }

  /** The pointer has left the frame. */
  out(): void {
    this.#pointer = undefined;
    this.#showGuide();
  }

  /** @returns whether anything was under way */
  finish(): boolean {
    const done = this.tool !== 'hand' && this.opened !== undefined && this.#tools[this.tool].finish(this);
    this.#showGuide();
    return done;
  }

  /** @returns whether anything was under way */
  cancel(): boolean {
    if (this.threshold !== undefined) {
      this.threshold = undefined;
      clearTimeout(this.#rest);
      return true;
    }
    this.#pressed = false;
    const done = this.tool !== 'hand' && this.opened !== undefined && this.#tools[this.tool].cancel(this);
    this.opened?.queue.catchUp();
    this.#showGuide();
    return done;
  }

  back(): void {
    if (this.tool !== 'hand') this.#tools[this.tool].back?.();
    this.#showGuide();
  }

  take(tool: ToolName | 'hand'): void {
    this.cancel();
    this.tool = tool;
    if (this.mode === 'trainer') this.mode = 'overlay';
    this.#showGuide();
  }

  /** A stroke, a box or a polygon is under way. */
  get busy(): boolean {
    return this.#pressed || (this.tool !== 'hand' && this.#tools[this.tool].guide !== undefined);
  }

  nextMode(): void {
    const index = MODES.findIndex(({ value }) => value === this.mode);
    this.mode = MODES[(index + 1) % MODES.length].value;
  }

  setDiameter(diameter: number): void {
    this.settings.diameter = Math.min(this.largest, Math.max(1, Math.round(diameter)));
    this.#showGuide();
  }

  stepDiameter(direction: 1 | -1): void {
    this.setDiameter(nextDiameter(this.settings.diameter, direction, this.largest));
  }

  // The keyboard's cross.

  /** Move the cross; it appears in the middle. @param dx pixels of the picture */
  moveCross(dx: number, dy: number): void {
    const { opened } = this;
    if (opened === undefined) return;
    const at = this.cross ?? { x: Math.floor(opened.width / 2) + 0.5, y: Math.floor(opened.height / 2) + 0.5 };
    this.cross = {
      x: Math.min(opened.width - 0.5, Math.max(0.5, at.x + dx)),
      y: Math.min(opened.height - 0.5, Math.max(0.5, at.y + dy)),
    };
    this.#pointer = this.cross;
    if (this.tool !== 'hand') this.#tools[this.tool].move(this, [this.cross], this.#pressed);
    this.#showGuide();
  }

  /** Press with the cross, or lift; a polygon gets a corner. */
  pressCross(remove: boolean): void {
    if (this.cross === undefined || !this.ready || this.tool === 'hand') return;
    if (this.#pressed) {
      this.up();
      return;
    }
    this.takeThreshold();
    this.#pressed = this.tool !== 'polygon';
    this.#tools[this.tool].down(this, this.cross, remove);
    if (this.tool === 'flood') this.up();
    this.#showGuide();
  }

  get pressed(): boolean {
    return this.#pressed;
  }

  leaveCross(): void {
    this.cancel();
    this.cross = undefined;
    this.#pointer = undefined;
    this.#showGuide();
  }

  // What changes the mask as a whole.

  undo(): void {
    if (!this.cancel()) this.opened?.queue.undo();
  }

  redo(): void {
    this.opened?.queue.redo();
  }

  /** Try a threshold; nothing is changed yet. */
  tryThreshold(threshold: number): void {
    if (!this.ready || this.opened?.saliency === undefined) return;
    clearTimeout(this.#rest);
    this.threshold = Math.round(Math.min(1, Math.max(0, threshold)) * 100) / 100;
  }

  /** Try the next threshold up or down; it is taken after a rest. */
  stepThreshold(step: number): void {
    this.tryThreshold(this.shownThreshold + step);
    this.takeThresholdSoon();
  }

  /** Take the threshold unless it is moved on: keys move a slider step by step, and that is one stroke. */
  takeThresholdSoon(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.takeThreshold(), REST_MS);
  }

  /** Make the mask that the threshold shows. */
  takeThreshold(): void {
    clearTimeout(this.#rest);
    const { threshold, opened } = this;
    if (threshold === undefined || opened?.saliency === undefined) return;
    this.threshold = undefined;
    this.#lastThreshold = threshold;
    const { data } = maskFromSaliency(opened.saliency, opened.width, opened.height, { form: 'threshold', threshold });
    this.#replace('threshold', { threshold }, data);
  }

  /** The mask as the method takes it: soft, from the saliency. */
  soften(): void {
    const { opened } = this;
    if (!this.ready || opened?.saliency === undefined) return;
    const { data } = maskFromSaliency(opened.saliency, opened.width, opened.height, { form: 'soft' });
    this.#replace('soft', {}, data);
  }

  /** By the radius or the size of spots that is set. */
  operate(operation: MorphOperation): void {
    const { opened } = this;
    if (!this.ready || opened === undefined) return;
    this.takeThreshold();
    const amount = operation === 'fill-holes' || operation === 'drop-specks' ? this.spot : this.radius;
    this.#replace(operation, { amount }, morph(opened.surface.mask, operation, amount));
  }

  /** Move the border to edges of the picture, in the part that is in view. */
  snap(): void {
    const { opened, view, frame } = this;
    if (!this.ready || opened === undefined) return;
    this.takeThreshold();
    const from = toPicture(view, { x: 0, y: 0 });
    const to = toPicture(view, { x: frame.width, y: frame.height });
    const region = pixelsWithin(opened, from.x, from.y, to.x, to.y);
    if (region !== undefined) opened.queue.snap(region);
  }

  #replace(tool: StrokeTool, params: Readonly<Record<string, number>>, data: Uint8Array): void {
    const { opened } = this;
    const stroke = opened?.surface.replace(data);
    if (stroke !== undefined) opened?.queue.add({ tool, params, stroke });
  }

  #showGuide(): void {
    const { tool, cross } = this;
    const brush = tool === 'brush' || tool === 'eraser';
    const at = this.#pointer;
    this.#screen?.guide({
      guide: tool === 'hand' ? undefined : this.#tools[tool].guide,
      ring: brush && at !== undefined && this.mode !== 'trainer' ? { at, diameter: this.settings.diameter } : undefined,
      cross,
    });
  }
}

/** What the history calls a stroke. */
function strokeTool(tool: ToolName, remove: boolean): StrokeTool {
  switch (tool) {
    case 'brush':
    case 'eraser':
      return remove ? 'eraser' : 'brush';
    case 'flood':
      return 'fill';
    case 'box':
    case 'polygon':
      return `${tool}-${remove ? 'subtract' : 'add'}`;
  }
}
