import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { polygonRuns } from '../../core/contexts/coco-polygon.ts';
import { areaOf, fillRuns, packRuns, runsOf } from '../../core/contexts/coco-rle.ts';

interface Case {
  width: number;
  height: number;
  polygons: number[][];
  /** Packed runs of each polygon, and of all merged. */
  each: string[];
  together: string;
}
const golden = new URL('../fixtures/golden/coco-polygons.json', import.meta.url);
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(golden, 'utf8'));

test('polygons are filled as pycocotools 2.0 fills them, several of one object together', () => {
  assert.equal(cases.length, 34);
  for (const { width, height, polygons, each, together } of cases) {
    const runs = polygons.map((corners) => polygonRuns(corners, { width, height }));
    assert.deepEqual(runs.map(packRuns), each, JSON.stringify(polygons));
    const masks = runs.map((one) => fillRuns(one, { width, height }));
    const union = runsOf({ width, height }, (at) => masks.some((mask) => mask[at] === 1));
    assert.equal(packRuns(union), together, JSON.stringify(polygons));
  }
});

test('a rectangle on whole pixels sets those inside, and one round the picture all', () => {
  const size = { width: 10, height: 8 };
  assert.equal(areaOf(polygonRuns([1, 1, 7, 1, 7, 6, 1, 6], size)), 30);
  assert.equal(areaOf(polygonRuns([-1, -1, 11, -1, 11, 9, -1, 9], size)), 80);
});

test('what is no polygon, or lies far outside, is refused', () => {
  const size = { width: 10, height: 8 };
  for (const corners of [[], [1, 1, 2, 2], [1, 1, 2, 2, 3], [1, 1, 2, 2, 3, Number.NaN]]) {
    assert.throws(() => polygonRuns(corners, size), RangeError);
  }
  assert.throws(() => polygonRuns([0, 0, 1e9, 0, 1e9, 5], size), /far outside/);
});
