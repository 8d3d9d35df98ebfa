import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, type RandomState } from '../../core/base/random.ts';

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());
const streamText = (seed: number, name: string) => draws(Random.stream(seed, name), 8).join();
const oneOfEach = (random: Random) => [
  random.uint32(),
  random.uniform(),
  random.below(10),
  random.normal(),
  random.permutation(9),
];

test('draws what the reference program of xoshiro128** draws', () => {
  // State 1, 2, 3, 4 in Blackman and Vigna's xoshiro128starstar.c, version 1.1.
  assert.deepEqual(
    draws(Random.fromState([1, 2, 3, 4]), 10),
    [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
  );
});

test('agrees with xoshiro128** written in big integers, over a long run from a named stream', () => {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  const random = Random.stream(7, 'reference');
  const s = random.state.map(BigInt);
  for (let i = 0; i < 2000; i++) {
    const expected = (rotate((s[1] * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
    assert.equal(BigInt(random.uint32()), expected, `draw ${i}`);
  }
});

test('same seed and name, same draws; another seed or name, others', () => {
  assert.equal(streamText(1, 'order'), streamText(1, 'order'));
  const seeds = [0, 1, 2, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  const all = seeds.flatMap((seed) => ['order', 'lambda', 'weights', ''].map((name) => streamText(seed, name)));
  assert.equal(new Set(all).size, all.length);
});

test('a seed must be a whole number', () => {
  for (const seed of [0.5, NaN, Infinity, 2 ** 53]) assert.throws(() => Random.stream(seed, 'x'), RangeError);
});

test('the state goes through JSON and goes on with the same draws, of every kind', () => {
  const random = Random.stream(3, 'state');
  draws(random, 5);
  const saved: RandomState = JSON.parse(JSON.stringify(random.state));
  const expected = oneOfEach(random);
  assert.deepEqual(oneOfEach(Random.fromState(saved)), expected);
  assert.ok(saved.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32));
});

test('reading the state does not move the generator', () => {
  const random = Random.stream(3, 'state');
  const { state } = random;
  assert.deepEqual(random.state, state);
  assert.deepEqual(draws(random, 3), draws(Random.fromState(state), 3));
});

test('uniform numbers lie in [0, 1) with 53 bits, evenly', () => {
  const random = Random.stream(11, 'uniform');
  const count = 100_000;
  const bins = new Float64Array(20);
  for (let i = 0; i < count; i++) {
    const x = random.uniform();
    assert.ok(x >= 0 && x < 1);
    assert.equal(x * 2 ** 53, Math.floor(x * 2 ** 53));
    bins[Math.floor(x * 20)]++;
  }
  // Chi square with 19 degrees of freedom; 43.8 is its 99.9 % point. The draws are fixed by the seed.
  assert.ok(chiSquare(bins) < 43.8, `chi square ${chiSquare(bins)}`);
});

test('below(n) is even also where 2^32 is far from a multiple of n', () => {
  // With a plain remainder of 32 bits, the first third of [0, 3 * 2^30) would come twice as often as the rest.
  const random = Random.stream(12, 'below');
  const n = 3 * 2 ** 30;
  const thirds = new Float64Array(3);
  for (let i = 0; i < 60_000; i++) thirds[Math.floor(random.below(n) / 2 ** 30)]++;
  assert.ok(chiSquare(thirds) < 13.8, `chi square ${chiSquare(thirds)}`);
  const sevenths = new Float64Array(7);
  for (let i = 0; i < 70_000; i++) sevenths[random.below(7)]++;
  assert.ok(chiSquare(sevenths) < 22.5, `chi square ${chiSquare(sevenths)}`);
});

test('below(n) takes 1 to 2^32', () => {
  const random = Random.stream(1, 'range');
  assert.equal(random.below(1), 0);
  const { state } = random;
  assert.equal(random.below(2 ** 32), Random.fromState(state).uint32());
  for (const n of [0, -1, NaN, 2 ** 32 + 1]) assert.throws(() => random.below(n), RangeError);
});

test('normal numbers have the moments of the standard normal', () => {
  const random = Random.stream(13, 'normal');
  const count = 200_000;
  const values = Float64Array.from({ length: count }, () => random.normal());
  const moment = (power: number) => values.reduce((sum, x) => sum + x ** power, 0) / count;
  // Five standard errors: sqrt((E x^2k - (E x^k)^2) / count).
  const close = (actual: number, expected: number, variance: number) =>
    assert.ok(Math.abs(actual - expected) < 5 * Math.sqrt(variance / count), `${actual} is far from ${expected}`);
  close(moment(1), 0, 1);
  close(moment(2), 1, 2);
  close(moment(3), 0, 15);
  close(moment(4), 3, 96);
  assert.ok(values.every(Number.isFinite));
});

test('a shuffle is in place, keeps all items, and gives every order alike', () => {
  const random = Random.stream(14, 'shuffle');
  const items = ['a', 'b', 'c', 'd'];
  assert.equal(random.shuffle(items), items);
  const orders = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = random.shuffle(['a', 'b', 'c', 'd']).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 24);
  // 23 degrees of freedom: 49.7 is the 99.9 % point.
  assert.ok(chiSquare([...orders.values()]) < 49.7, `chi square ${chiSquare([...orders.values()])}`);
});

test('a permutation holds each of 0 … n-1 once', () => {
  const random = Random.stream(15, 'permutation');
  assert.deepEqual([...random.permutation(0)], []);
  const order = random.permutation(1000);
  assert.deepEqual(Array.from(order.toSorted()), [...Array(1000).keys()]);
  assert.notDeepEqual([...order], [...Array(1000).keys()]);
});

/** Pearson's statistic against equal counts. */
function chiSquare(counts: ArrayLike<number>): number {
  const list = Array.from(counts);
  const expected = list.reduce((sum, count) => sum + count, 0) / list.length;
  return list.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
