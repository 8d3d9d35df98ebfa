/** A threshold of the saliency that is tried before it is taken: its mask is shown, and nothing is changed yet. */
import { maskFromSaliency } from '../../../core/contexts/mask.ts';
import type { Bitmap } from './canvas/bitmap.ts';
import type { OpenedContext } from './opened.ts';

/** A threshold that was moved is taken after this rest, milliseconds. */
const REST_MS = 500;
/** Pixels of a live outline: worked out at each step of the slider. */
const PREVIEW_PIXELS = 500_000;

/** What it asks of the canvas. */
export interface TrialCanvas {
  readonly opened: OpenedContext | undefined;
  readonly ready: boolean;
}

export class ThresholdTrial {
  /** The saliency below which pixels are context, while it is being moved; undefined: the mask as it stands. */
  tried: number | undefined = $state();
  /** The one taken last, where the slider stays. */
  #last = $state(0.5);
  readonly #canvas: TrialCanvas;
  readonly #make: (threshold: number) => void;
  #rest: ReturnType<typeof setTimeout> | undefined;

  readonly shown: number = $derived(this.tried ?? this.#last);
  /** The mask that it would make, coarse where the picture is large. */
  readonly preview: Bitmap | undefined = $derived.by(() => {
    const { tried: threshold } = this;
    const { opened } = this.#canvas;
    if (threshold === undefined || opened?.saliency === undefined) return undefined;
    const shrink = Math.min(1, Math.sqrt(PREVIEW_PIXELS / (opened.width * opened.height)));
    const [width, height] = [opened.width, opened.height].map((side) => Math.max(1, Math.round(side * shrink)));
    return maskFromSaliency(opened.saliency, width, height, { form: 'threshold', threshold });
  });

  /** @param make the mask of a threshold */
  constructor(canvas: TrialCanvas, make: (threshold: number) => void) {
    this.#canvas = canvas;
    this.#make = make;
  }

  try(threshold: number): void {
    if (!this.#canvas.ready || this.#canvas.opened?.saliency === undefined) return;
    clearTimeout(this.#rest);
    this.tried = Math.round(Math.min(1, Math.max(0, threshold)) * 100) / 100;
  }

  /** Try the next one up or down; it is taken after a rest. */
  step(by: number): void {
    this.try(this.shown + by);
    this.takeSoon();
  }

  /** Take it unless it is moved on: keys move a slider step by step, and that is one stroke. */
  takeSoon(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.take(), REST_MS);
  }

  /** Make the mask that it shows. */
  take(): void {
    clearTimeout(this.#rest);
    const { tried } = this;
    if (tried === undefined || this.#canvas.opened?.saliency === undefined) return;
    this.tried = undefined;
    this.#last = tried;
    this.#make(tried);
  }

  /** @returns whether one was tried */
  giveUp(): boolean {
    if (this.tried === undefined) return false;
    this.tried = undefined;
    clearTimeout(this.#rest);
    return true;
  }
}
