/**
 * Contrast of the colours, as WCAG 2 computes it: text 4.5, graphics and the frames of inputs 3. Groups and series are told
 * apart by people who lack a kind of cone, too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './support.ts';

type Tokens = ReadonlyMap<string, string>;

function tokensOf(selector: string): Tokens {
  const css = source('renderer/styles/tokens.css');
  const start = css.indexOf(`${selector} {`);
  assert.ok(start >= 0, selector);
  const block = css.slice(start, css.indexOf('\n}', start));
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

/** Red, green and blue, linear, 0 to 1. */
function linear(hex: string): number[] {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

function luminance(hex: string): number {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Rows of the matrices of Machado, Oliveira and Fernandes (2009) for linear RGB, the cone wholly missing; none is missing. */
const EYES: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  'all cones': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'no red': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'no green': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  'no blue': [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* of a colour (D65), as eyes see it. */
function labOf(hex: string, eyes: string): number[] {
  const seen = linear(hex);
  const [r, g, b] = EYES[eyes].map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, weight, i) => sum + weight * seen[i], 0),
      ),
    ),
  );
  const [x, y, z] = [
    (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883,
  ].map((value) => (value > 216 / 24389 ? Math.cbrt(value) : ((24389 / 27) * value + 16) / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const THEMES = [
  ['light', ':root'],
  ['dark', ":root[data-theme='dark']"],
] as const;

for (const [theme, selector] of THEMES) {
  test(`${theme}: groups, and the series of a chart, are told apart whichever cones one has`, () => {
    const tokens = tokensOf(selector);
    const alike: string[] = [];
    for (const names of [['many', 'medium', 'few'], Array.from({ length: 7 }, (_, index) => `series-${index + 1}`)]) {
      for (const eyes of Object.keys(EYES)) {
        // A difference (CIE 1976) of some 2 is just seen side by side; hardly anybody lacks the blue cone.
        const least = eyes === 'no blue' ? 10 : 15;
        for (const [index, one] of names.entries()) {
          for (const other of names.slice(0, index)) {
            const [a, b] = [one, other].map((name) => labOf(tokens.get(name)!, eyes));
            const difference = Math.hypot(...a.map((value, i) => value - b[i]));
            if (difference < least) alike.push(`${one} and ${other}, ${eyes}: ${difference.toFixed(1)}`);
          }
        }
      }
    }
    assert.deepEqual(alike, []);
  });

  test(`${theme}: text and graphics stand out from what they lie on`, () => {
    const tokens = tokensOf(selector);
    const of = (name: string): string => {
      const value = tokens.get(name);
      assert.ok(value !== undefined, `${theme} has no ${name}`);
      return value;
    };
    const weak: string[] = [];
    const check = (least: number, fronts: readonly string[], grounds: readonly string[]): void => {
      for (const front of fronts) {
        for (const ground of grounds) {
          const value = contrast(of(front), of(ground));
          if (value < least) weak.push(`${front} on ${ground}: ${value.toFixed(2)}`);
        }
      }
    };
    const grounds = ['ground', 'surface', 'raised', 'sunken'];
    check(4.5, ['text', 'text-2', 'text-3', 'accent-text', 'danger', 'ok', 'warn'], grounds);
    check(4.5, ['accent-text', 'text'], ['accent-soft']);
    for (const tone of ['danger', 'ok', 'warn']) check(4.5, [tone], [`${tone}-soft`]);
    const series = Array.from({ length: 7 }, (_, index) => `series-${index + 1}`);
    check(3, ['many', 'medium', 'few', ...series, 'line-strong'], ['ground', 'surface']);
    assert.ok(contrast('#ffffff', of('accent')) >= 4.5, 'white on the main button');
    assert.deepEqual(weak, []);
  });
}
