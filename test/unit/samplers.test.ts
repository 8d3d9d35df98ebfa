import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { ClassAwareSampler, UniformSampler, type Sampler } from '../../core/training/samplers.ts';

const random = (seed = 1): Random => Random.stream(seed, 'sampler test');
const sorted = (values: ArrayLike<number>): number[] => Array.from(values).toSorted((a, b) => a - b);
const range = (count: number): number[] => [...Array(count).keys()];

test('uniform: each image once a pass, whatever the batch size, and every pass in another order', () => {
  const sampler = new UniformSampler(random(), 10);
  const drawn = Array.from({ length: 20 }, () => [...sampler.take(3)]).flat();
  const passes = range(6).map((pass) => drawn.slice(pass * 10, (pass + 1) * 10));
  for (const pass of passes) assert.deepEqual(sorted(pass), range(10));
  assert.equal(new Set(passes.map(String)).size, 6);
});

/** Seven images of class 0, none of class 1, two of class 2, one of class 3. */
const LABELS = [0, 2, 0, 0, 3, 0, 0, 2, 0, 0];

test('class-aware: every class with images equally often, four images of it in a row, its own pass complete', () => {
  const sampler = new ClassAwareSampler(random(), LABELS, 4);
  // Batches of 5 and 7 do not divide visits of 4: a visit goes on in the next batch.
  const drawn = range(14).flatMap((i) => [...sampler.take(i % 2 ? 5 : 7)]);
  assert.equal(drawn.length, 84);
  const visits = range(21).map((visit) => drawn.slice(visit * 4, (visit + 1) * 4));
  const classes = visits.map((visit) => {
    const labels = new Set(visit.map((index) => LABELS[index]));
    assert.equal(labels.size, 1, `a visit to one class, not ${[...labels].join()}`);
    return LABELS[visit[0]];
  });
  for (let cycle = 0; cycle < 7; cycle++) {
    assert.deepEqual(sorted(classes.slice(cycle * 3, (cycle + 1) * 3)), [0, 2, 3], `cycle ${cycle}`);
  }
  assert.ok(new Set(range(7).map((cycle) => classes.slice(cycle * 3, (cycle + 1) * 3).join())).size > 1, 'reshuffled');
  for (const label of [0, 2, 3]) {
    const members = range(LABELS.length).filter((index) => LABELS[index] === label);
    const own = drawn.filter((index) => LABELS[index] === label);
    assert.equal(own.length, 28);
    for (let pass = 0; pass * members.length < 28; pass++) {
      const part = own.slice(pass * members.length, (pass + 1) * members.length);
      if (part.length === members.length) assert.deepEqual(sorted(part), members, `class ${label}, pass ${pass}`);
    }
  }
});

test('a sampler goes on from its state at any point as if nothing had happened', () => {
  const makers: [string, () => Sampler][] = [
    ['uniform', () => new UniformSampler(random(), LABELS.length)],
    ['class-aware', () => new ClassAwareSampler(random(), LABELS, 4)],
  ];
  for (const [name, make] of makers) {
    const whole = [...make().take(60)];
    for (let at = 0; at <= 30; at++) {
      const before = make();
      assert.deepEqual([...before.take(at)], whole.slice(0, at));
      // As a checkpoint keeps it.
      const state = JSON.parse(JSON.stringify(before.state)) as Sampler['state'];
      const after = make();
      // Wherever the other one stands.
      after.take(7);
      after.restore(state);
      assert.deepEqual([...after.take(60 - at)], whole.slice(at), `${name} from ${at}`);
    }
  }
});

test('a state does not change when its sampler goes on', () => {
  const sampler = new ClassAwareSampler(random(), LABELS, 4);
  sampler.take(5);
  const { state } = sampler;
  const text = JSON.stringify(state);
  sampler.take(50);
  assert.equal(JSON.stringify(state), text);
});

test('other seeds give other orders; nothing to draw from is refused', () => {
  assert.notDeepEqual(new UniformSampler(random(1), 50).take(50), new UniformSampler(random(2), 50).take(50));
  assert.throws(() => new UniformSampler(random(), 0), /no images/);
  assert.throws(() => new ClassAwareSampler(random(), [], 3), /no images/);
});
