import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { partSizes, planSplit, type SplitClass } from '../../core/data/split.ts';

const BOTH = { val: 0.1, test: 0.2 };

/** Classes with so many images of different content. */
function classesOf(counts: Record<string, number>, firstId = 1): SplitClass[] {
  let id = firstId;
  return Object.entries(counts).map(([name, count]) => ({
    name,
    images: Array.from({ length: count }, (_, i) => ({ id: id++, hash: `${name} ${String(i).padStart(5, '0')}` })),
  }));
}

test('part sizes: nearest to the share, at least one in each part, training first', () => {
  assert.deepEqual(partSizes(100, BOTH), { train: 70, val: 10, test: 20 });
  assert.deepEqual(partSizes(13, BOTH), { train: 9, val: 1, test: 3 });
  assert.deepEqual(partSizes(3, BOTH), { train: 1, val: 1, test: 1 });
  assert.deepEqual(partSizes(2, BOTH), { train: 1, val: 0, test: 1 });
  assert.deepEqual(partSizes(2, { val: 0.1, test: 0 }), { train: 1, val: 1, test: 0 });
  assert.deepEqual(partSizes(1, BOTH), { train: 1, val: 0, test: 0 });
  assert.deepEqual(partSizes(0, BOTH), { train: 0, val: 0, test: 0 });
  for (let n = 1; n < 200; n++) {
    for (const shares of [BOTH, { val: 0.49, test: 0.5 }, { val: 0, test: 0.9 }, { val: 0.01, test: 0.01 }]) {
      const { train, val, test: tested } = partSizes(n, shares);
      assert.equal(train + val + tested, n);
      assert.ok(train >= 1 && val >= 0 && tested >= 0);
      if (n >= 3) assert.ok((val >= 1 || shares.val === 0) && (tested >= 1 || shares.test === 0));
    }
  }
});

test('each class is dealt by itself and every image goes somewhere', () => {
  const classes = classesOf({ ant: 100, bee: 30, cat: 2, dog: 1 });
  const { classes: dealt, splits } = planSplit(classes, BOTH, 1);
  assert.deepEqual(dealt, [
    { name: 'ant', train: 70, val: 10, test: 20 },
    { name: 'bee', train: 21, val: 3, test: 6 },
    { name: 'cat', train: 1, val: 0, test: 1 },
    { name: 'dog', train: 1, val: 0, test: 0 },
  ]);
  assert.equal(splits.size, 133);
});

/** Contents of the class ant's test images. */
function testedAnts(classes: SplitClass[], seed: number): string[] {
  const { splits } = planSplit(classes, BOTH, seed);
  const ant = classes.find(({ name }) => name === 'ant')!;
  return ant.images
    .filter(({ id }) => splits.get(id) === 'test')
    .map(({ hash }) => hash)
    .toSorted();
}

test('the deal follows seed, name and content, not ids, order or other classes', () => {
  const alone = classesOf({ ant: 50 }, 700).map(({ name, images }) => ({ name, images: images.toReversed() }));
  const among = classesOf({ bee: 9, ant: 50 });
  assert.deepEqual(testedAnts(among, 1), testedAnts(alone, 1));
  assert.notDeepEqual(testedAnts(among, 2), testedAnts(among, 1));
});

const imagesOf = (firstId: number, contents: string[]): SplitClass['images'] =>
  contents.map((hash, i) => ({ id: firstId + i, hash }));

test('images of equal content stay together, within a class and across classes', () => {
  const contents = Array.from({ length: 40 }, (_, i) => `content ${i % 20}`);
  const classes = [
    { name: 'ant', images: imagesOf(1, contents) },
    { name: 'bee', images: imagesOf(101, ['content 3', 'content 4', 'own 1', 'own 2', 'own 3']) },
  ];
  for (let seed = 0; seed < 30; seed++) {
    const { classes: dealt, splits } = planSplit(classes, BOTH, seed);
    const byContent = new Map<string, Set<string>>();
    for (const { id, hash } of classes.flatMap((record) => record.images)) {
      byContent.set(hash, (byContent.get(hash) ?? new Set()).add(splits.get(id)!));
    }
    for (const [content, parts] of byContent) assert.equal(parts.size, 1, content);
    // Twenty contents of two copies each.
    assert.deepEqual(dealt[0], { name: 'ant', train: 28, val: 4, test: 8 });
  }
});

test('shares that cannot be are refused', () => {
  const bad = [
    { val: -0.1, test: 0.2 },
    { val: 0, test: 1 },
    { val: NaN, test: 0.1 },
    { val: 0.5, test: 0.5 },
    { val: 0, test: 0 },
  ];
  for (const shares of bad) {
    assert.throws(
      () => planSplit(classesOf({ ant: 5 }), shares, 1),
      (error) => error instanceof UserError && error.code === 'usage',
    );
  }
});
