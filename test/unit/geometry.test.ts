import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverCrop, uprightSize } from '../../core/data/geometry.ts';

test('the shorter side becomes the target and the centre is cut', () => {
  assert.deepEqual(coverCrop({ width: 400, height: 200 }, { width: 32, height: 32 }), {
    resized: { width: 64, height: 32 },
    left: 16,
    top: 0,
  });
  assert.deepEqual(coverCrop({ width: 20, height: 50 }, { width: 40, height: 40 }), {
    resized: { width: 40, height: 100 },
    left: 0,
    top: 30,
  });
});

test('a picture of the target size is left alone', () => {
  const size = { width: 31, height: 17 };
  assert.deepEqual(coverCrop(size, size), { resized: size, left: 0, top: 0 });
});

test('the cut follows the anchor and stays inside', () => {
  const from = { width: 301, height: 100 };
  const target = { width: 50, height: 50 };
  assert.equal(coverCrop(from, target, { x: 0, y: 0 }).left, 0);
  assert.equal(coverCrop(from, target, { x: 1, y: 1 }).left, 151 - 50);
});

test('every size covers its target', () => {
  for (let width = 1; width <= 60; width += 7) {
    for (let height = 1; height <= 60; height += 5) {
      for (const target of [
        { width: 32, height: 32 },
        { width: 7, height: 40 },
        { width: 1, height: 1 },
      ]) {
        const { resized, left, top } = coverCrop({ width, height }, target);
        const what = JSON.stringify({ width, height, target, resized, left, top });
        assert.ok(left >= 0 && left + target.width <= resized.width, what);
        assert.ok(top >= 0 && top + target.height <= resized.height, what);
        assert.ok(resized.width === target.width || resized.height === target.height, what);
      }
    }
  }
});

test('orientations 5 to 8 lie on their side', () => {
  const stored = { width: 4, height: 3 };
  for (const orientation of [1, 2, 3, 4]) assert.deepEqual(uprightSize(stored, orientation), stored);
  for (const orientation of [5, 6, 7, 8]) assert.deepEqual(uprightSize(stored, orientation), { width: 3, height: 4 });
});
