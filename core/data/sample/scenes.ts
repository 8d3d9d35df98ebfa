/**
 * The backgrounds of the sample data set: ten families of textures. A picture's background is one member of its family:
 * phase, scale, angle and colours are drawn anew each time.
 */
import type { Random } from '../../base/random.ts';

export const SCENE_NAMES = [
  'bricks',
  'checks',
  'clouds',
  'dots',
  'lattice',
  'ripples',
  'speckle',
  'stripes',
  'waves',
  'zigzag',
] as const;
export type SceneName = (typeof SCENE_NAMES)[number];

/** How light a point is between the scene's two colours, 0 to 1. Coordinates are in texture periods. */
type Texture = (u: number, v: number, hash: (i: number, j: number) => number) => number;

interface Scene {
  /** Middle of the family's hues, degrees. */
  hue: number;
  /** Mean length of one period, as a share of the picture's side. */
  period: number;
  texture: Texture;
}

const fraction = (x: number): number => x - Math.floor(x);
const smooth = (t: number): number => t * t * (3 - 2 * t);
/** A triangle wave of period 1 between 0 and 1. */
const triangle = (x: number): number => Math.abs(2 * fraction(x) - 1);

/** Random values at whole points, smoothly joined: soft blobs. */
function clouds(u: number, v: number, hash: (i: number, j: number) => number): number {
  const i = Math.floor(u);
  const j = Math.floor(v);
  const s = smooth(u - i);
  const t = smooth(v - j);
  const top = hash(i, j) * (1 - s) + hash(i + 1, j) * s;
  const bottom = hash(i, j + 1) * (1 - s) + hash(i + 1, j + 1) * s;
  return top * (1 - t) + bottom * t;
}

function bricks(u: number, v: number): number {
  const row = Math.floor(2 * v);
  const shifted = u + (row % 2 === 0 ? 0 : 0.5);
  return fraction(2 * v) < 0.22 || fraction(shifted) < 0.12 ? 1 : 0;
}

function dots(u: number, v: number): number {
  const x = fraction(u) - 0.5;
  const y = fraction(v) - 0.5;
  return x * x + y * y < 0.3 * 0.3 ? 1 : 0;
}

const SCENES: Readonly<Record<SceneName, Scene>> = {
  bricks: { hue: 15, period: 0.42, texture: bricks },
  checks: { hue: 195, period: 0.42, texture: (u, v) => (fraction(u) < 0.5 === fraction(v) < 0.5 ? 1 : 0) },
  clouds: { hue: 215, period: 0.24, texture: clouds },
  dots: { hue: 305, period: 0.26, texture: dots },
  lattice: { hue: 50, period: 0.28, texture: (u, v) => (fraction(u) < 0.25 || fraction(v) < 0.25 ? 1 : 0) },
  ripples: { hue: 170, period: 0.24, texture: (u, v) => 0.5 + 0.5 * Math.sin(2 * Math.PI * Math.hypot(u, v)) },
  speckle: { hue: 90, period: 0.07, texture: (u, v, hash) => hash(Math.floor(u), Math.floor(v)) },
  stripes: { hue: 340, period: 0.28, texture: (u) => (fraction(u) < 0.5 ? 1 : 0) },
  waves: {
    hue: 255,
    period: 0.26,
    texture: (u, v) => 0.5 + 0.5 * Math.sin(2 * Math.PI * (v + 0.25 * Math.sin(4 * u))),
  },
  zigzag: { hue: 125, period: 0.3, texture: (u, v) => (fraction(v + 0.8 * triangle(u)) < 0.5 ? 1 : 0) },
};

/** Colour from hue (degrees), saturation and lightness (0 to 1) as red, green, blue, 0 to 1. */
export function hsl(hue: number, saturation: number, lightness: number): [number, number, number] {
  const channel = (n: number): number => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    return lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [channel(0), channel(8), channel(4)];
}

/**
 * Draw one member of a scene's family.
 * @param size side of the picture, pixels
 * @returns size * size * 3 values, 0 to 1, row-major, red green blue
 */
export function drawScene(name: SceneName, size: number, random: Random): Float32Array {
  const { hue, period, texture } = SCENES[name];
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const angle = between(-0.25, 0.25);
  const scale = 1 / (period * size * between(0.8, 1.25));
  const phaseU = between(-5, 5);
  const phaseV = between(-5, 5);
  const shownHue = hue + between(-14, 14);
  const saturation = between(0.25, 0.55);
  const lightness = between(0.38, 0.58);
  const contrast = between(0.08, 0.14);
  const dark = hsl(shownHue + between(-8, 8), saturation, lightness - contrast);
  const light = hsl(shownHue + between(-8, 8), saturation, lightness + contrast);
  const salt = random.uint32();
  const hash = (i: number, j: number): number => {
    let h = Math.imul(i, 0x27d4eb2d) ^ Math.imul(j, 0x165667b1) ^ salt;
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  };
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  const pixels = new Float32Array(size * size * 3);
  for (let y = 0, p = 0; y < size; y++) {
    for (let x = 0; x < size; x++, p += 3) {
      // Four samples a pixel, so that edges are as soft as a camera's.
      let value = 0;
      for (let sample = 0; sample < 4; sample++) {
        const sx = x + (sample % 2 === 0 ? 0.25 : 0.75) - size / 2;
        const sy = y + (sample < 2 ? 0.25 : 0.75) - size / 2;
        value += texture(cos * sx - sin * sy + phaseU, sin * sx + cos * sy + phaseV, hash) / 4;
      }
      for (let c = 0; c < 3; c++) pixels[p + c] = dark[c] + (light[c] - dark[c]) * value;
    }
  }
  return pixels;
}
