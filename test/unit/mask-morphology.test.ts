import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { foregroundIou } from '../../core/contexts/mask-iou.ts';
import { isBinary, morph, type Bitmap } from '../../core/contexts/mask-morphology.ts';

/** A mask from rows of "#" (context) and "." (foreground). */
function maskOf(...rows: string[]): Bitmap {
  const data = Uint8Array.from(rows.join(''), (mark) => (mark === '#' ? 255 : 0));
  return { width: rows[0].length, height: rows.length, data };
}

const shown = ({ width, height }: Bitmap, data: Uint8Array): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value >= 128 ? '#' : '.')).join(''),
  );

function randomMask(seed: number, width: number, height: number): Bitmap {
  const random = Random.stream(seed, 'mask');
  return { width, height, data: Uint8Array.from({ length: width * height }, () => random.below(256)) };
}

test('grow and shrink take the brightest and darkest of an octagon', () => {
  const dot = maskOf('.......', '.......', '.......', '...#...', '.......', '.......', '.......');
  assert.deepEqual(shown(dot, morph(dot, 'grow', 1)), [
    '.......',
    '.......',
    '...#...',
    '..###..',
    '...#...',
    '.......',
    '.......',
  ]);
  assert.deepEqual(shown(dot, morph(dot, 'grow', 2)), [
    '.......',
    '..###..',
    '.#####.',
    '.#####.',
    '.#####.',
    '..###..',
    '.......',
  ]);
  assert.deepEqual([...morph(dot, 'grow', 3)].filter((value) => value === 255).length, 37);
  const soft = randomMask(1, 23, 17);
  for (const radius of [1, 2, 3, 5]) {
    // By definition: over all pixels that the octagon reaches from each.
    const reach = morph({ width: 15, height: 15, data: middle(15) }, 'grow', radius);
    const expected = soft.data.map((_, at) => {
      const [x, y] = [at % 23, Math.floor(at / 23)];
      let most = 0;
      for (let dy = -7; dy <= 7; dy++) {
        for (let dx = -7; dx <= 7; dx++) {
          const inside = x + dx >= 0 && x + dx < 23 && y + dy >= 0 && y + dy < 17;
          if (inside && reach[(dy + 7) * 15 + dx + 7] === 255) most = Math.max(most, soft.data[(y + dy) * 23 + x + dx]);
        }
      }
      return most;
    });
    assert.deepEqual(morph(soft, 'grow', radius), new Uint8Array(expected), `radius ${radius}`);
  }
  const inverted = { ...soft, data: morph(soft, 'invert', 1) };
  const grown = { ...soft, data: morph(inverted, 'grow', 4) };
  assert.deepEqual(morph(soft, 'shrink', 4), morph(grown, 'invert', 1));
});

function middle(side: number): Uint8Array {
  const data = new Uint8Array(side * side);
  data[(side * side - 1) / 2] = 255;
  return data;
}

test('spots up to an area go, larger ones and those that touch by an edge stay', () => {
  const mask = maskOf('#.###', '##.##', '#####', '##..#', '##..#');
  assert.deepEqual(shown(mask, morph(mask, 'fill-holes', 1)), ['#####', '#####', '#####', '##..#', '##..#']);
  assert.deepEqual(shown(mask, morph(mask, 'fill-holes', 3)), ['#####', '#####', '#####', '##..#', '##..#']);
  assert.deepEqual(shown(mask, morph(mask, 'fill-holes', 4)), ['#####', '#####', '#####', '#####', '#####']);
  const other = { ...mask, data: morph(mask, 'invert', 1) };
  assert.deepEqual(morph({ ...mask, data: morph(other, 'drop-specks', 3) }, 'invert', 1), morph(mask, 'fill-holes', 3));
});

/** By definition, over 5 x 5 of 19 x 12. */
const mean = (data: Uint8Array): Uint8Array =>
  data.map((_, at) => {
    const [x, y] = [at % 19, Math.floor(at / 19)];
    let sum = 0;
    let count = 0;
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        if (x + dx < 0 || x + dx >= 19 || y + dy < 0 || y + dy >= 12) continue;
        sum += data[(y + dy) * 19 + x + dx];
        count++;
      }
    }
    return Math.round(sum / count);
  });

test('smoothing is two box means, and keeps black and white apart', () => {
  const soft = randomMask(2, 19, 12);
  const direct = mean(mean(soft.data));
  const made = morph(soft, 'smooth', 2);
  // Running sums in single precision round a value that lies on a half either way.
  for (const [at, value] of made.entries()) assert.ok(Math.abs(value - direct[at]) <= 1, `${value} ${direct[at]}`);
  const binary = { ...soft, data: morph(soft, 'binarize', 1) };
  assert.ok(isBinary(binary) && !isBinary(soft));
  assert.ok(isBinary({ ...soft, data: morph(binary, 'smooth', 3) }));
  const flat = { width: 9, height: 9, data: new Uint8Array(81).fill(255) };
  assert.deepEqual(morph(flat, 'smooth', 4), flat.data);
});

test('agreement is of the foregrounds', () => {
  const one = maskOf('..##', '..##');
  const other = maskOf('#..#', '#..#');
  assert.equal(foregroundIou(one, one), 1);
  assert.equal(foregroundIou(one, other), 2 / 6);
  assert.equal(foregroundIou(maskOf('##'), maskOf('##')), 1);
  assert.equal(foregroundIou(maskOf('.#'), maskOf('##')), 0);
});
