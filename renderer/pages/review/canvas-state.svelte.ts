/** The state of the canvas: what is open, how it is looked at, with which tool it is painted on. */
import { untrack } from 'svelte';
import type { StrokeTool } from '../../../core/api/review.ts';
import { toasts } from '../../lib/toasts.svelte.ts';
import { areaOf, type Point, type Rect } from './canvas/bitmap.ts';
import { largestDiameter, nextDiameter } from './canvas/brush.ts';
import type { Pixels } from './canvas/flood.ts';
import type { GuideScene, Scene } from './canvas/painter.ts';
import { makeTools, type Bench, type ToolName, type ToolSettings } from './canvas/tools.ts';
import { toPicture } from './canvas/view.ts';
import { CanvasLook } from './canvas-look.svelte.ts';
import { CanvasPlace } from './canvas-place.svelte.ts';
import type { SaveMark } from './draft-queue.ts';
import { MaskEdits } from './mask-edits.svelte.ts';
import type { OpenedContext } from './opened.ts';

const SAVED: SaveMark = { state: 'saved' };

/** A press of + or -. */
export const ZOOM_STEP = 1.4;

/** What the canvas needs of whoever draws it. */
export interface CanvasView {
  repaint(rect: Rect): void;
  guide(scene: GuideScene): void;
}

export class CanvasState implements Bench {
  opened: OpenedContext | undefined = $state.raw();
  tool: ToolName | 'hand' = $state('brush');
  readonly settings: ToolSettings = $state({ diameter: 24, soft: false, tolerance: 20 });
  /** Where the cross of the keyboard is; undefined while the keyboard does not paint. */
  cross: Point | undefined = $state.raw();
  /** Counts changes of the draft: whoever reads the queue or the mask depends on it. */
  #changes = $state(0);

  readonly look: CanvasLook = new CanvasLook(
    () => this.opened,
    () => void this.#changes,
  );
  readonly place: CanvasPlace = new CanvasPlace(() => this.look.size);
  readonly edits: MaskEdits = new MaskEdits(this, this.place);
  readonly #tools = makeTools();
  #screen: CanvasView | undefined = $state.raw();
  #pointer: Point | undefined;
  #pressed = $state(false);

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
  /** Share of the picture that is context. */
  readonly area: number = $derived.by(() => {
    void this.#changes;
    return this.opened === undefined ? 0 : areaOf(this.opened.surface.mask);
  });
  readonly scene: Scene | undefined = $derived.by(() => {
    const { opened, look, place } = this;
    if (opened === undefined || place.frame.width === 0) return undefined;
    const { preview, tried } = this.edits.threshold;
    return {
      width: look.size.width,
      height: look.size.height,
      layers: look.layers,
      mask: preview ?? opened.surface.mask,
      look: look.ofMask(tried !== undefined),
      view: place.view,
    };
  });

  /** Show a context, or none. */
  show(opened: OpenedContext | undefined): void {
    untrack(() => {
      if (this.opened === opened) return;
      this.leave();
      this.opened = opened;
      this.place.fit();
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
    this.edits.threshold.take();
    this.cancel();
    opened.watcher = undefined;
  }

  attach(screen: CanvasView | undefined): void {
    this.#screen = screen;
  }

  /** @param at in the frame; its middle when absent */
  zoom(factor: number, at?: Point): void {
    this.place.zoom(factor, at);
    this.#showGuide();
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
      opened !== undefined &&
      !opened.queue.blocked &&
      this.look.mode !== 'trainer' &&
      opened.queue.mark.state !== 'conflict'
    );
  }

  /** @param at in the frame; so are those below */
  down(at: Point, remove: boolean): void {
    if (!this.ready || this.tool === 'hand') return;
    this.edits.threshold.take();
    this.#pressed = true;
    this.#tools[this.tool].down(this, toPicture(this.place.view, at), remove);
    this.#showGuide();
  }

  move(points: readonly Point[]): void {
    const { view } = this.place;
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
    if (this.edits.threshold.giveUp()) return true;
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
    if (this.look.mode === 'trainer') this.look.mode = 'overlay';
    this.#showGuide();
  }

  /** A stroke, a box or a polygon is under way. */
  get busy(): boolean {
    return this.#pressed || (this.tool !== 'hand' && this.#tools[this.tool].guide !== undefined);
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
    this.edits.threshold.take();
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

  // Strokes taken back.

  undo(): void {
    if (!this.cancel()) this.opened?.queue.undo();
  }

  redo(): void {
    this.opened?.queue.redo();
  }

  #showGuide(): void {
    const { tool, cross } = this;
    const brush = tool === 'brush' || tool === 'eraser';
    const at = this.#pointer;
    this.#screen?.guide({
      guide: tool === 'hand' ? undefined : this.#tools[tool].guide,
      ring:
        brush && at !== undefined && this.look.mode !== 'trainer'
          ? { at, diameter: this.settings.diameter }
          : undefined,
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
