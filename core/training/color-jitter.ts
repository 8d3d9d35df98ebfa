/**
 * Colour jitter as torchvision has it for 8-bit pictures: brightness, contrast and saturation, each by a random factor, in
 * random order, cut to 8 bits after each.
 */
import type { Random } from '../base/random.ts';

const KINDS = ['brightness', 'contrast', 'saturation'] as const;

/** What is done, in order; a factor of 1 changes nothing. */
export type Jitter = readonly { kind: (typeof KINDS)[number]; factor: number }[];

/** @param strength factors lie within 1 +- strength; 0 … 1 */
export function drawJitter(random: Random, strength: number): Jitter {
  return random.shuffle([...KINDS]).map((kind) => ({ kind, factor: 1 + strength * (2 * random.uniform() - 1) }));
}

/** Change pixels in place. @param pixels RGB, R first */
export function applyJitter(pixels: Uint8Array, jitter: Jitter): void {
  for (const { kind, factor } of jitter) {
    if (kind === 'brightness') look(pixels, blendTable(factor, 0));
    else if (kind === 'contrast') look(pixels, blendTable(factor, meanGrey(pixels)));
    else saturate(pixels, factor);
  }
}

/** factor * value + (1 - factor) * other, cut to 8 bits, for each value. */
function blendTable(factor: number, other: number): Uint8ClampedArray {
  // A clamped array rounds; torchvision drops what is behind the point.
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => Math.floor(factor * value + (1 - factor) * other));
}

function look(pixels: Uint8Array, table: Uint8ClampedArray): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]];
}

/** ITU-R 601 luma, what is behind the point dropped. */
const luma = (r: number, g: number, b: number): number => (0.2989 * r + 0.587 * g + 0.114 * b) | 0;

function meanGrey(pixels: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 3) sum += luma(pixels[i], pixels[i + 1], pixels[i + 2]);
  return sum / (pixels.length / 3);
}

const cut = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

function saturate(pixels: Uint8Array, factor: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const other = (1 - factor) * luma(pixels[i], pixels[i + 1], pixels[i + 2]);
    pixels[i] = cut(factor * pixels[i] + other);
    pixels[i + 1] = cut(factor * pixels[i + 1] + other);
    pixels[i + 2] = cut(factor * pixels[i + 2] + other);
  }
}
