import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { effectiveNumber, nearTwins, unitRows } from '../../core/contexts/diversity.ts';

const rowsOf = (rows: readonly (readonly number[])[]): Float32Array =>
  unitRows(Float32Array.from(rows.flat()), rows[0].length);
const near = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value - wanted) < 1e-5, `${value}, not ${wanted}`);

test('rows that have nothing in common count each, equal ones once, whatever their length', () => {
  near(
    effectiveNumber(
      rowsOf([
        [1, 0, 0],
        [0, 5, 0],
        [0, 0, 0.1],
      ]),
      3,
    ),
    3,
  );
  near(
    effectiveNumber(
      rowsOf([
        [3, 4],
        [6, 8],
        [0.3, 0.4],
      ]),
      2,
    ),
    1,
  );
  near(
    effectiveNumber(
      rowsOf([
        [2, 0],
        [3, 0],
        [0, 1],
        [0, 9],
      ]),
      2,
    ),
    2,
  );
});

test('two of one kind and one of another come to 9/5: the eigenvalues are 2/3 and 1/3', () => {
  near(
    effectiveNumber(
      rowsOf([
        [1, 0],
        [1, 0],
        [0, 1],
      ]),
      2,
    ),
    1 / (4 / 9 + 1 / 9),
  );
  // Eigenvalues of [[1, c], [c, 1]] / 2 are (1 + c) / 2 and (1 - c) / 2.
  const c = 0.6;
  near(
    effectiveNumber(
      rowsOf([
        [1, 0],
        [0.6, 0.8],
      ]),
      2,
    ),
    1 / (((1 + c) / 2) ** 2 + ((1 - c) / 2) ** 2),
  );
});

test('more rows than columns and fewer give one figure: the eigenvalues are the same', () => {
  const random = Random.stream(1, 'features');
  const [count, width] = [5, 9];
  const rows = unitRows(
    Float32Array.from({ length: count * width }, () => random.uniform()),
    width,
  );
  let norm = 0;
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      let product = 0;
      for (let k = 0; k < width; k++) product += rows[a * width + k] * rows[b * width + k];
      norm += (product / count) ** 2;
    }
  }
  near(effectiveNumber(rows, width), 1 / norm);
  const padded = new Float32Array(count * 2 * width);
  padded.set(rows);
  padded.set(rows, rows.length);
  near(effectiveNumber(padded, width), 1 / norm);
});

test('rows of zeros count for nothing, and no rows are none', () => {
  near(
    effectiveNumber(
      rowsOf([
        [1, 0],
        [0, 1],
        [0, 0],
      ]),
      2,
    ),
    2,
  );
  assert.equal(
    effectiveNumber(
      rowsOf([
        [0, 0],
        [0, 0],
      ]),
      2,
    ),
    1,
  );
  assert.equal(effectiveNumber(new Float32Array(0), 2), 0);
});

test('near twins are listed once, those most alike first', () => {
  const rows = rowsOf([
    [1, 0],
    [0.8, 0.6],
    [0, 1],
    [2, 0],
    [0, 0],
  ]);
  const twins = nearTwins(rows, 2, 0.59);
  assert.deepEqual(
    twins.map(({ a, b, cosine }) => [a, b, Number(cosine.toFixed(3))]),
    [
      [0, 3, 1],
      [0, 1, 0.8],
      [1, 3, 0.8],
      [1, 2, 0.6],
    ],
  );
  assert.equal(nearTwins(rows, 2, 0.81).length, 1);
  assert.ok(twins.every(({ cosine }) => cosine <= 1));
});
