/**
 * Snap a mask to the edges of its picture: GrabCut (Rother, Kolmogorov and Blake, "GrabCut: interactive foreground
 * extraction using iterated graph cuts", SIGGRAPH 2004) by OpenCV, on a band along the border of the mask. Here: what is
 * certain, what is to be decided, and back; the cut itself is in `grabcut-thread.ts`.
 */
import type { Region } from '../api/review.ts';
import type { GreyImage, RgbImage } from '../data/decode.ts';
import { morph } from './mask-morphology.ts';
import { cutRegion } from './mask-tiles.ts';

/** What GrabCut is told of a pixel, by OpenCV's numbers (GC_BGD, GC_FGD, GC_PR_BGD, GC_PR_FGD). */
export const LABELS = { context: 0, foreground: 1, probablyContext: 2, probablyForeground: 3 } as const;

/** Pixels that are cut at once; a larger part is cut at a smaller size. A quarter of a million take about half a second. */
export const MOST_PIXELS_CUT = 250_000;

/** Half the width of the band along the border, as a share of the region's shorter side, and its bounds in pixels. */
const BAND = { share: 0.1, least: 2, most: 24 };

/** Of what lies around the region, so much of its sides is shown to GrabCut, which learns the colours from it. */
const MARGIN = 0.25;

/** The part of a picture that is cut: the region with a margin. */
export function partAround({ x, y, width, height }: Region, picture: { width: number; height: number }): Region {
  const left = Math.max(0, Math.floor(x - MARGIN * width));
  const top = Math.max(0, Math.floor(y - MARGIN * height));
  const right = Math.min(picture.width, Math.ceil(x + width + MARGIN * width));
  const bottom = Math.min(picture.height, Math.ceil(y + height + MARGIN * height));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * What is certain of a mask, and what is to be decided: a band along its border, inside the region.
 * @param mask the part, 255 = context
 * @param region inside the part
 * @returns a label for each pixel of the part; null when the region holds no border
 */
export function grabCutLabels(mask: GreyImage, region: Region): Uint8Array<ArrayBuffer> | null {
  const wanted = Math.round(BAND.share * Math.min(region.width, region.height));
  const radius = Math.min(BAND.most, Math.max(BAND.least, wanted));
  const binary = { ...mask, data: morph(mask, 'binarize', 1) };
  const grown = morph(binary, 'grow', radius);
  const shrunk = morph(binary, 'shrink', radius);
  const labels = new Uint8Array(binary.data.length);
  let band = 0;
  for (let y = 0; y < mask.height; y++) {
    const inRows = y >= region.y && y < region.y + region.height;
    for (let x = 0; x < mask.width; x++) {
      const at = y * mask.width + x;
      const isContext = binary.data[at] === 255;
      const open = inRows && x >= region.x && x < region.x + region.width && grown[at] !== shrunk[at];
      if (open) band++;
      if (isContext) labels[at] = open ? LABELS.probablyContext : LABELS.context;
      else labels[at] = open ? LABELS.probablyForeground : LABELS.foreground;
    }
  }
  return band === 0 ? null : labels;
}

/** Every second, third, … pixel: of labels nothing can be mixed. */
export function everyNth({ width, height, data }: GreyImage, step: number): GreyImage {
  const small = { width: Math.floor(width / step), height: Math.floor(height / step) };
  const values = new Uint8Array(small.width * small.height);
  const middle = step >> 1;
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      values[y * small.width + x] = data[(y * step + middle) * width + x * step + middle];
    }
  }
  return { ...small, data: values };
}

/** The mask inside the region as it was cut: 0 or 255. @param labels of the part, as GrabCut left them at a smaller size */
export function maskFromLabels(labels: GreyImage, step: number, region: Region): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(region.width * region.height);
  for (let y = 0; y < region.height; y++) {
    const row = Math.min(labels.height - 1, Math.floor((region.y + y) / step));
    for (let x = 0; x < region.width; x++) {
      const column = Math.min(labels.width - 1, Math.floor((region.x + x) / step));
      const label = labels.data[row * labels.width + column];
      values[y * region.width + x] = label === LABELS.context || label === LABELS.probablyContext ? 255 : 0;
    }
  }
  return values;
}

/** A part of a picture at a smaller size, each pixel the mean of step x step. */
export function reducedPart({ width, data }: RgbImage, part: Region, step: number): RgbImage {
  const small = { width: Math.floor(part.width / step), height: Math.floor(part.height / step) };
  const pixels = new Uint8Array(small.width * small.height * 3);
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = 0; dy < step; dy++) {
          const from = ((part.y + y * step + dy) * width + part.x + x * step) * 3 + channel;
          for (let dx = 0; dx < step; dx++) sum += data[from + 3 * dx];
        }
        pixels[(y * small.width + x) * 3 + channel] = Math.round(sum / (step * step));
      }
    }
  }
  return { ...small, data: pixels };
}

/** The part of a mask. */
export function maskPart(mask: GreyImage, part: Region): GreyImage {
  return { width: part.width, height: part.height, data: cutRegion(mask, part) };
}
