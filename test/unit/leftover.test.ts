import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marginOf, verdictInWords, verdictOf } from '../../core/contexts/leftover-verdict.ts';
import { BaseRates, isLeftover, LEFTOVER_FROM, leftoverScore } from '../../core/contexts/leftover.ts';

const close = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value - wanted) < 1e-6, `${value} is not ${wanted}`);

test('the base rate of a class is what the model makes of it by contexts of other classes', () => {
  const rates = new BaseRates(3);
  rates.add(Float32Array.of(0.9, 0.1, 0), 0);
  rates.add(Float32Array.of(0.7, 0.2, 0.1), 0);
  rates.add(Float32Array.of(0.5, 0.4, 0.1), 1);
  rates.add(Float32Array.of(0.1, 0, 0.9), 2);
  close(rates.of(0), (0.5 + 0.1) / 2);
  close(rates.of(1), (0.1 + 0.2 + 0) / 3);
  close(rates.of(2), (0 + 0.1 + 0.1) / 3);
});

test('without contexts of other classes it is chance', () => {
  const rates = new BaseRates(4);
  assert.equal(rates.of(2), 0.25);
  rates.add(Float32Array.of(0.1, 0.2, 0.3, 0.4), 3);
  assert.equal(rates.of(3), 0.25);
  close(rates.of(0), 0.1);
});

test('a model that names a class for anything flags nothing; one that names it by this context alone does', () => {
  const leaning = { probability: 0.95, base: 0.6, named: true };
  assert.equal(isLeftover(leaning), false);
  close(leftoverScore(leaning), 0.35);
  assert.equal(isLeftover({ ...leaning, base: 0.1 }), true);
  assert.equal(isLeftover({ ...leaning, base: 0.1, named: false }), false);
  assert.equal(isLeftover({ probability: LEFTOVER_FROM, base: 0, named: true }), true);
  assert.equal(isLeftover({ probability: LEFTOVER_FROM - 1e-9, base: 0, named: true }), false);
});

test('the verdict names what the evidence leaves: the outline, what lies next to the foreground, or the background', () => {
  const strong = { filled: 0.9, grown: 0.8, usual: 0.7 };
  assert.equal(verdictOf(strong), 'usual-background');
  assert.equal(verdictOf({ ...strong, filled: LEFTOVER_FROM - 1e-9 }), 'outline');
  assert.equal(verdictOf({ ...strong, grown: LEFTOVER_FROM - 1e-9 }), 'leftover');
  assert.equal(verdictOf({ ...strong, usual: 0 }), 'leftover');
  assert.equal(verdictOf({ ...strong, usual: null }), 'leftover');
  for (const verdict of ['leftover', 'usual-background', 'outline'] as const) {
    assert.match(verdictInWords(verdict, 'owl'), /owl.*\.$/);
  }
});

test('a margin is a share of the side, and a pixel at least', () => {
  assert.deepEqual([marginOf(224), marginOf(32), marginOf(3)], [28, 4, 1]);
});
