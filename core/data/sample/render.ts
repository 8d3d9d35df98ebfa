/**
 * Draw a picture of the sample data set. What is behind, what is in front and the sensor's noise come from streams of
 * their own, so that the same picture can be drawn without its object.
 */
import { Random } from '../../base/random.ts';
import { drawScene, hsl } from './scenes.ts';
import { SHAPES, type ShapeName } from './shapes.ts';
import type { SamplePicture } from './plan.ts';

/** Object samples along each side of a pixel. */
const SUBPIXELS = 3;
/** Standard deviation of the noise on each channel, 0 to 1. */
const NOISE = 0.035;
/** Deviation of the sum of four uniform bytes. */
const BELL_DEVIATION = Math.sqrt((4 * (256 ** 2 - 1)) / 12);

/**
 * @param seed of the data set
 * @param size side, pixels
 * @param withObject false: the background alone, the same in every pixel that the object does not cover
 * @returns size * size * 3 bytes, row-major, red green blue
 */
export function renderPicture(seed: number, size: number, picture: SamplePicture, withObject = true): Uint8Array {
  const stream = (part: string): Random => Random.stream(seed, `sample/${picture.file}/${part}`);
  const pixels = drawScene(picture.scene, size, stream('scene'));
  if (withObject) drawObject(pixels, picture.class, size, stream('object'));
  const noise = stream('noise');
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Math.max(0, Math.min(255, Math.round(255 * (pixels[i] + NOISE * bell(noise.uint32())))));
  }
  return bytes;
}

/** Nearly normal with mean 0 and deviation 1: the sum of a word's four bytes (twelve million are drawn for a data set). */
function bell(word: number): number {
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / BELL_DEVIATION;
}

/** Lay a shape over `pixels`. Colour, size, place and angle do not depend on the shape. */
function drawObject(pixels: Float32Array, shape: ShapeName, size: number, random: Random): void {
  const inside = SHAPES[shape];
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const radius = size * between(0.23, 0.34);
  const reach = size / 2 - radius;
  const centreX = size / 2 + between(-1, 1) * Math.min(reach, 0.14 * size);
  const centreY = size / 2 + between(-1, 1) * Math.min(reach, 0.14 * size);
  const angle = between(-0.5, 0.5);
  // Light or dark against scenes of middling lightness; the hue says nothing.
  const lightness = random.uniform() < 0.5 ? between(0.8, 0.95) : between(0.05, 0.18);
  const colour = hsl(between(0, 360), between(0, 0.7), lightness);
  const shade = between(-0.08, 0.08);
  const cos = Math.cos(angle) / radius;
  const sin = Math.sin(angle) / radius;
  const first = (centre: number): number => Math.max(0, Math.floor(centre - radius));
  const end = (centre: number): number => Math.min(size, Math.ceil(centre + radius));
  for (let y = first(centreY); y < end(centreY); y++) {
    for (let x = first(centreX); x < end(centreX); x++) {
      let hits = 0;
      for (let sample = 0; sample < SUBPIXELS * SUBPIXELS; sample++) {
        const dx = x + ((sample % SUBPIXELS) + 0.5) / SUBPIXELS - centreX;
        const dy = y + (Math.floor(sample / SUBPIXELS) + 0.5) / SUBPIXELS - centreY;
        if (inside(cos * dx + sin * dy, cos * dy - sin * dx)) hits++;
      }
      const cover = hits / (SUBPIXELS * SUBPIXELS);
      const light = shade * ((y - centreY) / radius);
      const p = (y * size + x) * 3;
      for (let c = 0; c < 3; c++) pixels[p + c] += cover * (colour[c] + light - pixels[p + c]);
    }
  }
}
