import assert from 'node:assert/strict';
import { test } from 'node:test';
import { falseLink, sceneFigures } from '../../core/evaluation/scenes.ts';

test('seen and unseen scenes apart, also for the classes that have both', () => {
  //             class 0: seen only   class 1: two seen, three unseen
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 1);
  const seen = [true, true, true, true, true, true, false, false, false];
  const answers = Int32Array.of(0, 0, 0, 1, 1, 0, 1, 0, 0);
  const figures = sceneFigures(answers, labels, seen, 3);
  assert.equal(figures.seen!.value, (3 / 4 + 1 / 2) / 2);
  assert.equal(figures.unseen!.value, 1 / 3);
  assert.equal(figures.bothSeen!.value, 1 / 2);
  assert.equal(figures.bothUnseen!.value, 1 / 3);
  assert.equal(figures.bothUnseen!.images, 3);
  assert.equal(sceneFigures(answers, labels, labels.length ? [...seen].fill(true) : [], 3).unseen, null);
  assert.throws(() => sceneFigures(answers, labels, [true], 3), RangeError);
});

test('a model that sees only the background scores the false link, one that ignores it does not', () => {
  const scenes = ['a', 'b', 'c', 'd'].flatMap((scene) => Array.from({ length: 20 }, () => scene));
  const bound = new Map([
    ['a', 7],
    ['b', 8],
    ['c', 8],
  ]);
  const byScene = falseLink(
    Int32Array.from(scenes, (scene) => bound.get(scene) ?? 0),
    scenes,
    bound,
  );
  assert.equal(byScene.bound!.value, 1);
  assert.equal(byScene.elsewhere!.value, 0);
  const constant = falseLink(new Int32Array(80).fill(7), scenes, bound);
  assert.equal(constant.bound!.value, 1 / 2);
  assert.equal(constant.elsewhere!.value, 1 / 2);
  assert.equal(falseLink(new Int32Array(0), [], new Map()).bound, null);
  assert.throws(() => falseLink(new Int32Array(3), scenes, bound), RangeError);
});
