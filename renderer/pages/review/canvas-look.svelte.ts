/** How picture and mask are looked at, and what is drawn for it. */
import { theme } from '../../lib/theme.svelte.ts';
import { atInputSize, GAP } from './canvas/input-size.ts';
import type { Layer, MaskLook } from './canvas/painter.ts';
import { heatLayer } from './heat.ts';
import { lookOf, MODES, type ModeName } from './looks.ts';
import type { OpenedContext } from './opened.ts';

/** In the place of what is taken out: told from white and from dark photographs alike. */
const GROUND = { light: [205, 207, 212], dark: [70, 73, 80] } as const;
const NOTHING: MaskLook = { fill: undefined, outline: false };

export class CanvasLook {
  mode: ModeName = $state('overlay');
  /** Of the overlay, 0 to 1. */
  opacity = $state(0.5);
  /** The mask is hidden while a key is held. */
  hidden = $state(false);
  /** Pixels of the network's input, for the mode "as trained". */
  inputSize = $state(32);
  readonly #opened: () => OpenedContext | undefined;
  readonly #painted: () => void;

  readonly size: { width: number; height: number } = $derived.by(() => {
    if (this.mode === 'trainer') return { width: 2 * this.inputSize + GAP, height: this.inputSize };
    return this.#opened() ?? { width: 1, height: 1 };
  });
  readonly #picture: Layer | undefined = $derived.by(() => {
    const opened = this.#opened();
    return opened === undefined ? undefined : { source: opened.picture, smooth: false };
  });
  readonly #heat: Layer | undefined = $derived.by(() =>
    this.mode === 'heat' ? heatLayer(this.#opened()?.saliency) : undefined,
  );
  readonly #trained: Layer | undefined = $derived.by(() => {
    this.#painted();
    const opened = this.#opened();
    const { inputSize: side } = this;
    if (this.mode !== 'trainer' || opened === undefined) return undefined;
    const image = new ImageData(atInputSize(opened.pixels(), opened.surface.mask, side), 2 * side + GAP, side);
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    return { source: canvas, smooth: false };
  });
  /** Below the mask, from the lowest up. */
  readonly layers: readonly Layer[] = $derived(
    (this.mode === 'trainer' ? [this.#trained] : [this.#picture, this.#heat]).filter((layer) => layer !== undefined),
  );

  /**
   * @param opened what is shown
   * @param painted is read where a look depends on what is painted
   */
  constructor(opened: () => OpenedContext | undefined, painted: () => void) {
    this.#opened = opened;
    this.#painted = painted;
  }

  /** @param outlined also where the mode alone would not: a border is being moved */
  ofMask(outlined: boolean): MaskLook {
    if (this.hidden) return NOTHING;
    const look = lookOf(this.mode, this.opacity, GROUND[theme.shown]);
    return outlined && this.mode !== 'trainer' ? { ...look, outline: true } : look;
  }

  next(): void {
    const index = MODES.findIndex(({ value }) => value === this.mode);
    this.mode = MODES[(index + 1) % MODES.length].value;
  }
}
