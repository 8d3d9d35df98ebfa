/** A saliency map as a layer over the picture. */
import type { Bitmap } from './canvas/bitmap.ts';
import type { Layer } from './canvas/painter.ts';
import { saliencyColour } from '../runs/saliency-colour.ts';

export function heatLayer(saliency: Bitmap | undefined): Layer | undefined {
  if (saliency === undefined) return undefined;
  const { width, height, data } = saliency;
  const image = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) image.data.set(saliencyColour(data[i] / 255), 4 * i);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return { source: canvas, smooth: true };
}
