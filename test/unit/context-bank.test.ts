import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { ContextBank, type ContextBatch } from '../../core/training/context-bank.ts';

const SIZE = 2;
const AREA = SIZE * SIZE;

/** A context that can be told by its number in every pixel, mask value and label. */
function push(bank: ContextBank, number: number): void {
  bank.push(new Uint8Array(AREA * 3).fill(number), new Float32Array(AREA).fill(number / 100), number % 5);
}

/** Numbers of the contexts in a batch, after a check that picture and mask belong together. */
function numbersIn({ pixels, masks }: ContextBatch): number[] {
  return Array.from({ length: masks.length / AREA }, (_, i) => {
    const number = pixels[i * AREA * 3];
    assert.deepEqual([...pixels.subarray(i * AREA * 3, (i + 1) * AREA * 3)], Array(AREA * 3).fill(number));
    const mask = Math.fround(number / 100);
    assert.deepEqual([...masks.subarray(i * AREA, (i + 1) * AREA)], Array(AREA).fill(mask));
    return number;
  });
}

test('first in, first out: a full bank loses its oldest context, round and round', () => {
  const bank = new ContextBank(4, SIZE);
  for (let number = 1; number <= 11; number++) {
    push(bank, number);
    const kept = Array.from({ length: Math.min(number, 4) }, (_, i) => Math.max(1, number - 3) + i);
    assert.equal(bank.count, kept.length);
    assert.deepEqual(numbersIn(bank.state), kept);
    assert.deepEqual(
      [...bank.state.labels],
      kept.map((n) => n % 5),
    );
  }
  assert.deepEqual(bank.classCounts(5), [1, 1, 0, 1, 1]);
  assert.ok(Math.abs(bank.meanArea()! - 0.095) < 1e-6);
  bank.clear();
  assert.deepEqual([bank.count, bank.meanArea(), numbersIn(bank.state)], [0, null, []]);
  push(bank, 12);
  assert.deepEqual(numbersIn(bank.state), [12]);
});

test('a draw is without repetition, over the whole bank, and refused when there are too few', () => {
  const bank = new ContextBank(6, SIZE);
  for (let number = 1; number <= 9; number++) push(bank, number);
  const random = Random.stream(1, 'draw');
  const orders = new Set<string>();
  const seen = new Set<number>();
  for (let i = 0; i < 60; i++) {
    const all = numbersIn(bank.draw(random, 6));
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      [4, 5, 6, 7, 8, 9],
    );
    orders.add(all.join());
    const two = numbersIn(bank.draw(random, 2));
    assert.equal(new Set(two).size, 2);
    for (const number of two) seen.add(number);
  }
  assert.ok(orders.size > 40, `${orders.size} orders of 720 in 60 draws`);
  assert.equal(seen.size, 6);
  assert.throws(() => bank.draw(random, 7), /cannot draw 7 of 6/);
});

test('a bank restored from a state that wrapped around is the same bank', () => {
  const bank = new ContextBank(4, SIZE);
  for (let number = 1; number <= 6; number++) push(bank, number);
  const { state } = bank;
  const copy = new ContextBank(4, SIZE);
  for (let number = 20; number <= 29; number++) push(copy, number);
  copy.restore(state);
  for (let number = 7; number <= 13; number++) {
    assert.deepEqual(copy.state, bank.state);
    assert.deepEqual(copy.draw(Random.stream(number, 'draw'), 3), bank.draw(Random.stream(number, 'draw'), 3));
    push(bank, number);
    push(copy, number);
  }
  assert.deepEqual(numbersIn(state), [3, 4, 5, 6], 'a state is a copy');
});
