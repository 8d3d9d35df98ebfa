/** A saliency map as a picture. */
import type { SaliencyMap } from '../../../core/api/runs.ts';
import { saliencyColour } from './saliency-colour.ts';

/** Draw a map onto a canvas of its own grid; the browser smooths it when it is shown larger. */
export function paintSaliency(canvas: HTMLCanvasElement, { width, height, data }: SaliencyMap): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(width, height);
  const cells = atob(data);
  for (let i = 0; i < width * height; i++) image.data.set(saliencyColour(cells.charCodeAt(i) / 255), 4 * i);
  context.putImageData(image, 0, 0);
}
