/** Contrast of the colours, as WCAG 2 computes it: text 4.5, graphics and the frames of inputs 3. */
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

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

for (const [theme, selector] of [
  ['light', ':root'],
  ['dark', ":root[data-theme='dark']"],
]) {
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
