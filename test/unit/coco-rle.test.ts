import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaOf, fillRuns, packRuns, readRuns, runsOf, unpackRuns } from '../../core/contexts/coco-rle.ts';
import { Random } from '../../core/base/random.ts';

const isSet =
  (width: number, k: number) =>
  (at: number): boolean => {
    const x = at % width;
    const y = Math.floor(at / width);
    return Math.floor((x * x + 3 * y * y + k * x * y) / 7) % 3 === 0;
  };

test('runs are packed as pycocotools 2.0 packs them', () => {
  // Made by pycocotools.mask.encode: height, width, k, first characters, how many, pixels.
  const references: [number, number, number, string, number, number][] = [
    [5, 4, 1, '02122M32', 8, 10],
    [37, 53, 2, '0210010O010O010O010O032L1010L0022N1010L26NK021M16NK040000000', 818, 663],
    [1, 9, 0, '032N00', 6, 5],
    [200, 90, 5, '0210010O010O010O010O010O010O010O010O010O010O010O010O010O010O', 7515, 6121],
  ];
  for (const [height, width, k, begin, length, area] of references) {
    const runs = runsOf({ width, height }, isSet(width, k));
    const packed = packRuns(runs);
    assert.equal(packed.slice(0, 60), begin);
    assert.equal(packed.length, length);
    assert.equal(areaOf(runs), area);
    assert.deepEqual(unpackRuns(packed), runs);
  }
  const box = runsOf({ width: 400, height: 300 }, (at) => {
    const [x, y] = [at % 400, Math.floor(at / 400)];
    return y >= 50 && y < 250 && x >= 100 && x < 390;
  });
  assert.equal(packRuns(box), `R[m0X6T3${'0'.repeat(577)}Vl2`);
  assert.equal(packRuns(runsOf({ width: 2, height: 3 }, () => false)), '6');
  assert.equal(packRuns(runsOf({ width: 2, height: 3 }, () => true)), '06');
});

test('any mask comes back from its runs, packed or not', () => {
  const random = Random.stream(1, 'masks');
  for (let round = 0; round < 30; round++) {
    const [width, height] = [1 + random.below(40), 1 + random.below(40)];
    const share = random.below(10);
    const mask = Uint8Array.from({ length: width * height }, () => (random.below(10) < share ? 1 : 0));
    const runs = runsOf({ width, height }, (at) => mask[at] === 1);
    const size = [height, width] as const;
    assert.deepEqual(fillRuns(readRuns({ size, counts: packRuns(runs) }), { width, height }), mask);
    assert.deepEqual(fillRuns(readRuns({ size, counts: runs }), { width, height }), mask);
  }
});

test('what is no run-length code of the size is refused', () => {
  assert.throws(() => fillRuns([3, 2], { width: 2, height: 3 }), RangeError);
  assert.throws(() => fillRuns([3, 4], { width: 2, height: 3 }), RangeError);
  assert.throws(() => fillRuns([8, -2], { width: 2, height: 3 }), RangeError);
  assert.throws(() => fillRuns([5.5, 0.5], { width: 2, height: 3 }), RangeError);
  assert.throws(() => unpackRuns('0 2'), RangeError);
  assert.throws(() => unpackRuns('0p'), RangeError, 'beyond the alphabet');
  assert.throws(() => unpackRuns('0o'), RangeError, 'cut inside a number');
  assert.throws(() => unpackRuns('ooooooooooooooo0'), RangeError, 'a number without end');
});
