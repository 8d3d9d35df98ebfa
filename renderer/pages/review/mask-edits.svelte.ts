/** What changes the mask as a whole, each as one stroke. */
import type { MorphOperation, StrokeTool } from '../../../core/api/review.ts';
import { morph } from '../../../core/contexts/mask-morphology.ts';
import { maskFromSaliency, type MaskRule } from '../../../core/contexts/mask.ts';
import { pixelsWithin } from './canvas/bitmap.ts';
import { toPicture } from './canvas/view.ts';
import type { CanvasPlace } from './canvas-place.svelte.ts';
import type { OpenedContext } from './opened.ts';
import { ThresholdTrial, type TrialCanvas } from './threshold-trial.svelte.ts';

export class MaskEdits {
  /** Of grow, shrink and smooth, pixels. */
  radius = $state(2);
  /** The largest spot that is filled or dropped goes with the square of it. */
  spotStep = $state(8);
  readonly threshold: ThresholdTrial;
  readonly #canvas: TrialCanvas;
  readonly #place: CanvasPlace;

  /** Pixels of the largest spot that is filled or dropped. */
  readonly spot: number = $derived(this.spotStep ** 2);

  constructor(canvas: TrialCanvas, place: CanvasPlace) {
    this.#canvas = canvas;
    this.#place = place;
    this.threshold = new ThresholdTrial(canvas, (threshold) =>
      this.#fromSaliency('threshold', { threshold }, { form: 'threshold', threshold }),
    );
  }

  /** What is open, where it may be changed now. */
  get #open(): OpenedContext | undefined {
    return this.#canvas.ready ? this.#canvas.opened : undefined;
  }

  /** The mask as the method takes it: soft, from the saliency. */
  soften(): void {
    if (this.#open !== undefined) this.#fromSaliency('soft', {}, { form: 'soft' });
  }

  /** By the radius or the size of spots that is set. */
  operate(operation: MorphOperation): void {
    const opened = this.#open;
    if (opened === undefined) return;
    this.threshold.take();
    const amount = operation === 'fill-holes' || operation === 'drop-specks' ? this.spot : this.radius;
    this.#replace(operation, { amount }, morph(opened.surface.mask, operation, amount));
  }

  /** Move the border to edges of the picture, in the part that is in view. */
  snap(): void {
    const opened = this.#open;
    if (opened === undefined) return;
    this.threshold.take();
    const { view, frame } = this.#place;
    const from = toPicture(view, { x: 0, y: 0 });
    const to = toPicture(view, { x: frame.width, y: frame.height });
    const region = pixelsWithin(opened, from.x, from.y, to.x, to.y);
    if (region !== undefined) opened.queue.snap(region);
  }

  #fromSaliency(tool: StrokeTool, params: Readonly<Record<string, number>>, rule: MaskRule): void {
    const { opened } = this.#canvas;
    if (opened?.saliency === undefined) return;
    this.#replace(tool, params, maskFromSaliency(opened.saliency, opened.width, opened.height, rule).data);
  }

  #replace(tool: StrokeTool, params: Readonly<Record<string, number>>, data: Uint8Array): void {
    const { opened } = this.#canvas;
    const stroke = opened?.surface.replace(data);
    if (stroke !== undefined) opened?.queue.add({ tool, params, stroke });
  }
}
